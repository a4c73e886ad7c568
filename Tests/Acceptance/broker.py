"""The broker of the tests, what is written to it, and what a plain consumer finds in it."""

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

TOPIC = "clickstream-events"
PATIENCE = 30  # seconds: long enough for a busy machine, never waited out when all is well


def wait_until(condition, what, seconds=PATIENCE):
    """Polls `condition` until it returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.01)
    return result


@dataclass(frozen=True)
class Record:
    """A record as a consumer of committed records sees it; timestamp in ms, -1 when unset."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: tuple


@dataclass(frozen=True)
class Truth:
    """Everything visible in a topic, and where each partition began and ended just then."""

    records: dict  # (partition, offset) -> Record
    begins: dict  # partition -> first offset
    ends: dict  # partition -> next offset

    @classmethod
    def read(cls, brokers, topic=TOPIC):
        consumer = Consumer({
            "bootstrap.servers": brokers, "group.id": "truth", "enable.auto.commit": False,
            "isolation.level": "read_committed", "enable.partition.eof": True,
            "auto.offset.reset": "error", "check.crcs": True,
        })
        try:
            metadata = consumer.list_topics(topic, timeout=PATIENCE)
            partitions = sorted(metadata.topics[topic].partitions)
            marks = {
                p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=PATIENCE)
                for p in partitions
            }
            consumer.assign([TopicPartition(topic, p, marks[p][0]) for p in partitions])
            open_partitions = set(partitions)
            records = {}
            deadline = time.monotonic() + PATIENCE
            while open_partitions:
                assert time.monotonic() < deadline, f"{topic}: no end in {open_partitions}"
                for message in consumer.consume(10_000, 0.2):
                    if message.error():
                        # Anything else passes by itself, or the deadline tells.
                        if message.error().code() == KafkaError._PARTITION_EOF:
                            open_partitions.discard(message.partition())
                    elif message.offset() < marks[message.partition()][1]:
                        record = Record(
                            message.partition(), message.offset(), message.key(), message.value(),
                            message.timestamp()[1] if message.timestamp()[0] else -1,
                            tuple(message.headers() or ()))
                        records[record.partition, record.offset] = record
        finally:
            consumer.close()
        begins = {p: low for p, (low, _) in marks.items()}
        return cls(records, begins, {p: high for p, (_, high) in marks.items()})


class EmbeddedBroker:
    """librdkafka's mock cluster in a process of its own, with one topic of three partitions."""

    def __init__(self, executable, topic=TOPIC, partitions=3, brokers=1):
        self.directory = tempfile.TemporaryDirectory(prefix="shopmetrics-broker-")
        port_file = Path(self.directory.name) / "port"
        self.process = subprocess.Popen(
            [executable, "--topic", topic, "--partitions", str(partitions),
             "--brokers", str(brokers), "--port-file", str(port_file)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.PIPE, text=True)
        self.topic = topic
        wait_until(lambda: self.process.poll() is not None or
                   port_file.exists() and port_file.read_text().endswith("\n"),
                   "the broker's address")
        assert self.process.poll() is None, f"{executable} ended with {self.process.returncode}"
        self.brokers = port_file.read_text().strip()
        self.process.stdout.readline()  # the address again

    def command(self, *words):
        """Makes trouble while clients are connected: see EmbeddedBrokerProgram.swift."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer == "ok\n", f"embedded-broker: {words}: {answer}"

    def close(self):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()

    def produce(self, records):
        produce(self.brokers, records, self.topic)

    def truth(self):
        return Truth.read(self.brokers, self.topic)


def produce(brokers, records, topic=TOPIC, **properties):
    """Sends (partition, key, value, timestamp or 0, headers or None) and waits for each."""
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5, **properties})
    failures = []

    def delivered(error, _):
        if error is not None:
            failures.append(error)

    for partition, key, value, timestamp, headers in records:
        optional = {"headers": headers} if headers else {}
        producer.produce(topic, value, key, partition, on_delivery=delivered,
                         timestamp=timestamp, **optional)
        producer.poll(0)
    left = producer.flush(PATIENCE)
    assert not left and not failures, f"{left} records unsent, failures {failures[:3]}"
