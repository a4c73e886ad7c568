"""The daemon against a real Kafka: codecs, compaction, transactions, deletions, failures."""

import os
import shutil
import signal
import socket
import subprocess
import time
import uuid

import pytest
from broker import Truth, produce, wait_until
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from events import encode, event, mixed
from invariants import assert_idle_run_writes_nothing, assert_invariants
from real_kafka import MISSING, TESTBED, RealKafka
from support import CLEAN, DAMAGED_STATE, KAFKA_UNAVAILABLE, State

pytestmark = pytest.mark.skipif(not TESTBED, reason=MISSING)
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


@pytest.fixture(scope="module")
def kafka():
    kafka = RealKafka()
    if not kafka.can_run:
        pytest.skip("SKIPPED: the testbed cannot run Kafka on this machine")
    yield kafka
    kafka.close()


@pytest.fixture
def topic(kafka):
    return Topic(kafka.brokers, f"events-{uuid.uuid4().hex[:8]}")


class Topic:
    """A new topic of three partitions, and what is done to it."""

    def __init__(self, brokers, name, partitions=3, replicas=1, **config):
        self.brokers, self.name = brokers, name
        self.admin = AdminClient({"bootstrap.servers": brokers})
        # The tests' records are dated in the past: retention would remove them at any moment.
        config = {"retention.ms": "-1",
                  **{key.replace("_", "."): value for key, value in config.items()}}
        wait = self.admin.create_topics([NewTopic(name, partitions, replicas, config=config)])
        wait[name].result(30)

    def produce(self, records, **properties):
        produce(self.brokers, records, self.name, **properties)

    def delete_before(self, partition, offset):
        place = TopicPartition(self.name, partition, offset)
        for future in self.admin.delete_records([place]).values():
            future.result(30)

    def add_partitions(self, count):
        self.admin.create_partitions([NewPartitions(self.name, count)])[self.name].result(30)

    def truth(self):
        return Truth.read(self.brokers, self.name)

    def state(self, scratch, **settings):
        return State(scratch, self.brokers, self.name,
                     **{"limits": {"max_offsets_per_batch": 200}, **settings})


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_by_kcat(topic, scratch, codec):
    values = b"\n".join(encode(event(n)) for n in range(500))
    subprocess.run(["kcat", "-b", topic.brokers, "-P", "-t", topic.name, "-z", codec], check=True,
                   input=values)
    state = topic.state(scratch)
    state.run_once()
    assert_invariants(state, topic.truth())
    assert len(state.rows()[0]) == 500


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_by_kafkas_own_producer(kafka, topic, scratch, codec):
    payloads = scratch / "payloads"
    payloads.write_bytes(b"\n".join(encode(event(n)) for n in range(50)))
    kafka.tool("ProducerPerformance", "--topic", topic.name, "--num-records", "200",
               "--throughput", "-1", "--payload-file", str(payloads),
               "--command-property", f"compression.type={codec}")
    state = topic.state(scratch)
    state.run_once()
    assert_invariants(state, topic.truth())
    assert len(state.rows()[0]) == 200


def test_a_compacted_topic_ends(kafka, scratch):
    topic = Topic(kafka.brokers, f"compacted-{uuid.uuid4().hex[:8]}", cleanup_policy="compact",
                  segment_ms="100", min_cleanable_dirty_ratio="0.01", delete_retention_ms="0")
    for part in range(4):
        # Null keys are not allowed here; few keys, so that most records are superseded.
        topic.produce([(p, f"k{number % 9}".encode(), value, 0, headers)
                       for number, (p, _, value, _, headers) in
                       enumerate(mixed(100, seed=part, start=100 * part))])
        time.sleep(0.15)  # so that a segment is old enough to be rolled
    wait_until(lambda: len(topic.truth().records) < sum(topic.truth().ends.values()) - 100,
               "compaction", 60)
    time.sleep(1)
    state = topic.state(scratch)
    state.run_once()
    truth = topic.truth()
    rows, letters = state.rows()
    places = {(row["kafka_partition"], row["kafka_offset"]) for row in rows + letters}
    assert truth.records.keys() <= places, "a record that is still there must be a row"
    assert state.tool("verify").code == CLEAN
    assert_idle_run_writes_nothing(state)


def test_committed_and_aborted_transactions(topic, scratch):
    producer = Producer({"bootstrap.servers": topic.brokers, "transactional.id": topic.name})
    producer.init_transactions(30)
    for number in range(12):
        producer.begin_transaction()
        for key in range(40):
            value = encode(event(number * 40 + key, page="kept" if number % 3 else "aborted"))
            producer.produce(topic.name, value, str(key), key % 3)
        producer.flush(30)
        if number % 3:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
    state = topic.state(scratch, limits={"max_offsets_per_batch": 37})
    state.run_once()
    assert_invariants(state, topic.truth())
    assert {row["page"] for row in state.rows()[0]} == {"kept"}
    assert_idle_run_writes_nothing(state)


def test_an_aborted_tail_is_a_batch_and_the_run_ends(topic, scratch):
    producer = Producer({"bootstrap.servers": topic.brokers, "transactional.id": topic.name})
    producer.init_transactions(30)
    producer.begin_transaction()
    for key in range(30):
        producer.produce(topic.name, encode(event(key)), None, key % 3)
    producer.flush(30)
    producer.abort_transaction(30)
    state = topic.state(scratch)
    state.run_once()
    assert_invariants(state, topic.truth())
    assert state.rows() == ([], [])
    assert_idle_run_writes_nothing(state)


def test_deleted_records_before_the_first_run_are_not_missed(topic, scratch):
    topic.produce(mixed(300))
    topic.delete_before(0, 60)
    state = topic.state(scratch)
    state.run_once()
    assert_invariants(state, topic.truth())


def test_retention_that_overtakes_a_stopped_daemon(topic, scratch):
    topic.produce(mixed(300))
    state = topic.state(scratch)
    state.run_once()
    topic.produce(mixed(300, seed=2, start=300))
    before = state.tree()
    topic.delete_before(1, 150)
    outcome = state.run_once(expect=DAMAGED_STATE)
    assert "KAFKA_DATA_LOSS" in outcome.output
    assert f"{topic.name}/1: need offset 100, the broker starts at 150" in outcome.output
    assert state.tree() == before, "a stop changes nothing"

    state.configure(loss={"on_missing_data": "continue"})
    state.run_once()
    _, letters = state.rows()
    lost = [row for row in letters if row["failure_reason"] == "data_loss"]
    assert [(row["kafka_partition"], row["kafka_offset"]) for row in lost] == [(1, 100)]
    assert "100 to 149" in lost[0]["failure_detail"]
    assert state.tool("verify").code == CLEAN
    assert_idle_run_writes_nothing(state)


def test_added_partitions_are_read_from_their_beginning(topic, scratch):
    topic.produce(mixed(90))
    state = topic.state(scratch)
    state.run_once()
    topic.add_partitions(5)
    wait_until(lambda: len(Truth.read(topic.brokers, topic.name).ends) == 5, "five partitions")
    topic.produce(mixed(200, seed=3, start=500, partitions=5))
    state.run_once()
    rows, letters = state.rows()
    truth = topic.truth()
    places = [(row["kafka_partition"], row["kafka_offset"]) for row in rows + letters]
    assert sorted(places) == sorted(truth.records)
    assert state.tool("verify").code == CLEAN


def test_start_by_timestamp(topic, scratch):
    topic.produce(mixed(300))
    cut = min(record.timestamp for (_, offset), record in topic.truth().records.items()
              if offset == 40)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(cut // 1000)) + f".{cut % 1000:03}Z"
    state = topic.state(scratch, kafka={"starting_offsets": stamp})
    state.run_once()
    rows, letters = state.rows()
    expected = {place for place, record in topic.truth().records.items() if record.timestamp >= cut}
    assert {(row["kafka_partition"], row["kafka_offset"]) for row in rows + letters} == expected


def test_a_missing_topic_is_named(kafka, scratch):
    state = State(scratch, kafka.brokers, "no-such-topic", kafka={"connect_timeout": "3s"})
    assert "no-such-topic" in state.run_once(expect=KAFKA_UNAVAILABLE).output


def group_offsets(kafka, group):
    """{(topic, partition): (offset, lag)} as kafka-consumer-groups.sh --describe has it."""
    text = kafka.tool("consumer.group.ConsumerGroupCommand", "--describe", "--group", group)
    rows = [line.split() for line in text.splitlines() if line.startswith(group)]
    return {(row[1], int(row[2])): (int(row[3]), int(row[5])) for row in rows}


def test_the_position_is_mirrored_to_a_consumer_group(kafka, topic, scratch):
    group = f"lag-{topic.name}"
    state = topic.state(scratch, kafka={"mirror_group": group})
    topic.produce(mixed(300))
    state.run_once()
    topic.produce(mixed(30, seed=2, start=300))
    assert group_offsets(kafka, group) == {(topic.name, p): (100, 10) for p in range(3)}
    state.run_once()
    assert group_offsets(kafka, group) == {(topic.name, p): (110, 0) for p in range(3)}
    # The group is told, never asked.
    move_group(topic, group, 5)
    assert_idle_run_writes_nothing(state)
    assert group_offsets(kafka, group) == {(topic.name, p): (110, 0) for p in range(3)}
    assert_invariants(state, topic.truth())


def move_group(topic, group, offset):
    places = [TopicPartition(topic.name, p, offset) for p in range(3)]
    request = ConsumerGroupTopicPartitions(group, places)
    for future in topic.admin.alter_consumer_group_offsets([request]).values():
        future.result(30)


def test_a_group_that_takes_no_offsets_costs_one_warning(topic, scratch):
    group = f"busy-{topic.name}"
    member = Consumer({"bootstrap.servers": topic.brokers, "group.id": group})
    member.subscribe([topic.name])
    wait_until(lambda: member.poll(0.1) or member.assignment(), "the group's member")
    try:
        topic.produce(mixed(300))
        state = topic.state(scratch, kafka={"mirror_group": group})
        state.configure(limits={"max_offsets_per_batch": 100})
        outcome = state.run_once()
        assert outcome.output.count("were not mirrored") == 1, outcome.output
        assert f"consumer group {group}" in outcome.output
        assert_invariants(state, topic.truth())
    finally:
        member.close()


@pytest.fixture
def own_kafka(scratch):
    """A broker that a test may stop for good, on a port and a directory that a second one takes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    directory = scratch / "kafka"
    kafka = RealKafka(directory, port)
    if not kafka.can_run:
        pytest.skip("SKIPPED: the testbed cannot run Kafka on this machine")
    kafka.directory, kafka.port = directory, port
    yield kafka
    kafka.close()


def started_run(topic, scratch, stall, records=30_000, **kafka):
    topic.produce(mixed(records, bad_share=0.01), **{"batch.num.messages": 50})
    state = topic.state(scratch, kafka={"stall_timeout": stall, "connect_timeout": "3s", **kafka},
                        limits={"max_offsets_per_batch": 300})
    daemon = state.start("run", "--once")
    wait_until(lambda: len(state.batches("commits")) > 5, "a few batches")
    return state, daemon


def test_a_frozen_broker_delays_the_run_and_nothing_else(own_kafka, scratch):
    topic = Topic(own_kafka.brokers, "clickstream-events")
    state, daemon = started_run(topic, scratch / "run", "30s")
    os.kill(own_kafka.pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(own_kafka.pid, signal.SIGCONT)
    assert daemon.wait(timeout=60) == CLEAN
    assert_invariants(state, topic.truth())


def test_a_killed_broker_fails_the_run_and_the_next_one_goes_on(own_kafka, scratch):
    topic = Topic(own_kafka.brokers, "clickstream-events")
    state, daemon = started_run(topic, scratch / "run", "2s")
    os.kill(own_kafka.pid, signal.SIGKILL)
    output, _ = daemon.communicate(timeout=60)
    assert daemon.returncode in (CLEAN, KAFKA_UNAVAILABLE), output
    own_kafka.process.stdin.close()
    own_kafka.process.wait(timeout=60)
    second = RealKafka(own_kafka.directory, own_kafka.port)
    try:
        state.run_once()
        assert_invariants(state, Topic.truth(topic))
    finally:
        second.close()
        own_kafka.process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)


@pytest.mark.skipif(not os.environ.get("SHOPMETRICS_ALL_FAULTS"),
                    reason="SKIPPED: three brokers take a minute, see SHOPMETRICS_ALL_FAULTS")
def test_a_leader_that_dies_hands_over_within_the_run(scratch):
    kafka = RealKafka(
        brokers=3, broker_session_timeout_ms="2000", broker_heartbeat_interval_ms="500")
    if not kafka.can_run:
        pytest.skip("SKIPPED: the testbed cannot run Kafka on this machine")
    try:
        topic = Topic(kafka.brokers.split(",")[0], "clickstream-events", replicas=3)
        state, run = started_run(
            topic, scratch, "60s", records=9_000, brokers=kafka.brokers.split(","))
        # Not the first one, which is the controller too.
        os.kill(kafka.pids[2], signal.SIGKILL)
        output, _ = run.communicate(timeout=90)
        assert run.returncode == CLEAN, output
        assert_invariants(state, topic.truth())
    finally:
        kafka.close()


def test_kcat_is_there():
    assert shutil.which("kcat"), "kcat is one of the test packages of the Makefile"
