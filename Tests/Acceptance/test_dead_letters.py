"""Dead letters: looked at, and decoded again after the limits or the columns were corrected.

A record is in exactly one of the two tables before and after, also when the retry or what follows
is cut off anywhere; Silver counts it.
"""

import json
import random
import sys

import pytest
from broker import EmbeddedBroker, produce, wait_until
from delta_replay import replay
from events import BASE_MS, encode, event, mixed
from invariants import assert_idle_run_writes_nothing, assert_invariants
from silver_inspection import assert_silver
from support import (
    CLEAN,
    DAMAGED_STATE,
    KILLED,
    LOCKED,
    MEASURE,
    RETRY,
    State,
    age,
    binary,
    build_tracer,
    execute,
)
from test_readers import READERS

LOW = {"max_value": "1KiB", "max_json_depth": 8}
HIGH = {"max_value": "16MiB", "max_json_depth": 1024}
USAGE = 64


def records(count=240):
    """Good and bad records, and a third that only a low limit refuses, some of these bad anyway."""
    made = mixed(count, seed=5, bad_share=0.1)
    for number in range(0, count, 3):
        partition, key, _, timestamp, headers = made[number]
        extra = {"padding": "x" * 1500} if number % 2 else {"deep": nested(9)}
        value = encode(event(number, **extra))
        if number % 5 == 0:
            value = value[:-1]  # too large or too deep at first, then no JSON
        made[number] = (partition, key, value, timestamp, headers)
    return made


def nested(depth):
    return [] if depth == 0 else [nested(depth - 1)]


@pytest.fixture(scope="module")
def topic():
    broker = EmbeddedBroker(binary("embedded-broker"))
    broker.produce(records())
    yield broker, broker.truth()
    broker.close()


@pytest.fixture(scope="module")
def ingested(topic, tmp_path_factory):
    """Everything ingested with low limits, in several batches; the limits are corrected since."""
    state = State(tmp_path_factory.mktemp("ingested"), topic[0].brokers,
                  limits={"max_offsets_per_batch": 60, **LOW})
    state.directory.mkdir()
    state.run_once()
    assert_invariants(state, topic[1])
    state.configure(limits=HIGH)
    return state


@pytest.fixture
def state(ingested, scratch):
    return ingested.copy(scratch / "copy")


def retry(state, *arguments, expect=CLEAN):
    outcome = state.tool("dead-letters", "retry", *arguments)
    assert outcome.code == expect, outcome.output
    return outcome.output


def verify(state):
    """The report of a deep verification, which must find nothing."""
    outcome = state.tool("verify", "--deep", "--json")
    report = json.loads(outcome.output)
    assert outcome.code == CLEAN, report["findings"]
    return report


def reasons(state):
    return sorted(row["failure_reason"] for row in state.rows()[1])


# -- retry ---------------------------------------------------------------------------------------


def test_letters_that_can_be_decoded_now_become_events(state, topic):
    before_good, before_dead = state.rows()
    plan = retry(state, "--all")
    assert "Nothing was changed" in plan
    done = retry(state, "--all", "--yes")
    good, dead = state.rows()
    moved = len(good) - len(before_good)
    assert moved == len(before_dead) - len(dead) > 50
    assert f"would add          {moved} rows" in plan and f"{moved} letters are events now" in done
    assert not {"too_large", "too_deep"} & set(reasons(state))
    verify(state)
    state.run_once()
    assert verify(state)["notes"] == []
    assert_invariants(state, topic[1])
    assert_silver(state)
    assert_idle_run_writes_nothing(state)
    assert "Nothing was changed." in retry(state, "--all", "--yes")


def test_a_dry_run_writes_nothing(state):
    before = state.tree()
    retry(state, "--all")
    assert state.tree() == before


def test_only_the_chosen_reason_is_retried(state):
    before = reasons(state)
    retry(state, "--reason", "too_deep", "--yes")
    after = reasons(state)
    assert before.count("too_large") == after.count("too_large") > 10
    assert "too_deep" not in after
    retry(state, "--reason", "too_large", "--yes")
    assert "too_large" not in reasons(state)
    # Those that are no JSON say so now.
    assert reasons(state).count("invalid_json") > before.count("invalid_json")
    verify(state)


def test_coordinates_and_other_letters_stay_as_they_were(state):
    def by_place(rows):
        return {(row["kafka_partition"], row["kafka_offset"]): row for row in rows}
    before = by_place(state.rows()[1])
    retry(state, "--all", "--yes")
    good, dead = map(by_place, state.rows())
    for place in before.keys() & good.keys():
        assert before[place]["kafka_timestamp"] == good[place]["kafka_timestamp"]
        assert before[place]["kafka_topic"] == good[place]["kafka_topic"]
        assert before[place]["ingested_at"] < good[place]["ingested_at"]
    for place, row in dead.items():
        changed = {name for name in row if row[name] != before[place][name]}
        assert changed in (set(), {"failure_reason", "failure_detail"}), changed


def test_totals_go_on_after_a_retry(scratch, broker):
    """New batches between and after retries: the accounting of all of them adds up."""
    broker.produce(records(120))
    state = State(scratch / "own", broker.brokers, limits={"max_offsets_per_batch": 50, **LOW})
    state.directory.mkdir()
    state.run_once()
    state.configure(limits={"max_json_depth": 1024})
    retry(state, "--all", "--yes")
    broker.produce(mixed(60, seed=9, start=5000, bad_share=0.2))
    state.run_once()
    state.configure(limits=HIGH)
    retry(state, "--reason", "too_large", "--yes")
    retry(state, "--all", "--yes")
    broker.produce(mixed(60, seed=10, start=6000, bad_share=0.2))
    state.run_once()
    verify(state)
    assert_invariants(state, broker.truth())
    assert_silver(state)


@pytest.mark.parametrize("arguments", [[], ["--all", "--reason", "too_large"],
                                       ["--reason", "too_big"], ["--reason", "data_loss"]])
def test_a_retry_says_what_it_wants(ingested, arguments):
    outcome = ingested.tool("dead-letters", "retry", *arguments)
    assert outcome.code == USAGE and "shopmetricsctl" in outcome.output


def test_a_state_without_tables_has_nothing_to_retry(scratch, topic):
    state = State(scratch / "empty", topic[0].brokers)
    state.directory.mkdir()
    assert "No letter has that reason." in retry(state, "--all")
    retry(state, "--all", "--yes")
    assert "0 shown" in state.tool("dead-letters", "list").output


def test_a_daemon_at_work_keeps_the_retry_away(state):
    before = state.snapshots()[0].version
    daemon = state.start("run")
    try:
        wait_until(lambda: "running (pid" in state.tool("status").output, "the daemon's lock")
        output = retry(state, "--all", "--yes", expect=LOCKED)
        assert str(daemon.pid) in output and "Nothing was changed" in output
    finally:
        daemon.terminate()
        daemon.communicate(timeout=30)
    assert state.snapshots()[0].version == before


def test_a_declared_column_that_was_corrected_takes_its_letters(scratch, broker):
    broker.produce([(n % 3, None, encode(event(n, price=9.5 if n % 2 else "9.50")),
                     BASE_MS + n, None) for n in range(60)])
    state = State(scratch / "own", broker.brokers)
    state.directory.mkdir()
    state.settings["columns"] = [{"name": "price", "field": "price", "type": "double"}]
    state.configure()
    state.run_once()
    assert reasons(state) == ["wrong_type"] * 30
    state.settings["columns"] = [{"name": "price_text", "field": "price", "type": "string"}]
    state.configure()
    retry(state, "--reason", "wrong_type", "--yes")
    good, dead = state.rows()
    assert len(good) == 60 and not dead
    assert sum(row["price_text"] == "9.50" for row in good) == 30
    assert sum(row["price"] == 9.5 for row in good) == 30
    verify(state)


@pytest.mark.parametrize("reader", READERS)
def test_other_programs_read_the_same_after_a_retry(state, reader):
    retry(state, "--all", "--yes")
    for table, rows in zip((state.bronze, state.dead_letter), state.rows()):
        found, wanted = ([(row["kafka_partition"], row["kafka_offset"]) for row in answer]
                         for answer in (READERS[reader](table), rows))
        assert sorted(found) == sorted(wanted)
    assert replay(state.bronze).metadata["configuration"]["delta.appendOnly"] == "true"


def test_large_letters_take_bounded_memory(scratch, broker):
    """45 letters of 2 MiB that no codec makes small: a retry holds a few of them, never all."""
    state = State(scratch / "own", broker.brokers, silver={"enabled": False},
                  limits={"max_value": "1MiB", "max_batch_bytes": "8MiB"},
                  storage={"row_group_size": "1MiB"})
    state.directory.mkdir()
    for number in range(0, 45, 3):  # the broker keeps 5 MB of a partition
        produce(broker.brokers, [
            (partition, None, encode(event(number + partition, padding=random.Random(
                number + partition).randbytes(1 << 20).hex())), BASE_MS + number, None)
            for partition in range(3)], **{"message.max.bytes": 8 << 20})
        state.run_once()
    assert reasons(state) == ["too_large"] * 45
    state.configure(limits={"max_value": "16MiB"})
    outcome = execute([sys.executable, "-S", "-c", MEASURE,
                       *state.tool_command("dead-letters", "retry", "--all", "--yes")])
    assert "45 letters are events now" in outcome.output, outcome.output
    assert int(outcome.output.split("peak ")[1]) < 64 << 10, "KiB"
    assert len(state.rows()[0]) == 45
    assert retries(state)[0] == retries(state)[1] > 1, "so many bytes take several commits"
    verify(state)


# -- cut off -------------------------------------------------------------------------------------


def traced(tracer, state, *options):
    """The retry under the tracer: its end, and the points that it passed."""
    log = state.root / "points"
    outcome = execute([str(tracer), "--under", str(state.directory), "--log", str(log), *options,
                       "--", *state.tool_command("dead-letters", "retry", "--all", "--yes")])
    return outcome, [line.split(" ", 4) for line in log.read_text().splitlines()]


@pytest.fixture(scope="module")
def cut_off(ingested, tmp_path_factory):
    """A state whose retry died between the commits of the two tables."""
    directory = tmp_path_factory.mktemp("cut")
    tracer = build_tracer(directory)
    outcome, points = traced(tracer, ingested.copy(directory / "recorded"))
    assert outcome.code == CLEAN, outcome.output
    (name,) = [":".join(point[1:4]) for point in points
               if point[2].startswith("link") and "dead_letter/_delta_log/" in point[4]]
    state = ingested.copy(directory / "state")
    assert traced(tracer, state, "--kill", name)[0].code == KILLED
    return state


@pytest.fixture
def pending(cut_off, scratch):
    return cut_off.copy(scratch / "pending")


def retries(state):
    return [table.transactions.get(RETRY) for table in state.snapshots()]


def test_a_retry_that_died_between_the_tables_is_pending(pending):
    assert retries(pending) == [0, None]
    report = verify(pending)
    assert any("retry 0 of dead letters is pending" in note for note in report["notes"])
    assert report["rows"] + report["deadLetters"] == 240


@pytest.mark.parametrize("changed", [{}, LOW, {"max_value": "2KiB"}])
@pytest.mark.parametrize("by", ["daemon", "retry"])
def test_who_starts_next_completes_it(pending, topic, by, changed):
    """From the commit, and never by decoding again: other limits change nothing."""
    pending.configure(limits=changed)
    if by == "daemon":
        assert "retry 0 of dead letters was finished" in pending.run_once().output
    else:
        output = retry(pending, "--reason", "null_value", "--yes")
        assert "retry 0 of dead letters was finished" in output
    assert retries(pending) == [0, 0]
    verify(pending)
    pending.configure(limits=HIGH)
    pending.run_once()
    assert verify(pending)["notes"] == []
    assert_invariants(pending, topic[1])
    assert_silver(pending)


def test_the_clean_up_of_logs_keeps_a_pending_retry(pending, topic):
    """Everything is old and a checkpoint is due: the retry is completed before anything goes."""
    pending.configure(delta={"checkpoint_interval": 2, "log_retention": "1h"})
    age(pending)
    pending.run_once()
    assert retries(pending) == [0, 0]
    verify(pending)


def test_tables_of_different_moments_are_refused(pending, state):
    """The letters' table was restored from before a retry that the other table has."""
    retry(state, "--reason", "too_large", "--yes")
    retry(state, "--reason", "too_deep", "--yes")
    log = state.dead_letter / "_delta_log"
    for path in sorted(log.glob("*.json"))[-2:]:
        path.unlink()
    outcome = state.run_once(expect=DAMAGED_STATE)
    assert "STATE_CONTRADICTS" in outcome.output and "retry 1" in outcome.output
    report = json.loads(state.tool("verify", "--json").output)
    assert "STATE_CONTRADICTS" in {finding["code"] for finding in report["findings"]}


# -- list ----------------------------------------------------------------------------------------


def test_the_newest_letters_are_listed(ingested):
    document = json.loads(ingested.tool("dead-letters", "list", "--json", "--last", "7").output)
    rows = sorted(ingested.rows()[1], key=lambda row: (
        row["ingested_at"], row["kafka_partition"], row["kafka_offset"]), reverse=True)
    assert document["inTable"] == len(rows)
    assert [(letter["partition"], letter["offset"], letter["reason"], letter["detail"])
            for letter in document["letters"]] == [
        (row["kafka_partition"], row["kafka_offset"], row["failure_reason"], row["failure_detail"])
        for row in rows[:7]]
    for letter, row in zip(document["letters"], rows):
        value = row["raw_value"]
        assert letter["value"] is None if value is None else letter["value"]["bytes"] == len(value)


def test_letters_of_one_reason_are_listed(ingested):
    output = ingested.tool("dead-letters", "list", "--reason", "too_deep", "--last", "1000").output
    assert output.count("  too_deep\n") == reasons(ingested).count("too_deep")
    assert "too_large\n" not in output


def test_what_a_letter_holds_can_do_no_harm(scratch, broker):
    value = "\x1b]0;owned\x07\nforged line\u202e ä".encode()
    broker.produce([(0, b"\x1b[2J", value, BASE_MS, None)])
    state = State(scratch / "own", broker.brokers)
    state.directory.mkdir()
    state.run_once()
    for options in ([], ["--json"]):
        output = state.tool("dead-letters", "list", *options).output
        assert not set(output) & {"\x1b", "\x07", "\u202e"}, output
        assert "\nforged line" not in output and "forged line" in output
