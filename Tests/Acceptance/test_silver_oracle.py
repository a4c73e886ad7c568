"""The tests of Silver, tested: the SQL against a second opinion, and what the histories contain."""

import random
from collections import Counter

import pyarrow as pa
import pytest
from silver_bronze import bronze_table
from silver_generator import DAY, LAST_TIME, MINUTE, SECOND, generate
from silver_model import sessions, unique_events, visitor
from silver_sql import SESSION_COLUMNS, Oracle, difference, plain, sorted_events, sorted_sessions

NOW = 1_790_000_000 * SECOND
SEEDS = range(150)
GAP = 30 * MINUTE
SCHEMA = pa.schema(list(SESSION_COLUMNS.items()))


@pytest.fixture(scope="module")
def histories():
    return [generate(seed, NOW) for seed in SEEDS]


@pytest.fixture(scope="module")
def oracle():
    return Oracle()


def by_sql(oracle, rows, gap=GAP):
    return oracle.recompute(plain(bronze_table(rows)), gap)


def row(number=0, **changes):
    fields = {
        "event_id": f"e{number}", "customer_id": "c", "product_id": None,
        "event_type": "page_view", "session_id": "s", "page": "/", "event_ts": NOW,
        "kafka_topic": "t", "kafka_partition": 0, "kafka_offset": number,
        "kafka_timestamp": None, "ingested_at": NOW, "rescued_data": None,
    }
    return {**fields, **changes}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sql_agrees_with_a_plain_pass_over_sorted_lists(oracle, histories, seed):
    history = histories[seed]
    found, events = by_sql(oracle, history.rows(), history.gap)
    expected = pa.Table.from_pylist(list(sessions(history.rows(), history.gap).values()), SCHEMA)
    assert difference(found, sorted_sessions(expected), ["session_id"]) == []
    unique = plain(bronze_table(unique_events(history.rows())))
    assert difference(events, sorted_events(unique), ("kafka_partition", "kafka_offset")) == []


def test_the_order_of_the_rows_does_not_matter(oracle, histories):
    for history in histories[:30]:
        rows = history.rows()
        shuffled = random.Random(history.seed).sample(rows, len(rows))
        assert by_sql(oracle, rows, history.gap)[0].equals(by_sql(oracle, shuffled, history.gap)[0])


def test_a_pause_of_exactly_the_gap_does_not_split(oracle):
    for pause, count in ((GAP - 1, 1), (GAP, 1), (GAP + 1, 2)):
        found, _ = by_sql(oracle, [row(0), row(1, event_ts=NOW + pause)])
        assert len(found) == count, pause


def test_the_survivor_is_the_first_by_ingestion_then_partition_then_offset(oracle):
    copies = [row(0, ingested_at=NOW + 1), row(5, kafka_partition=1), row(4), row(3, page="/first")]
    copies = [{**copy, "event_id": "same"} for copy in copies]
    _, events = by_sql(oracle, copies)
    assert [event["page"] for event in events.to_pylist()] == ["/first"]


def test_other_visitors_times_and_ids_are_no_duplicates(oracle):
    rows = [row(0, event_id="same"), row(1, event_id="same", event_ts=NOW + 1),
            row(2, event_id="same", customer_id="d"), row(3, event_id="other")]
    _, events = by_sql(oracle, rows)
    assert len(events) == 4


def test_an_id_used_by_both_sorts_of_visitors_is_one_visitor(oracle):
    found, _ = by_sql(oracle, [row(0, customer_id=None, session_id="7"), row(1, customer_id="7")])
    (session,) = found.to_pylist()
    assert (session["customer_id"], session["event_count"]) == ("7", 2)


def test_the_ends_of_time_are_times_like_others(oracle):
    found, _ = by_sql(oracle, [row(0, event_ts=LAST_TIME), row(1, event_ts=-1)])
    assert [(s["session_id"], s["session_date"]) for s in found.to_pylist()] == \
        [("c--1", -1), (f"c-{LAST_TIME}", LAST_TIME // DAY)]


DAMAGES = {
    "a session is missing": lambda t: t.slice(1),
    "a session is there twice": lambda t: pa.concat_tables([t, t.slice(0, 1)]),
    "a count is wrong": lambda t: changed(t, "event_count", lambda value: value + 1),
    "a customer is lost": lambda t: changed(t, "customer_id", lambda value: None),
    "a start is a microsecond off": lambda t: changed(t, "first_event_ts", lambda v: v + 1),
    "a purchase is not seen": lambda t: changed(t, "converted", lambda value: not value),
}


def changed(table, name, change):
    values = table[name].to_pylist()
    column = pa.array([change(values[0]), *values[1:]], table.schema.field(name).type)
    return table.set_column(table.schema.get_field_index(name), name, column)


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_comparison_sees_that(oracle, damage):
    expected, _ = by_sql(oracle, [row(0), row(1, event_ts=NOW + DAY)])
    found = sorted_sessions(DAMAGES[damage](expected))
    assert difference(found, expected, ["session_id"])


def test_the_histories_contain_what_they_promise(histories):
    """Over all seeds; a single one may be without any of it."""
    seen = Counter()
    for history in histories:
        rows = history.rows()
        seen["growing"] += grows(history)
        seen["several runs"] += len(history.runs) > 1
        seen["anonymous"] += any(r["customer_id"] is None for r in rows)
        seen["both"] += bool({r["customer_id"] for r in rows}
                             & {visitor(r) for r in rows if r["customer_id"] is None})
        seen["future"] += any(r["event_ts"] > NOW for r in rows)
        seen["before 1970"] += any(r["event_ts"] < 0 for r in rows)
        seen.update(pauses(history))
        seen.update(duplicates(rows))
        seen["merging"] += bool(vanished(history))
    assert all(seen[name] >= least for name, least in {
        "growing": 30, "several runs": 80, "anonymous": 50, "both": 20, "future": 30,
        "before 1970": 20, "pause of the gap": 500, "pause above": 500, "pause below": 200,
        "equal times": 300, "equal duplicates": 150, "other content": 150, "merging": 40,
    }.items()), seen


def test_up_to_a_third_of_the_events_are_late(histories):
    shares = [late_share(history) for history in histories if len(history.rows()) >= 40]
    assert max(shares) > 0.2 and sum(shares) / len(shares) > 0.05, shares


def late_share(history):
    """Events that come more than a minute after a younger one of the same history."""
    newest, late = 0, 0
    rows = [r for r in history.rows() if r["event_ts"] <= NOW]
    for event in rows:
        late += event["event_ts"] < newest - MINUTE
        newest = max(newest, event["event_ts"])
    return late / len(rows)


def grows(history):
    """Whether a partition appears only in the second half of the arrivals."""
    rows = history.rows()
    half = len(rows) // 2
    return bool({r["kafka_partition"] for r in rows[half:]}
                - {r["kafka_partition"] for r in rows[:half]})


def pauses(history):
    times = {}
    for event in unique_events(history.rows()):
        times.setdefault(visitor(event), []).append(event["event_ts"])
    names = {history.gap: "pause of the gap", history.gap + 1: "pause above",
             history.gap - 1: "pause below", 0: "equal times"}
    found = Counter()
    for of_visitor in map(sorted, times.values()):
        found.update(names.get(b - a) for a, b in zip(of_visitor, of_visitor[1:]))
    return found


def duplicates(rows):
    content = {}
    found = Counter()
    for event in rows:
        key = visitor(event), event["event_ts"], event["event_id"]
        told = event["event_type"], event["page"], event["customer_id"]
        if key in content:
            found["equal duplicates" if content[key] == told else "other content"] += 1
        content.setdefault(key, told)
    return found


def vanished(history):
    """Sessions that a later run joins to an earlier one or moves the beginning of."""
    rows, before, gone = [], set(), set()
    for run in history.runs:
        rows += [event for version in run for event in version]
        now = set(sessions(rows, history.gap))
        gone |= before - now
        before = now
    return gone
