"""Fixtures of the acceptance tests, and the table of what each suite took."""

import os
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import confluent_kafka
import pytest
from broker import EmbeddedBroker
from certificates import Certificates
from support import State, binary, execute

durations = defaultdict(lambda: [0, 0.0])


@pytest.fixture(scope="session", autouse=True)
def programs():
    """The programs under test; without them nothing here can pass, so the session ends."""
    missing = [name for name in ("shopmetricsd", "shopmetricsctl", "embedded-broker")
               if not binary(name).exists()]
    if missing:
        pytest.exit(f"{binary(missing[0])} is missing: run `swift build` or set SHOPMETRICS_BIN", 2)


@pytest.fixture(scope="session", autouse=True)
def newer_librdkafka(programs, tmp_path_factory):
    """Runs the programs with the library of Python's wheel if SHOPMETRICS_NEWER_LIBRDKAFKA."""
    if not os.environ.get("SHOPMETRICS_NEWER_LIBRDKAFKA"):
        return
    bundled = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    front = tmp_path_factory.mktemp("librdkafka")
    (front / "librdkafka.so.1").symlink_to(next(bundled.glob("librdkafka-*")))
    os.environ["LD_LIBRARY_PATH"] = f"{front}:{bundled}"
    version = execute([binary("shopmetricsd"), "--version"]).output
    assert confluent_kafka.libversion()[0] in version, version


@pytest.fixture
def scratch():
    """A directory of this test's own, removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="shopmetrics-test-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Certificates of two authorities, good and bad ones."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def broker():
    """A broker of this test's own with an empty topic of three partitions."""
    broker = EmbeddedBroker(binary("embedded-broker"))
    yield broker
    broker.close()


@pytest.fixture
def state(scratch, broker):
    """An empty state directory for `broker`, with batches of a hundred offsets."""
    return State(scratch, broker.brokers, limits={"max_offsets_per_batch": 100})


def pytest_runtest_logreport(report):
    """Adds up set-up, test and tear-down per file."""
    entry = durations[report.nodeid.split("::")[0]]
    entry[0] += report.when == "call"
    entry[1] += report.duration


def pytest_terminal_summary(terminalreporter):
    """One line a suite: how many tests, how many seconds."""
    terminalreporter.section("time per suite")
    for suite, (count, seconds) in sorted(durations.items()):
        terminalreporter.write_line(f"{seconds:8.1f} s {count:5} tests  {suite}")
    total = sum(seconds for _, seconds in durations.values())
    terminalreporter.write_line(f"{total:8.1f} s in all; the budget is 1,320 s on two cores")
