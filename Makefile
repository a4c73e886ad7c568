# shopmetricsd: Kafka to Delta Lake, exactly once, on one machine.   make help

SHELL := /bin/bash
.DEFAULT_GOAL := help

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR    ?= /lib/systemd/system
SYSUSERS   ?= /usr/lib/sysusers.d
DESTDIR    ?=

VENV   := .venv
PYTHON := $(VENV)/bin/python
RELEASE_FLAGS := -c release --static-swift-stdlib -Xswiftc -cross-module-optimization
RELEASE := .build/release
DOCS    := .build/docs

BUILD_PACKAGES := librdkafka-dev libsystemd-dev libzstd-dev libsnappy-dev libtomlplusplus-dev \
  zlib1g-dev pkg-config
DEMO_PACKAGES  := python3-venv
TEST_PACKAGES  := python3-venv gcc kcat procps
BENCH_PACKAGES := gcc g++ liblz4-dev time

.PHONY: help
help: ## What can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: swift
swift:
	@command -v swift >/dev/null || { echo "Swift 6.3 is missing: get it from swift.org/install, \
	then call make again" >&2; exit 1; }

# Installs what is missing and says so; nothing when all is there.
define install_packages
	@missing=$$(for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing with apt:" $$missing; \
	  root=; [ $$(id -u) = 0 ] || root=sudo; \
	  $$root apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq $$missing >/dev/null; \
	fi
endef

.PHONY: build-packages demo-packages test-packages bench-packages
build-packages:
	$(call install_packages,$(BUILD_PACKAGES))
demo-packages:
	$(call install_packages,$(BUILD_PACKAGES) $(DEMO_PACKAGES))
test-packages:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES))
bench-packages:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(BENCH_PACKAGES))

.PHONY: build
build: swift build-packages ## Build the release programs into .build/release
	swift build $(RELEASE_FLAGS) --product shopmetricsd
	swift build $(RELEASE_FLAGS) --product shopmetricsctl
	swift build $(RELEASE_FLAGS) --product embedded-broker

.PHONY: docs
docs: swift build-packages ## Manuals, completions and the journal's catalog into .build/docs
	swift build $(RELEASE_FLAGS) --product shopmetrics-docs
	rm -rf $(DOCS)
	$(RELEASE)/shopmetrics-docs deploy/man $(DOCS)

.PHONY: demo
demo: build demo-packages ## Build, start a broker, ingest click events, query the sessions
	@$(MAKE) --no-print-directory $(PYTHON) || \
	  echo "the package registry cannot be reached: the demo goes on without DuckDB" >&2
	Tests/Demo/demo.sh $(RELEASE) $(PYTHON)

$(PYTHON): Tests/Acceptance/requirements.txt
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install -q --disable-pip-version-check -r $< || { rm -r $(VENV); exit 1; }
	touch $@

.PHONY: venv
venv: test-packages ## A local Python with the other readers of the tables
	@$(MAKE) --no-print-directory $(PYTHON)

.PHONY: test
test: build docs venv ## Every test that needs no network but the package registries
	Tests/run-all.sh

.PHONY: crash-sweep
crash-sweep: build venv ## Kill the daemon at every file-changing system call, and check
	$(PYTHON) Tests/CrashSweep/sweep.py --scenario bronze
	$(PYTHON) Tests/CrashSweep/sweep.py --scenario silver
	$(PYTHON) Tests/CrashSweep/sweep.py --scenario rebuild

.PHONY: bench
bench: build venv bench-packages ## Speed beside what else one would run; half an hour
	Tests/Benchmarks/bench.sh

.PHONY: fuzz
fuzz: swift build-packages ## Ten minutes of libFuzzer for each parser
	Tests/Fuzz/fuzz.sh

.PHONY: fmt
fmt: swift ## Format the sources
	swift format --in-place --recursive Sources Tests Package.swift

.PHONY: check
check: swift ## Formatting, unit file, warnings
	swift format lint --strict --recursive Sources Tests Package.swift
	@if command -v systemd-analyze >/dev/null; then \
	  systemd-analyze security --offline=true --threshold=11 deploy/shopmetricsd.service; fi

.PHONY: install
install: ## Install below DESTDIR; keeps an existing configuration
	install -D -m 0755 $(RELEASE)/shopmetricsd $(DESTDIR)$(PREFIX)/sbin/shopmetricsd
	install -D -m 0755 $(RELEASE)/shopmetricsctl $(DESTDIR)$(PREFIX)/bin/shopmetricsctl
	install -D -m 0644 deploy/shopmetricsd.sysusers $(DESTDIR)$(SYSUSERS)/shopmetrics.conf
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSCONFDIR)
	sed 's|/usr/sbin/|$(PREFIX)/sbin/|g' deploy/shopmetricsd.service \
	  > $(DESTDIR)$(UNITDIR)/shopmetricsd.service
	@if [ -e $(DESTDIR)$(SYSCONFDIR)/shopmetrics.toml ]; then \
	  install -m 0640 etc/shopmetrics.toml $(DESTDIR)$(SYSCONFDIR)/shopmetrics.toml.new; \
	  echo "kept $(SYSCONFDIR)/shopmetrics.toml, wrote shopmetrics.toml.new"; \
	else install -m 0640 etc/shopmetrics.toml $(DESTDIR)$(SYSCONFDIR)/shopmetrics.toml; fi

.PHONY: uninstall
uninstall: ## Remove the programs and the unit; tables and configuration stay
	rm -f $(DESTDIR)$(PREFIX)/sbin/shopmetricsd $(DESTDIR)$(PREFIX)/bin/shopmetricsctl
	rm -f $(DESTDIR)$(UNITDIR)/shopmetricsd.service $(DESTDIR)$(SYSUSERS)/shopmetrics.conf

.PHONY: clean
clean: ## Remove what was built
	rm -rf .build $(VENV) demo
