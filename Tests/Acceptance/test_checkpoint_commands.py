"""What an operator does to the checkpoint: skip, accept-loss, reset, rebuild; and the tables.

Whatever a command did, each record is afterwards in as many rows as it said, `verify` agrees, and
the daemon goes on by itself.
"""

import json
import os
import pwd
import shutil
import signal
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest
from broker import TOPIC
from events import encode, event, mixed
from hostile_broker import HostileBroker
from invariants import assert_idle_run_writes_nothing, assert_invariants
from kafka_records import batch
from support import BAD_CONFIGURATION, CLEAN, DAMAGED_STATE, LOCKED, State
from test_readers import duckdb_extension

UNAVAILABLE = 69
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def command(state, *words, expect=CLEAN):
    outcome = state.tool(*words)
    assert outcome.code == expect, f"{words} ended with {outcome.code}:\n{outcome.output}"
    return outcome.output


def backups(state):
    return sorted(path.name for path in state.checkpoint.parent.iterdir()
                  if path.name.startswith("clickstream_bronze."))


def without(truth, partition, offsets):
    """The truth as the tables must have it when these offsets were passed over."""
    records = {place: record for place, record in truth.records.items()
               if place[0] != partition or place[1] not in offsets}
    return replace(truth, records=records)


def losses(state):
    _, letters = state.rows()
    return [(row["kafka_partition"], row["kafka_offset"], row["failure_detail"])
            for row in letters if row["failure_reason"] == "data_loss"]


def copies(state):
    """(partition, offset) -> in how many rows it is."""
    rows, letters = state.rows()
    return Counter((row["kafka_partition"], row["kafka_offset"]) for row in rows + letters
                   if row.get("failure_reason") != "data_loss")


def assert_sound(state):
    assert command(state, "verify").startswith(("sound", "note", "silver"))
    assert_idle_run_writes_nothing(state)


@pytest.fixture
def stream(state, broker):
    """Two batches of each hundred offsets, and fresh records behind them."""
    broker.produce(mixed(200))
    state.run_once()
    broker.produce(mixed(90, seed=2, start=200))
    return state


# -- skip

def test_a_dry_run_changes_nothing_and_says_all(stream):
    before = stream.tree()
    text = command(stream, "checkpoint", "skip", "--partition", "1", "--to", "77")
    assert "partition 1: offsets 67 to 76 (10) would be passed over" in text
    assert "add --yes" in text
    text = command(stream, "checkpoint", "reset", "--to", "earliest")
    assert "200 of them already: those would be stored TWICE" in text and "--new-tables" in text
    assert "nothing is lost" in command(stream, "checkpoint", "accept-loss")
    assert stream.tree() == before


def test_skipped_offsets_are_one_letter_and_the_rest_is_read(stream, broker):
    text = command(stream, "checkpoint", "skip", "--partition", "1", "--to", "77", "--yes")
    assert "offsets 67 to 76 (10) are passed over" in text
    assert losses(stream) == [
        (1, 67, "offsets 67 to 76 were skipped by an operator (10 offsets)")]
    (backup,) = backups(stream)
    assert backup in text
    command(stream, "verify")
    stream.run_once()
    assert_invariants(stream, without(broker.truth(), 1, range(67, 77)))
    assert_sound(stream)


def test_a_skip_twice_is_done_once(stream):
    words = "checkpoint", "skip", "--partition", "1", "--from", "67", "--to", "77", "--yes"
    command(stream, *words)
    before = stream.tree()
    assert "the stream is at offset 77" in command(stream, *words, expect=BAD_CONFIGURATION)
    without_from = words[:4] + words[6:]
    assert "nothing to do" in command(stream, *without_from)
    assert stream.tree() == before


@pytest.mark.parametrize("words, reason", [
    (("--partition", "1", "--to", "98"), "partition 1 ends at offset 97"),
    (("--partition", "1", "--to", "60"), "the stream is at offset 67, behind 60"),
    (("--partition", "3", "--to", "60"), "partition 3 is none of the topic's"),
    (("--partition", "1", "--from", "80", "--to", "79"), "is at offset 67, behind 79"),
    (("--partition", "1", "--from", "60", "--to", "80"), "are in the tables already"),
])
def test_what_cannot_be_skipped(stream, words, reason):
    before = stream.tree()
    for confirmation in ((), ("--yes",)):
        text = command(stream, "checkpoint", "skip", *words, *confirmation,
                       expect=BAD_CONFIGURATION)
        assert "[SKIP_RANGE]" in text and reason in text
    assert stream.tree() == before


def test_commands_need_a_stream_the_lock_and_the_brokers(state, broker, scratch):
    words = "checkpoint", "skip", "--partition", "0", "--to", "1", "--yes"
    broker.produce(mixed(9))
    state.directory.mkdir()
    assert "[NO_STREAM]" in command(state, *words, expect=BAD_CONFIGURATION)
    state.run_once()
    daemon = state.start()
    try:
        for line in daemon.stdout:
            if "ready" in line:
                break
        text = command(state, *words, expect=LOCKED)
        assert f"(pid {daemon.pid})" in text and "stop it first" in text
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=20)
    broker.close()
    state.configure(kafka={"connect_timeout": "1s"})
    before = state.tree()
    assert "[KAFKA_UNAVAILABLE]" in command(state, *words, expect=UNAVAILABLE)
    assert state.tree() == before


# -- a batch that is logged and cannot be read

def poisoned(scratch):
    """A partition of four batches, of which the second cannot be read; the third was logged."""
    good = [batch(base, [b"{}"] * 10) for base in (0, 10, 20, 30)]
    torn = bytearray(good[1].data)
    torn[-3] ^= 0xFF
    broker = HostileBroker(TOPIC, {0: [good[0]]}).start()
    state = State(scratch, broker.bootstrap, kafka={"stall_timeout": "1s"},
                  silver={"enabled": False})
    state.run_once()
    broker.partitions = {0: good}
    parts = [good[0].data, bytes(torn), good[2].data, good[3].data]
    broker.verbatim = {0: lambda offset: b"".join(parts[offset // 10:])}
    return state, broker


def test_a_pending_batch_with_an_unreadable_record(scratch):
    state, broker = poisoned(scratch)
    try:
        quiet = {"SWIFT_BACKTRACE": "enable=no"}
        assert state.run_once(expect=None, environment=quiet).code != CLEAN
        assert state.batches() == [0, 1] and state.batches("commits") == [0]
        text = command(state, "checkpoint", "skip", "--partition", "0", "--to", "20", "--yes")
        assert "batch 1 was logged and not committed" in text
        assert state.logged_offsets(1)[1] == {0: 20}
        state.run_once()
        assert sorted(offset for _, offset in copies(state)) == [*range(10), *range(20, 40)]
        assert losses(state) == [
            (0, 10, "offsets 10 to 19 were skipped by an operator (10 offsets)")]
        assert_sound(state)
    finally:
        broker.stop()


def test_what_is_in_front_of_an_unreadable_record_is_read(scratch):
    """The batch stops in front of the record, instead of behind it where it can never be read."""
    good = [batch(base, [b"{}"] * 10) for base in (0, 10, 20, 30)]
    torn = bytearray(good[2].data)
    torn[-3] ^= 0xFF
    with HostileBroker(TOPIC, {0: good[:1]}) as broker:
        state = State(
            scratch, broker.bootstrap, kafka={"stall_timeout": "1s"}, silver={"enabled": False})
        state.run_once()
        broker.partitions = {0: good}
        parts = [good[0].data, good[1].data, bytes(torn), good[3].data]
        broker.verbatim = {0: lambda offset: b"".join(parts[offset // 10:])}
        assert state.run_once(expect=None, environment={"SWIFT_BACKTRACE": "enable=no"}).code
        words = "checkpoint", "skip", "--partition", "0", "--from", "20", "--to", "30"
        before = state.tree()
        assert "offsets 10 to 19 (10) come first" in command(state, *words)
        assert state.tree() == before
        text = command(state, *words, "--yes")
        assert "give this command again" in text and state.logged_offsets(1)[1] == {0: 20}
        assert losses(state) == [] and len(copies(state)) == 10
        # The run reads what the command has logged, and stops at the record again.
        assert state.run_once(expect=None, environment={"SWIFT_BACKTRACE": "enable=no"}).code
        assert sorted(offset for _, offset in copies(state)) == [*range(20)]
        command(state, *words, "--yes")
        state.run_once()
        assert sorted(offset for _, offset in copies(state)) == [*range(20), *range(30, 40)]
        assert losses(state) == [
            (0, 20, "offsets 20 to 29 were skipped by an operator (10 offsets)")]
        assert_sound(state)


# -- accept-loss

@pytest.fixture
def overtaken(scratch):
    """Retention has taken offsets 10 to 19 and 10 to 14 of two partitions that stood at 10."""
    logs = {p: [batch(base, [b"{}"] * 5) for base in range(0, 30, 5)] for p in range(3)}
    with HostileBroker(TOPIC, {p: log[:2] for p, log in logs.items()}) as broker:
        state = State(scratch, broker.bootstrap, silver={"enabled": False})
        state.run_once()
        broker.partitions = {0: logs[0][4:], 1: logs[1][3:], 2: logs[2]}
        assert "KAFKA_DATA_LOSS" in state.run_once(expect=DAMAGED_STATE).output
        yield state, broker


def test_accepted_losses_are_one_batch_with_a_letter_each(overtaken):
    state, broker = overtaken
    text = command(state, "checkpoint", "accept-loss")
    assert "partition 0: offsets 10 to 19 (10)" in text
    assert "partition 1: offsets 10 to 14 (5)" in text and "partition 2" not in text
    command(state, "checkpoint", "accept-loss", "--yes")
    assert losses(state) == [
        (0, 10, "offsets 10 to 19 are no longer on the broker (10 offsets)"),
        (1, 10, "offsets 10 to 14 are no longer on the broker (5 offsets)")]
    assert state.batches("commits") == [0, 1]
    state.run_once()
    assert copies(state) == Counter(
        {(p, o): 1 for p in range(3) for o in range(30)
         if o not in {0: range(10, 20), 1: range(10, 15)}.get(p, ())})
    assert_sound(state)


def test_the_loss_of_one_partition_alone(overtaken):
    state, broker = overtaken
    command(state, "checkpoint", "accept-loss", "--partition", "1", "--yes")
    assert [loss[0] for loss in losses(state)] == [1]
    assert "/0: need offset 10" in state.run_once(expect=DAMAGED_STATE).output
    command(state, "checkpoint", "accept-loss", "--yes")
    state.run_once()
    assert_sound(state)


# -- reset

def test_a_reset_that_goes_back_stores_twice_and_verify_knows(stream, broker):
    old = stream.query_id()
    text = command(stream, "checkpoint", "reset", "--to",
                   json.dumps({TOPIC: {"0": 50, "1": -2, "2": 66}}), "--yes")
    assert "up to 84 of them already: those are stored TWICE" in text
    (backup,) = backups(stream)
    assert stream.query_id() != old and stream.batches() == []
    assert json.loads((stream.checkpoint.parent / backup / "metadata").read_text())["id"] == old
    command(stream, "verify")
    stream.run_once()
    truth = broker.truth()
    twice = {(0, o) for o in range(50, 67)} | {(1, o) for o in range(67)}
    assert copies(stream) == Counter(
        {place: 2 if place in twice else 1 for place in truth.records})
    assert_sound(stream)
    command(stream, "verify", "--deep")
    # And once more, from a stream that was reset before.
    command(stream, "checkpoint", "reset", "--to", "earliest", "--yes")
    broker.produce(mixed(30, seed=5, start=900))
    stream.run_once()
    fresh = broker.truth().records.keys() - truth.records.keys()
    assert copies(stream) == Counter(
        {place: 1 if place in fresh else 3 if place in twice else 2
         for place in broker.truth().records})
    rows, _ = stream.rows()
    assert len({row["ingested_at"] for row in rows}) > 6, "each batch has a time of its own"
    assert_sound(stream)


@pytest.mark.skipif(FAKETIME is None, reason="SKIPPED: libfaketime is not installed, so the clock "
                                             "cannot be set back")
def test_a_reset_never_goes_back_in_time(state, broker):
    """The clock may: the rows of the new query are later than those of the old one."""
    broker.produce(mixed(30))
    # As in test_clock.py, a program comes before the daemon.
    state.run_once(wrapper=["env"], environment={
        "LD_PRELOAD": str(FAKETIME), "FAKETIME": "+2d", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1"})
    newest = max(row["ingested_at"] for row in state.rows()[0])
    assert newest > datetime.now(timezone.utc) + timedelta(days=1)
    command(state, "checkpoint", "reset", "--to", "earliest", "--yes")
    state.run_once()
    rows, _ = state.rows()
    later = [row for row in rows if row["ingested_at"] > newest]
    assert 2 * len(later) == len(rows)


def test_letters_of_a_stream_that_was_reset_are_decoded_again(state, broker):
    state.configure(limits={"max_value": "1KiB"})
    big = encode(event(1, page="x" * 2000))
    broker.produce([(0, None, big, 0, None), *mixed(30, bad_share=0)])
    state.run_once()
    command(state, "checkpoint", "reset", "--to", "earliest", "--yes")
    state.configure(limits={"max_value": "1MiB"})
    retry = "dead-letters", "retry", "--reason", "too_large", "--yes"
    command(state, *retry)
    command(state, "verify")
    state.configure(limits={"max_value": "1KiB"})
    state.run_once()
    assert_sound(state)
    state.configure(limits={"max_value": "1MiB"})
    command(state, *retry)
    assert copies(state) == Counter(dict.fromkeys(broker.truth().records, 2))
    assert state.rows()[1] == []
    broker.produce(mixed(30, seed=3, start=100))
    state.run_once()
    assert_sound(state)


def test_retries_around_a_reset_are_of_their_stream(state, broker):
    def run_and_retry(number):
        state.configure(limits={"max_value": "1KiB"})
        broker.produce([(0, None, encode(event(number + n, padding="x" * 2000)), 0, None)
                        for n in range(3)])
        state.run_once()
        state.configure(limits={"max_value": "1MiB"})
        command(state, "dead-letters", "retry", "--reason", "too_large", "--yes")
        command(state, "verify")

    state.directory.mkdir()
    run_and_retry(0)
    run_and_retry(10)
    command(state, "checkpoint", "reset", "--to", "earliest", "--yes")
    command(state, "verify")
    run_and_retry(20)
    state.run_once()
    assert_sound(state)


def test_letters_of_two_streams_in_one_retry(state, broker):
    state.configure(limits={"max_value": "1KiB"})
    broker.produce([(0, None, encode(event(padding="x" * 2000)), 0, None)])
    state.run_once()
    command(state, "checkpoint", "reset", "--to", "earliest", "--yes")
    state.run_once()
    state.configure(limits={"max_value": "1MiB"})
    command(state, "dead-letters", "retry", "--all", "--yes")
    assert copies(state) == {(0, 0): 2}
    state.run_once()
    assert_sound(state)


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_reset_behind_batches_of_another_program(stream, broker, goes_on):
    forget_accounting(stream)
    if goes_on:
        stream.run_once()
    command(stream, "verify")
    command(stream, "checkpoint", "reset", "--to", "earliest", "--yes")
    command(stream, "verify")
    stream.run_once()
    assert "its rows are not counted" in command(stream, "verify")
    forget_accounting(stream)
    command(stream, "verify")
    assert_idle_run_writes_nothing(stream)


def forget_accounting(state):
    """Makes the newest batch one of another program, such as Spark."""
    entry = sorted((state.bronze / "_delta_log").glob("*.json"))[-1]
    lines = [json.loads(line) for line in entry.read_text().splitlines()]
    for line in lines:
        line.get("commitInfo", {}).pop("shopmetrics", None)
    entry.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_reset_that_only_goes_on_is_a_skip(stream, broker):
    old = stream.query_id()
    command(stream, "checkpoint", "reset", "--to", "latest", "--yes")
    assert stream.query_id() == old
    assert [loss[:2] for loss in losses(stream)] == [(0, 67), (1, 67), (2, 66)]
    broker.produce(mixed(30, seed=5, start=900))
    stream.run_once()
    truth = broker.truth()
    for partition, begin in ((0, 67), (1, 67), (2, 66)):
        truth = without(truth, partition, range(begin, begin + 30))
    assert copies(stream) == Counter(dict.fromkeys(truth.records, 1))
    assert_sound(stream)


def test_a_reset_both_ways(stream, broker):
    command(stream, "checkpoint", "reset", "--to",
            json.dumps({TOPIC: {"0": 0, "1": -1, "2": 66}}), "--yes")
    assert [loss[:2] for loss in losses(stream)] == [(1, 67)]
    stream.run_once()
    truth = without(broker.truth(), 1, range(67, 97))
    assert copies(stream) == Counter(
        {place: 2 if place[0] == 0 and place[1] < 67 else 1 for place in truth.records})
    assert_sound(stream)


def test_resets_that_are_refused(stream):
    before = stream.tree()
    other = json.dumps({"other": {"0": 1, "1": 1, "2": 1}})
    assert '"other"' in command(stream, "checkpoint", "reset", "--to", other, "--yes",
                                expect=BAD_CONFIGURATION)
    part = json.dumps({TOPIC: {"0": 1}})
    assert "no offset for partition 1" in command(
        stream, "checkpoint", "reset", "--to", part, "--yes", expect=BAD_CONFIGURATION)
    assert stream.tool("checkpoint", "reset", "--to", "yesterday").code == 64
    assert stream.tree() == before


def test_new_tables_hold_everything_once_and_the_old_ones_stay(stream, broker):
    before = stream.tree()
    directory = stream.root / "again"
    words = "checkpoint", "reset", "--to", "earliest", "--new-tables", str(directory)
    text = command(stream, *words)
    assert "290 offsets to read" in text and not directory.exists()
    assert f'state_directory = "{directory}"' in command(stream, *words, "--yes")
    assert stream.tree() == before
    again = stream.copy(stream.root / "other")
    shutil.rmtree(again.directory)
    directory.rename(again.directory)
    again.configure(kafka={"starting_offsets": "latest"})
    again.run_once()
    assert_invariants(again, broker.truth())
    assert_sound(again)
    text = command(stream, *words[:-1], str(again.directory), expect=BAD_CONFIGURATION)
    assert "[STATE_DIRECTORY]" in text and "in use" in text


# -- rebuild

def lose(state):
    shutil.rmtree(state.checkpoint)


def cut(state):
    newest = state.checkpoint / "offsets" / str(state.batches()[-1])
    newest.write_bytes(newest.read_bytes()[:-5])


def lose_identity(state):
    (state.checkpoint / "metadata").unlink()


def restore_old(state):
    for folder in ("offsets", "commits"):
        for number in state.batches(folder)[-2:]:
            (state.checkpoint / folder / str(number)).unlink()


@pytest.mark.parametrize("harm", [lose, cut, lose_identity, restore_old])
def test_a_checkpoint_made_again(stream, broker, harm):
    stream.run_once()
    old, kept = stream.query_id(), {n: stream.logged_offsets(n) for n in stream.batches()}
    initial = stream.initial_offsets()
    broker.produce(mixed(60, seed=7, start=700))
    harm(stream)
    stream.run_once(expect=DAMAGED_STATE)
    before = stream.tree()
    assert f"query {old}, batches 0 to {max(kept)}" in command(stream, "checkpoint", "rebuild")
    assert stream.tree() == before
    command(stream, "checkpoint", "rebuild", "--yes")
    assert stream.query_id() == old and stream.initial_offsets() == initial
    assert {n: stream.logged_offsets(n) for n in stream.batches()} == kept
    assert len(backups(stream)) == (0 if harm is lose else 1)
    assert '"recoveryRow":"B"' in command(stream, "checkpoint", "show", "--json")
    stream.run_once()
    assert_invariants(stream, broker.truth())
    assert_sound(stream)


def test_partitions_that_came_later_are_no_beginning(scratch):
    logs = {p: [batch(base, [b"{}"] * 5) for base in (0, 5)] for p in range(3)}
    with HostileBroker(TOPIC, {p: logs[p] for p in (0, 1)}) as broker:
        state = State(scratch, broker.bootstrap, silver={"enabled": False})
        state.run_once()
        broker.partitions = logs
        state.run_once()
        initial = state.initial_offsets()
        lose(state)
        command(state, "checkpoint", "rebuild", "--yes")
        assert state.initial_offsets() == initial == {0: 0, 1: 0}
        assert_sound(state)


def test_the_checkpoint_of_another_stream_says_nothing(stream, broker, scratch):
    other = State(scratch / "other", broker.brokers,
                  kafka={"starting_offsets": json.dumps({TOPIC: {"0": 80, "1": 80, "2": 80}})})
    other.run_once()
    initial = stream.initial_offsets()
    lose(stream)
    shutil.copytree(other.checkpoint, stream.checkpoint)
    assert "[QUERY_CHANGED]" in stream.run_once(expect=DAMAGED_STATE).output
    command(stream, "checkpoint", "rebuild", "--yes")
    assert stream.initial_offsets() == initial
    stream.run_once()
    assert_invariants(stream, broker.truth())
    assert_sound(stream)


def test_a_sound_checkpoint_is_not_made_again(stream):
    before = stream.tree()
    text = command(stream, "checkpoint", "rebuild", "--yes", expect=BAD_CONFIGURATION)
    assert "[CHECKPOINT_SOUND]" in text
    assert stream.tree() == before


def test_a_table_that_lost_a_batch_does_not_make_a_checkpoint(stream):
    stream.run_once()
    log = stream.bronze / "_delta_log"
    sorted(log.glob("*.json"))[-1].unlink()
    cut(stream)
    before = stream.tree()
    text = command(stream, "checkpoint", "rebuild", "--yes", expect=DAMAGED_STATE)
    assert "[REBUILD_IMPOSSIBLE]" in text and "the table lost what was committed" in text
    assert stream.tree() == before


def test_a_checkpoint_lost_behind_a_reset_is_not_guessed(stream):
    command(stream, "checkpoint", "reset", "--to", "earliest", "--yes")
    lose(stream)
    text = command(stream, "checkpoint", "rebuild", "--yes", expect=DAMAGED_STATE)
    assert "[REBUILD_IMPOSSIBLE]" in text and "put the newest copy that the reset kept" in text
    # As the message says: the reset is undone, and done again.
    (kept,) = backups(stream)
    (stream.checkpoint.parent / kept).rename(stream.checkpoint)
    command(stream, "checkpoint", "reset", "--to", "earliest", "--yes")
    stream.run_once()
    assert_sound(stream)


# -- tables

def test_tables_says_what_there_is_to_query(stream):
    stream.run_once()
    found = {table["name"]: table for table in json.loads(command(stream, "tables", "--json"))}
    rows, letters = stream.rows()
    assert found["bronze.clickstream_raw"]["rows"] == len(rows)
    assert found["bronze.clickstream_dead_letter"]["rows"] == len(letters)
    assert {"silver.clickstream_sessions", "silver.clickstream_events"} < found.keys()
    for table in found.values():
        assert table["oldestVersion"] <= table["version"] and table["files"] > 0
    (line,) = [line for line in command(stream, "tables").splitlines()
               if line.startswith("query") and "clickstream_raw" in line]
    query = line.split('"')[1]
    connection = duckdb.connect()
    connection.execute(f"LOAD '{duckdb_extension()}'")
    assert len(connection.sql(query).to_arrow_table()) == len(rows)


def test_no_tables_yet(state):
    assert command(state, "tables").strip() == "no tables yet"
    assert command(state, "tables", "--json").strip() == "[]"


# -- whose files they are

@pytest.mark.skipif(os.geteuid() != 0, reason="SKIPPED: only root can act for another user")
def test_what_root_does_is_the_services(stream):
    """The daemon's user must be able to replace what a command of root's has written."""
    nobody = pwd.getpwnam("nobody")
    stream.root.chmod(0o755)
    for path in [stream.directory, *stream.directory.rglob("*")]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    command(stream, "checkpoint", "skip", "--partition", "1", "--to", "77", "--yes")
    command(stream, "checkpoint", "reset", "--to", "earliest", "--yes")
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in stream.directory.rglob("*")}
    assert owners == {(nobody.pw_uid, nobody.pw_gid)}
