"""Damaged, unusual and borderline topics: the committed records once, or a stop by name.

The topics are those of hostile_cases.py. Batches of seven offsets lie across the record sets, so
a damage is met in the middle of a batch of the daemon, and behind batches that are committed.
"""

import json
import os
import re
import signal
import time
from base64 import b64decode
from pathlib import Path

import pytest
from broker import Truth, wait_until
from events import encode, event
from hostile_broker import FETCH, HostileBroker
from hostile_cases import CASES, COMPRESSED, good
from invariants import assert_idle_run_writes_nothing, assert_invariants
from kafka_records import Record, batch, compress
from support import BAD_CONFIGURATION, CLEAN, DAMAGED_STATE, KAFKA_UNAVAILABLE, State

TOPIC = "clickstream-events"
BATCH = 7

UNREADABLE = (DAMAGED_STATE, "KAFKA_RECORDS_UNREADABLE")
STALLED = (DAMAGED_STATE, "PARTITION_STALLED")
UNAVAILABLE = (KAFKA_UNAVAILABLE, "KAFKA_UNAVAILABLE")

# case -> exit code, error code, the offset that the text names (None: the topic cannot be reached)
STOPS = {
    "crc-wrong-first": (*UNREADABLE, 0),
    "crc-wrong-middle": (*UNREADABLE, 10),
    "crc-field-wrong": (*UNREADABLE, 10),
    "codec-7": (*UNREADABLE, 0),
    "gzip-is-not-gzip": (*UNREADABLE, 0),
    "format-3": (*UNREADABLE, 0),
    **{f"damaged-{codec}": (*UNREADABLE, 0) for codec in COMPRESSED},
    "out-of-order": (*UNREADABLE, 10),
    "topic-forbidden": (KAFKA_UNAVAILABLE, "KAFKA_AUTHORIZATION", None),
    "no-leader": (*UNAVAILABLE, None),
    "record-length-beyond-batch": (*STALLED, 1),
    "batch-cut-short": (*STALLED, 10),
    "fetch-silent": (*STALLED, 0),
    "length-2-gib": (*UNAVAILABLE, 0),
    "length-garbage": (*UNAVAILABLE, 0),
    "answers-cut": (*UNAVAILABLE, 0),
}
# Offsets that are missing at the end of a batch may be compacted: records that come too late are
# told from those only within a batch.
IN_ONE_BATCH = {"out-of-order"}
MOVED = {"start-below-log", "start-above-end"}  # need a position first: tests of their own below
ABORTS = {name for name, case in CASES.items() if case.outcome == "aborts"}
READ = [name for name, case in CASES.items() if case.outcome == "read"]


def open_state(scratch, broker, stall="2s", limit=BATCH):
    return State(
        scratch, broker.bootstrap, limits={"max_offsets_per_batch": limit},
        kafka={"stall_timeout": stall, "connect_timeout": "3s"})


def serve_good(broker, end):
    """Heals a broker: event N at offset N of partition 0, and no faults any more."""
    fresh = HostileBroker(broker.topic, {0: [good(0, end, codec="gzip")]})
    for name in ("log_start", "end", "last_stable", "aborted", "verbatim", "whole_log", "errors",
                 "partition_errors", "delay", "bytes_per_second", "cut_after", "answer", "silent",
                 "partitions"):
        setattr(broker, name, getattr(fresh, name))


def assert_goes_on(state, broker):
    """The next run has it all, each record once; the one after that finds nothing to do."""
    state.run_once()
    assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))
    assert_idle_run_writes_nothing(state)


def offsets_of(state):
    rows, letters = state.rows()
    return sorted(row["kafka_offset"] for row in rows + letters)


def test_every_hostile_topic_has_its_declared_end():
    assert set(CASES) == {*READ, *STOPS, *MOVED, *ABORTS}


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_there_once(name, scratch):
    case = CASES[name]
    with case.broker(TOPIC) as broker:
        state = open_state(scratch, broker, stall="20s", limit=10_000 if case.faults else BATCH)
        state.run_once()
        broker.delay, broker.bytes_per_second = {}, None
        truth = Truth.read(broker.bootstrap, TOPIC)
        assert sorted(offset for _, offset in truth.records) == case.offsets
        assert offsets_of(state) == case.offsets
        if case.offsets:
            assert_invariants(state, truth)
        assert_idle_run_writes_nothing(state)


@pytest.mark.parametrize("name", STOPS)
def test_what_cannot_be_read_stops_the_run_by_name(name, scratch):
    code, error, offset = STOPS[name]
    with CASES[name].broker(TOPIC) as broker:
        end, limit = broker.end_of(0), 100 if name in IN_ONE_BATCH else BATCH
        state = open_state(scratch, broker, limit=limit)
        outcome = state.run_once(expect=code)
        assert f"[{error}]" in outcome.output, outcome.output
        assert TOPIC in outcome.output
        if offset is not None:
            assert f"offset {offset}" in outcome.output, outcome.output
            assert f"{TOPIC}/0" in outcome.output or "partition 0" in outcome.output
        # Whole batches before the damage, nothing of the one that met it.
        committed = (offset or 0) // limit * limit
        assert offsets_of(state) == list(range(committed)), outcome.output
        effect = "the batch before it is committed" if committed else "no table was changed"
        assert effect in outcome.output, outcome.output
        # The range is logged before it is read: a restart knows where it was.
        assert len(state.batches()) == len(state.batches("commits")) + (offset is not None)
        serve_good(broker, end)
        assert_goes_on(state, broker)


def test_a_damage_that_stays_stops_each_run_and_adds_nothing(scratch):
    with CASES["crc-wrong-middle"].broker(TOPIC) as broker:
        state = open_state(scratch, broker)
        state.run_once(expect=DAMAGED_STATE)
        before = state.tree()
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert "[KAFKA_RECORDS_UNREADABLE]" in outcome.output
        assert state.tree() == before
        serve_good(broker, 30)
        assert_goes_on(state, broker)


@pytest.mark.parametrize("name", ABORTS)
def test_a_library_that_may_abort_the_process_loses_nothing(name, scratch):
    """librdkafka 2.0.2 sometimes fails an assertion over such a batch, and the process ends."""
    with CASES[name].broker(TOPIC) as broker:
        end = broker.end_of(0)
        state = open_state(scratch, broker, limit=5000)
        outcome = state.run_once(expect=None)
        assert outcome.code in (DAMAGED_STATE, -signal.SIGABRT), outcome.output
        assert offsets_of(state) == []
        serve_good(broker, end)
        state.run_once()
        assert offsets_of(state) == list(range(end))
        assert_idle_run_writes_nothing(state)


def test_a_process_that_aborts_while_it_reads_leaves_the_next_run_exact(scratch):
    with HostileBroker(TOPIC, {0: [good(0), good(10)]}) as broker:
        state = open_state(scratch, broker, stall="20s")
        broker.verbatim = {0: lambda offset: good(0).data if offset < 10 else b""}
        # The Swift runtime would first print where every thread is.
        quiet = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
        daemon = state.start("run", "--once", env=quiet)
        try:
            # Batch 1 is offsets 7 to 13: of it only 7 to 9 ever come.
            wait_until(lambda: (FETCH, (0, 10)) in broker.requests and 0 in state.batches("commits")
                       and 1 in state.batches(), "the second batch to be under way")
            daemon.send_signal(signal.SIGABRT)
            assert daemon.wait(timeout=10) == -signal.SIGABRT
        finally:
            daemon.kill()
            daemon.communicate()
        assert offsets_of(state) == list(range(BATCH))
        broker.verbatim = {}
        assert_goes_on(state, broker)


@pytest.mark.parametrize("log, error, found", [
    ([good(100)], "KAFKA_DATA_LOSS", "100"),
    ([good(0, 5)], "LOG_TRUNCATED", "5"),
    ([], "LOG_TRUNCATED", "0"),
], ids=["start-below-log", "start-above-end", "emptied"])
def test_a_position_that_the_log_does_not_have_stops_the_run(log, error, found, scratch):
    with HostileBroker(TOPIC, {0: [good(0)]}) as broker:
        state = open_state(scratch, broker)
        state.run_once()
        before = state.tree()
        broker.partitions = {0: log}
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert f"[{error}] {TOPIC}/0: need offset 10, " in outcome.output, outcome.output
        assert f" at {found}" in outcome.output
        assert state.tree() == before
        serve_good(broker, 25)
        assert_goes_on(state, broker)


def test_records_that_vanish_while_they_are_read_stop_the_run(scratch):
    """The broker names offsets at the start of the run that it refuses to serve later."""
    with HostileBroker(TOPIC, {0: [good(0)]}, errors={FETCH: ["always", 1]}) as broker:
        state = open_state(scratch, broker)
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert "[KAFKA_DATA_LOSS] partition 0" in outcome.output and "offset 0" in outcome.output
        assert offsets_of(state) == []
        serve_good(broker, 10)
        assert_goes_on(state, broker)


@pytest.mark.parametrize("name, value", [
    ("check.crcs", "false"), ("auto.offset.reset", "earliest"), ("auto.offset.reset", "latest"),
    ("isolation.level", "read_uncommitted"), ("enable.partition.eof", "false"),
])
def test_what_would_let_damage_pass_cannot_be_configured(name, value, scratch):
    """Without the check flipped bytes are data; with a reset, damage repeats or skips records."""
    with CASES["crc-wrong-middle"].broker(TOPIC) as broker:
        state = open_state(scratch, broker)
        state.configure(kafka={"librdkafka": {name: value}})
        outcome = state.run_once(expect=BAD_CONFIGURATION)
        assert name in outcome.output
        assert not state.bronze.exists() and not broker.requests


BOMB = 20  # MiB: more than a value may have


def bomb(codec, mebibytes):
    """A record set that is small on the way and large in memory."""
    record = Record(b" " * (mebibytes << 20)).encode(0)
    return batch(0, [Record(b"")], codec=codec, payload=compress(codec, record))


def highest_memory(state):
    """A run's highest resident memory in bytes, its exit code, its output."""
    daemon = state.start("run", "--once")
    peak = 0
    while daemon.poll() is None:
        status = Path(f"/proc/{daemon.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        peak = max(peak, int(found[1]) << 10 if found else 0)  # none when it is about to end
        time.sleep(0.005)
    output, _ = daemon.communicate(timeout=30)
    return peak, daemon.returncode, output


@pytest.mark.parametrize("codec", COMPRESSED)
def test_a_bomb_is_one_dead_letter_within_bounded_memory(codec, scratch):
    with HostileBroker(TOPIC, {0: [bomb(codec, BOMB), good(1)]}) as broker:
        assert len(broker.partitions[0][0].data) < 4 << 20
        state = open_state(scratch, broker, stall="20s")
        peak, code, output = highest_memory(state)
        assert code == CLEAN, output
        assert 0 < peak < 256 << 20, f"{peak >> 20} MiB for {BOMB} MiB"
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))
        _, letters = state.rows()
        assert [row["failure_reason"] for row in letters] == ["too_large"]


def test_a_bomb_that_the_library_does_not_unpack_stops_the_run_by_name(scratch):
    """zstd is bounded by receive.message.max.bytes, 100 MB."""
    with HostileBroker(TOPIC, {0: [bomb("zstd", 128)]}) as broker:
        state = open_state(scratch, broker)
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert "[KAFKA_RECORDS_UNREADABLE] partition 0" in outcome.output, outcome.output
        assert "offset 0" in outcome.output and offsets_of(state) == []
        serve_good(broker, 1)
        assert_goes_on(state, broker)


def test_a_record_beyond_the_limit_of_the_client_stops_the_run_by_name(scratch):
    value = encode(event(0, notes="x" * (3 << 20)))
    with HostileBroker(TOPIC, {0: [batch(0, [value]), good(1)]}) as broker:
        state = open_state(scratch, broker)
        state.configure(kafka={"librdkafka": {
            "message.max.bytes": "900000", "fetch.max.bytes": "950000",
            "receive.message.max.bytes": "1000000"}})
        outcome = state.run_once(expect=KAFKA_UNAVAILABLE)
        assert f"[KAFKA_UNAVAILABLE] {TOPIC}/0: no record from offset 0 on" in outcome.output
        assert "receive.message.max.bytes" in outcome.output, outcome.output
        assert offsets_of(state) == []
        del state.settings["kafka"]["librdkafka"]
        state.configure(kafka={"stall_timeout": "20s"})
        assert_goes_on(state, broker)
        assert offsets_of(state) == list(range(11))


def test_keys_and_headers_of_dead_letters_are_kept_as_they_came(scratch):
    headers = [(f"h{n % 10}", bytes([n % 256]) * (n % 50)) for n in range(1000)]
    headers += [("", None), ("ä\n\"", b"\x00\xff"), ("h0", b"")]
    records = [
        Record(b"no", key=None, headers=headers), Record(b"no", key=b""),
        Record(b"no", key=b"\x00\xff\xfe"), Record(b"no", key=b"k" * 1_000_000),
        Record(None, key=b"tombstone")]
    with HostileBroker(TOPIC, {0: [batch(0, records, timestamp=-1)]}) as broker:
        state = open_state(scratch, broker, stall="20s")
        state.run_once()
        _, letters = state.rows()
        letters.sort(key=lambda row: row["kafka_offset"])
        assert [row["raw_key"] for row in letters] == [record.key for record in records]
        assert [row["raw_value"] for row in letters] == [record.value for record in records]
        assert [row["kafka_timestamp"] for row in letters] == [None] * 5
        assert all(not json.loads(row["headers"] or "[]") for row in letters[1:])
        assert as_pairs(letters[0]["headers"]) == headers
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))


def as_pairs(text):
    """The headers column, a JSON array of [name, base64 or null], as a producer gave it."""
    return [(name, None if value is None else b64decode(value, validate=True))
            for name, value in json.loads(text)]


def test_one_damaged_partition_takes_nothing_from_the_others_next_time(scratch):
    with HostileBroker(TOPIC, {0: [good(0)], 1: [good(0), good(10, flip_at=100)],
                               2: [good(0)]}) as broker:
        state = open_state(scratch, broker, limit=100)
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert "partition 1 of topic" in outcome.output and "offset 10" in outcome.output
        assert offsets_of(state) == []
        broker.partitions = {0: [good(0)], 1: [good(0), good(10)], 2: [good(0), good(10, 3)]}
        assert_goes_on(state, broker)
