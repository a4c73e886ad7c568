# shopmetricsd: Kafka to Delta Lake, exactly once, on one machine.   make help

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Where `make install` puts things. What other programs search, they say where (pkg-config).
DESTDIR     ?=
PREFIX      ?= /usr/local
SYSCONFDIR  ?= /etc
DATADIR     ?= $(PREFIX)/share
MANDIR      ?= $(DATADIR)/man
DOCDIR      ?= $(DATADIR)/doc/shopmetricsd
place        = $(or $(shell pkg-config --variable=$(1) $(2) 2>/dev/null),$(3))
UNITDIR     ?= $(call place,systemdsystemunitdir,systemd,/usr/lib/systemd/system)
SYSUSERSDIR ?= $(call place,sysusersdir,systemd,/usr/lib/sysusers.d)
TMPFILESDIR ?= $(call place,tmpfilesdir,systemd,/usr/lib/tmpfiles.d)
CATALOGDIR  ?= $(call place,catalogdir,systemd,/usr/lib/systemd/catalog)
BASHDIR     ?= $(call place,completionsdir,bash-completion,$(DATADIR)/bash-completion/completions)
FISHDIR     ?= $(call place,completionsdir,fish,$(DATADIR)/fish/vendor_completions.d)
ZSHDIR      ?= $(DATADIR)/zsh/site-functions

VENV   := .venv
PYTHON := $(VENV)/bin/python
# Nothing is searched beside the programs, and the linker's tables are read-only once they run.
RELEASE_FLAGS := -c release --static-swift-stdlib -Xswiftc -cross-module-optimization \
  --disable-local-rpath -Xlinker -z -Xlinker now
RELEASE := .build/release
DOCS    := .build/docs
DEB     := .build/deb

BUILD_PACKAGES := librdkafka-dev libsystemd-dev libzstd-dev libsnappy-dev libtomlplusplus-dev \
  zlib1g-dev pkg-config
DEMO_PACKAGES  := python3-venv
DEB_PACKAGES   := debhelper lintian
TEST_PACKAGES  := python3-venv gcc kcat procps curl man-db mandoc zsh fish $(DEB_PACKAGES)
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

.PHONY: build-packages demo-packages deb-packages test-packages bench-packages
build-packages:
	$(call install_packages,$(BUILD_PACKAGES))
demo-packages:
	$(call install_packages,$(BUILD_PACKAGES) $(DEMO_PACKAGES))
deb-packages:
	$(call install_packages,$(BUILD_PACKAGES) $(DEB_PACKAGES))
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
	$(PYTHON) Tests/CrashSweep/sweep.py --scenario retry
	$(PYTHON) Tests/CrashSweep/sweep.py --scenario operations

.PHONY: error-sweep
error-sweep: build venv ## Let 600 system calls of the service fail, one at a time, and check
	$(PYTHON) Tests/CrashSweep/errors.py --reads --scenario bronze --sample 400
	$(PYTHON) Tests/CrashSweep/errors.py --reads --scenario silver --sample 200

.PHONY: power-cuts
power-cuts: build venv ## Cut off the disk under the service 200 times; needs root
	$(PYTHON) Tests/PowerCut/power_cut.py --cuts 200

.PHONY: soak
soak: build venv ## Twenty minutes of events, the service killed every 20 s
	$(PYTHON) Tests/Soak/soak.py --minutes 20 --rate 2000 --kill-every 20

.PHONY: bench
bench: build venv bench-packages ## Speed beside what else one would run; half an hour
	Tests/Benchmarks/bench.sh

.PHONY: fuzz
fuzz: swift build-packages ## Ten minutes of libFuzzer for each parser
	Tests/Fuzz/fuzz.sh

.PHONY: fmt
fmt: swift ## Format the sources
	swift format --in-place --recursive Sources Tests deploy Package.swift

.PHONY: check
check: swift ## Formatting, unit files, warnings
	swift format lint --strict --recursive Sources Tests deploy Package.swift
	@if command -v systemd-analyze >/dev/null; then \
	  systemd-analyze security --offline=true --threshold=11 deploy/*.service; fi

.PHONY: deb
deb: build docs deb-packages ## Build the Debian package into .build/deb, and let lintian look at it
	@$(MAKE) --no-print-directory deb-of-build

# The package of the programs that are there; deploy/debian/rules calls `make install`.
.PHONY: deb-of-build
deb-of-build:
	rm -rf $(DEB) && mkdir -p $(DEB)/stage
	cp -r deploy/debian $(DEB)/stage/debian
	cd $(DEB)/stage && SOURCE=$(CURDIR) dpkg-buildpackage --build=binary --no-sign
	lintian --fail-on error,warning --allow-root $(DEB)/*.changes
	@ls $(DEB)/*.deb

# Copies FILE to a PLACE below DESTDIR; paths that it names become those of this installation.
define install_text # FILE PLACE
	sed -e 's|/usr/sbin/|$(PREFIX)/sbin/|g' \
	  -e 's|/etc/shopmetrics|$(SYSCONFDIR)/shopmetrics|g' $(1) | \
	  install -D -m 0644 /dev/stdin $(DESTDIR)$(2)
endef
define install_files # FILES DIRECTORY
	install -D -m 0644 -t $(DESTDIR)$(2) $(1)
endef

.PHONY: install
install: ## Install what `make build docs` has built, below DESTDIR; keeps the configuration
	@[ -e $(RELEASE)/shopmetricsd -a -e $(DOCS)/shopmetrics.catalog ] || \
	  { echo "nothing to install yet: make build docs" >&2; exit 1; }
	install -D -m 0755 $(RELEASE)/shopmetricsd $(DESTDIR)$(PREFIX)/sbin/shopmetricsd
	install -D -m 0755 $(RELEASE)/shopmetricsctl $(DESTDIR)$(PREFIX)/bin/shopmetricsctl
	$(call install_text,deploy/shopmetricsd.service,$(UNITDIR)/shopmetricsd.service)
	$(call install_text,deploy/shopmetricsd-run.service,$(UNITDIR)/shopmetricsd-run.service)
	$(call install_text,deploy/shopmetricsd-run.timer,$(UNITDIR)/shopmetricsd-run.timer)
	$(call install_text,deploy/shopmetricsd.sysusers,$(SYSUSERSDIR)/shopmetrics.conf)
	$(call install_text,deploy/shopmetricsd.tmpfiles,$(TMPFILESDIR)/shopmetrics.conf)
	for page in $(DOCS)/man/*; do \
	  install -D -m 0644 -t $(DESTDIR)$(MANDIR)/man$${page##*.} $$page || exit; \
	done
	$(call install_files,$(DOCS)/shopmetrics.catalog,$(CATALOGDIR))
	$(call install_files,$(DOCS)/completions/bash/*,$(BASHDIR))
	$(call install_files,$(DOCS)/completions/zsh/*,$(ZSHDIR))
	$(call install_files,$(DOCS)/completions/fish/*,$(FISHDIR))
	$(call install_files,README.md,$(DOCDIR))
	$(call install_files,deploy/examples/*,$(DOCDIR)/examples)
	@config=$(DESTDIR)$(SYSCONFDIR)/shopmetrics.toml; \
	if [ -e $$config ]; then config=$$config.new; echo "kept the configuration, see $$config"; fi; \
	install -D -m 0640 etc/shopmetrics.toml $$config
	@if [ -z "$(DESTDIR)" ] && [ $$(id -u) = 0 ]; then \
	  systemd-sysusers shopmetrics.conf && systemd-tmpfiles --create shopmetrics.conf; \
	  if [ -d /run/systemd/system ]; then systemctl daemon-reload; journalctl --update-catalog; fi; \
	fi

.PHONY: uninstall
uninstall: ## Remove what `make install` put there; tables and configuration stay
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then \
	  systemctl disable --now shopmetricsd.service shopmetricsd-run.timer; \
	fi
	rm -f $(DESTDIR)$(PREFIX)/sbin/shopmetricsd $(DESTDIR)$(PREFIX)/bin/shopmetricsctl
	rm -f $(DESTDIR)$(UNITDIR)/shopmetricsd{.service,-run.service,-run.timer}
	rm -f $(DESTDIR)$(SYSUSERSDIR)/shopmetrics.conf $(DESTDIR)$(TMPFILESDIR)/shopmetrics.conf
	rm -f $(DESTDIR)$(MANDIR)/man8/shopmetrics{d,ctl}.8
	rm -f $(DESTDIR)$(MANDIR)/man{5/shopmetrics.toml.5,7/shopmetrics-tables.7}
	rm -f $(DESTDIR)$(CATALOGDIR)/shopmetrics.catalog $(DESTDIR)$(BASHDIR)/shopmetrics{d,ctl}
	rm -f $(DESTDIR)$(ZSHDIR)/_shopmetrics{d,ctl} $(DESTDIR)$(FISHDIR)/shopmetrics{d,ctl}.fish
	rm -rf $(DESTDIR)$(DOCDIR)
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then \
	  systemctl daemon-reload; journalctl --update-catalog; \
	fi

.PHONY: clean
clean: ## Remove what was built
	rm -rf .build $(VENV) demo
