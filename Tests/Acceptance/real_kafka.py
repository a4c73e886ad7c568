"""A real Apache Kafka for the tests, from the testbed that SHOPMETRICS_TESTBED names."""

import os
import subprocess
import tempfile
from pathlib import Path

from broker import wait_until

TESTBED = os.environ.get("SHOPMETRICS_TESTBED")
MISSING = "SKIPPED: SHOPMETRICS_TESTBED is not set, so there is no real Kafka to test with"
CANNOT = 77  # the testbed's own word for a machine that lacks something
SETTINGS = {
    "log.retention.check.interval.ms": "500", "log.cleaner.backoff.ms": "200",
    "log.cleaner.min.compaction.lag.ms": "0", "log.segment.delete.delay.ms": "0",
}


class RealKafka:
    """One broker that lives until `close`; `directory` and `port` make a later one go on with it.

    `brokers` makes them several, `settings` are of the broker. `facts` holds what with-kafka tells
    a command; with `secure`, also about its TLS listeners.
    """

    def __init__(self, directory=None, port=None, brokers=1, secure=False, **settings):
        self.scratch = tempfile.TemporaryDirectory(prefix="shopmetrics-kafka-")
        facts = Path(self.scratch.name) / "facts"
        settings = {**SETTINGS, **{name.replace("_", "."): settings[name] for name in settings}}
        options = ["--brokers", str(brokers)]
        for name, value in settings.items():
            options += ["--set", f"{name}={value}"]
        if directory:
            options += ["--dir", str(directory)]
        if port:
            options += ["--port", str(port)]
        if secure:
            options += ["--secure"]
        script = f"env | grep ^KAFKA_ > {facts}.new; mv {facts}.new {facts}; exec cat"
        self.process = subprocess.Popen(
            [f"{TESTBED}/with-kafka", *options, "--", "sh", "-c", script],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        wait_until(lambda: self.process.poll() is not None or facts.exists(), "Kafka", 60)
        self.can_run = self.process.poll() != CANNOT
        if facts.exists():
            self.facts = dict(line.split("=", 1) for line in facts.read_text().splitlines())
            self.brokers = self.facts["KAFKA_BOOTSTRAP"]
            self.pids = [int(pid) for pid in self.facts["KAFKA_PIDS"].split()]
            self.pid = self.pids[0]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.scratch.cleanup()

    def tool(self, name, *arguments):
        """What one of Kafka's own tools prints."""
        return subprocess.run(
            [f"{TESTBED}/kafka-tool", name, *arguments], check=True, timeout=60, text=True,
            env={**os.environ, "KAFKA_BOOTSTRAP": self.brokers}, stdout=subprocess.PIPE).stdout
