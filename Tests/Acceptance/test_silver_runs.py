"""Runs that write Silver: what they need, what they leave alone, what readers see meanwhile."""

import os
import random
import sys
import threading

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import silver_bronze
from broker import produce, wait_until
from delta_replay import replay
from deltalake import DeltaTable, write_deltalake
from invariants import assert_idle_run_writes_nothing
from silver_bronze import SCHEMA, UTC
from silver_generator import DAY, HOUR, LAST_TIME, MINUTE, SECOND, generate, value_of
from silver_inspection import assert_silver
from silver_shop import LONG_AGO, Shop, click, now
from silver_sql import plain
from silver_tables import READERS, delta_of, events_path, sessions_path
from support import CLEAN, KAFKA_UNAVAILABLE, MEASURE

ENORMOUS = 1_200_000  # rows: more than a slice of a batch holds
MOST_MEMORY = 320 << 20  # resident bytes: a row group of delta-rs is a million rows, read as one


@pytest.fixture
def shop(scratch, broker):
    return Shop(scratch, broker.brokers)


def visits(count, begin=LONG_AGO, step=HOUR):
    """So many visitors with two clicks each, one after the other."""
    return [click(f"v-{number}", begin + number * step + pause)
            for number in range(count) for pause in (0, MINUTE)]


# -- idle runs and the clock -----------------------------------------------------------------


def test_an_idle_run_writes_nothing_when_all_is_final(shop):
    shop.tell(*visits(5))
    assert all(row["is_final"] for row in shop.sessions())
    assert_idle_run_writes_nothing(shop.state)
    assert_idle_run_writes_nothing(shop.state)


def test_an_idle_run_writes_nothing_while_sessions_stay_open(shop):
    shop.tell(click("c", now()), click("future", now() + DAY))
    assert not any(row["is_final"] for row in shop.sessions())
    assert_idle_run_writes_nothing(shop.state)


def test_the_clock_closes_a_session_that_nobody_adds_to(shop):
    """One batch that reads nothing: its start is its end."""
    shop.state.configure(silver={"session_gap": "3s", "allowed_lateness": "0s"})
    shop.tell(click("c", now()))
    last = shop.batches()[-1]
    wait_until(lambda: shop.run() and shop.sessions("c")[0]["is_final"], "a final session")
    closing = shop.batches()[-1]
    assert closing.number == last.number + 1 and closing.source == last.source
    assert shop.sessions("c")[0]["updated_at"] == closing.timestamp * 1000
    assert_idle_run_writes_nothing(shop.state)


@pytest.mark.parametrize("future", [DAY, 3650 * DAY, None], ids=["tomorrow", "2036", "9999"])
def test_events_of_the_future_do_not_move_the_watermark(shop, future):
    time = LAST_TIME if future is None else now() + future
    shop.tell(click("c", time), click("c", now() - MINUTE), click("d", now() - 2 * MINUTE))
    assert all(batch.next_watermark * 1000 <= now() - 10 * MINUTE for batch in shop.batches())
    assert [row["is_final"] for row in shop.sessions()] == [False, False, False]
    shop.tell(click("c", time), click("d", now()))
    assert len(shop.sessions("c")) == 2 and len(shop.sessions("d")) == 1


def test_a_final_session_is_open_again_when_it_goes_on(shop):
    """By an event that is late for nobody but it: the session was taken for closed too early."""
    shop.state.configure(silver={"allowed_lateness": "0s", "session_gap": "1h"})
    begin = now() - 61 * MINUTE
    shop.tell(click("c", begin))
    assert shop.sessions("c")[0]["is_final"]
    shop.tell(click("c", begin + 59 * MINUTE))
    assert shop.spans("c") == [(begin, begin + 59 * MINUTE, 2)]
    assert not shop.sessions("c")[0]["is_final"]


def test_a_session_of_the_near_future_is_found_when_its_time_comes(shop):
    """It was set aside, because nobody would have looked for it among the open ones."""
    shop.state.configure(silver={"session_gap": "2s", "allowed_lateness": "0s"})
    soon = now() + 3 * SECOND
    shop.tell(click("c", soon), click("d", now()))
    wait_until(lambda: now() > soon, "three seconds")
    shop.tell(click("c", soon + SECOND), click("d", now()))
    assert shop.spans("c") == [(soon, soon + SECOND, 2)]
    wait_until(lambda: shop.run() and all(row["is_final"] for row in shop.sessions()), "the end")


# -- what comes from where -------------------------------------------------------------------


def test_silver_goes_on_with_bronze_while_kafka_is_down(shop, broker):
    shop.tell(*visits(2))
    shop.write(click("news", LONG_AGO), click("v-0", LONG_AGO + 2 * MINUTE))
    broker.close()
    shop.state.configure(kafka={"connect_timeout": "1s"})
    shop.state.run_once(expect=KAFKA_UNAVAILABLE)
    assert_silver(shop.state, shop.memory)
    assert len(shop.sessions("news")) == 1 and shop.spans("v-0")[0][2] == 3


def test_silver_can_be_switched_off_and_goes_on_where_it_was(shop):
    shop.tell(*visits(2))
    before = shop.silver_tree()
    shop.state.configure(silver={"enabled": False})
    shop.send(*visits(2, LONG_AGO + DAY))
    shop.state.run_once()
    assert shop.silver_tree() == before
    shop.state.configure(silver={"enabled": True})
    shop.run()
    assert len(shop.sessions()) == 4


def test_commits_without_data_are_passed_over(shop):
    shop.write(*visits(3))
    shop.run()
    before = len(shop.batches())
    DeltaTable(shop.state.bronze).alter.set_table_properties(
        {"delta.logRetentionDuration": "interval 9 days"})
    assert_idle_run_writes_nothing(shop.state)
    for number in range(3):
        shop.write(click("d", LONG_AGO + number * MINUTE))
    shop.run()
    DeltaTable(shop.state.bronze).optimize.compact()
    assert_idle_run_writes_nothing(shop.state)
    shop.write(click("d", LONG_AGO + 5 * MINUTE))
    shop.run()
    assert shop.spans("d") == [(LONG_AGO, LONG_AGO + 5 * MINUTE, 4)]
    assert len(shop.batches()) == before + 2


def test_a_batch_takes_whole_versions_until_it_has_enough_rows(shop):
    shop.state.configure(silver={"max_rows_per_batch": 10})
    for number in range(5):
        shop.write(*(click("c", LONG_AGO + number * HOUR + step) for step in range(4)))
    shop.write(*(click("d", LONG_AGO + step) for step in range(50)))
    shop.run()
    ends = [batch.source["reservoirVersion"] for batch in shop.batches()]
    assert ends[-1] == 7 and len(ends) >= 3, "version 0 made the table, 1 to 6 have the rows"
    assert all(4 <= size <= 50 for size in rows_per_batch(shop)), rows_per_batch(shop)


def rows_per_batch(shop):
    versions = [4] * 5 + [50]
    ends = [batch.source["reservoirVersion"] - 1 for batch in shop.batches()]
    return [sum(versions[begin:end]) for begin, end in zip([0, *ends], ends)]


def test_the_snapshot_is_where_silver_begins_when_the_log_was_cleaned(shop):
    random_source = random.Random(7)
    for number in range(6):
        shop.write(*visits(3, LONG_AGO + number * DAY), source=random_source)
    forget_commits(shop.state.bronze)
    shop.state.configure(silver={"max_rows_per_batch": 5})
    shop.run()
    assert len(shop.sessions()) == 18
    sources = [batch.source for batch in shop.batches()]
    assert sources[0]["isStartingVersion"] and not sources[-1]["isStartingVersion"]
    shop.write(click("v-0", LONG_AGO + 2 * MINUTE))
    shop.run()
    assert shop.spans("v-0")[0][2] == 3


def forget_commits(path, before=None):
    """What log clean-up leaves: a checkpoint, and no commit that it replaces."""
    table = DeltaTable(path)
    table.create_checkpoint()
    for version in range(table.version() if before is None else before):
        (path / "_delta_log" / f"{version:020}.json").unlink()


@pytest.mark.parametrize("seed", range(6))
def test_a_long_history_in_small_batches_with_a_small_cache(shop, seed):
    """Duplicates that the cache has forgotten are found in the files."""
    shop.state.configure(silver={"duplicate_cache_events": 1000, "max_rows_per_batch": 500})
    history = generate(seed, now(), "foreign", size=4000)
    rows = history.rows()
    for begin in range(0, len(rows), 400):
        shop.write(*rows[begin:begin + 400])
    shop.run()
    shop.write(*({**row, "kafka_offset": row["kafka_offset"] + 1_000_000} for row in rows[::7]))
    shop.run()


def test_a_declared_column_comes_to_the_events(shop):
    shop.tell(click("c", LONG_AGO))
    shop.state.settings["columns"] = [{"name": "campaign", "field": "utm", "type": "string"}]
    shop.state.configure()
    row = click("c", LONG_AGO + MINUTE)
    value = value_of(row)[:-1] + b', "utm": "spring"}'
    produce(shop.brokers, [(0, None, value, 0, None)])
    shop.run()
    assert sorted(str(event["campaign"]) for event in shop.events()) == ["None", "spring"]


@pytest.mark.parametrize("int96", [False, True], ids=["int64", "int96"])
def test_bronze_files_of_spark_s_two_sorts_of_timestamps(shop, int96):
    """INT96 is what Spark writes unless it is told otherwise; `verify` reads it, too."""
    silver_bronze.create(shop.state.bronze)
    table = silver_bronze.bronze_table(visits(3))
    pq.write_table(table, shop.state.bronze / "a.parquet", use_deprecated_int96_timestamps=int96)
    silver_bronze.add_files(shop.state.bronze,
                            [silver_bronze.action(shop.state.bronze, "a.parquet", table)])
    shop.run()
    assert len(shop.sessions()) == 3
    outcome = shop.state.tool("verify", "--deep")
    assert outcome.code == CLEAN, outcome.output


def test_many_small_batches_leave_few_files(shop):
    """P9: small files are put together, in commits that change no data."""
    shop.state.configure(silver={"max_rows_per_batch": 1})
    for number in range(50):
        shop.write(click(f"v-{number % 7}", LONG_AGO + number * HOUR))
    shop.run()
    for table in (sessions_path(shop.state), events_path(shop.state)):
        snapshot = replay(table)
        assert len(snapshot.files) < 20, f"{table} has {len(snapshot.files)} files"
        changing = [action for version, actions in snapshot.commits.items() for action in actions
                    if "OPTIMIZE" in str(actions) and
                    action.get("add", action.get("remove", {})).get("dataChange")]
        assert not changing, changing


# -- size ------------------------------------------------------------------------------------


def test_one_enormous_version_is_worked_through_in_bounded_memory(shop):
    """Written by delta-rs in one commit, as a backfill would be."""
    write_deltalake(shop.state.bronze, enormous(), mode="append")
    most = run_and_measure(shop.state)
    assert_silver(shop.state)
    assert len(shop.batches()) <= 2, "one version is one batch, however large"
    if "debug" not in str(os.environ.get("SHOPMETRICS_BIN")):
        assert most <= MOST_MEMORY, f"{most >> 20} MiB"


def enormous():
    """Visits of eight clicks, five at a time, in order of time but for every thousandth click;
    two clicks in 500 are the same."""
    table = duckdb.connect().execute("""
        select 'e' || n as event_id, 'c' || visit % 50000 as customer_id,
               'kind' || i % 3 event_type, 's' || visit % 50000 session_id, '/p/' || n % 100 page,
               $begin + n * 500000 - case when n % 1000 = 0 then $late else 0 end event_ts,
               $begin + n * 500000 ingested_at, cast(i % 3 as int) kafka_partition, i kafka_offset
        from (select *, n // 40 * 5 + n % 5 as visit
              from (select range i, case when range % 500 = 1 then range - 1 else range end n
                    from range($count)))""",
        {"begin": LONG_AGO, "late": 3 * HOUR, "count": ENORMOUS}).to_arrow_table()
    return pa.table([
        pa.nulls(ENORMOUS, field.type) if field.name not in table.column_names
        else table[field.name].cast(pa.int64()).cast(UTC) if field.type == UTC
        else table[field.name].cast(field.type) for field in SCHEMA], schema=SCHEMA)


def run_and_measure(state):
    """The peak of resident memory of a run, in bytes."""
    outcome = state.run_once(wrapper=[sys.executable, "-S", "-c", MEASURE])
    return int(outcome.output.split("peak ")[1]) * 1024


def test_one_visitor_with_a_session_of_many_events(shop):
    """In several versions, the last one between the others' events."""
    step, count = 10 * SECOND, 30_000
    for part in (0, 2, 1):
        shop.write(*(click("bot", LONG_AGO + (part * count + number) * step)
                     for number in range(count)))
    shop.run()
    assert shop.spans("bot") == [(LONG_AGO, LONG_AGO + (3 * count - 1) * step, 3 * count)]


# -- readers meanwhile -----------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_meets_whole_versions_while_runs_go_on(shop, reader):
    """P8: at any moment each event is in one session, and no session is there twice."""
    shop.state.configure(silver={"max_rows_per_batch": 20})
    shop.tell(*visits(3))
    stories = [generate(seed, now(), "foreign", size=150).rows() for seed in range(4)]
    looks, done = [], threading.Event()

    def look():
        while not done.is_set():
            looks.append(plain(READERS[reader](sessions_path(shop.state))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for number, rows in enumerate(stories):
            rows = [{**row, "kafka_partition": row["kafka_partition"] + 10 * number + 10}
                    for row in rows]
            for begin in range(0, len(rows), 15):
                shop.write(*rows[begin:begin + 15])
            shop.run()
    finally:
        done.set()
        thread.join()
    assert len(looks) > 3
    states = totals_of_versions(shop.state)
    for seen in looks:
        assert consistent(seen) == []
        assert (len(seen), sum(seen["event_count"].to_pylist())) in states


def totals_of_versions(state):
    """(sessions, events) of every version of the sessions table that is still readable."""
    table = DeltaTable(sessions_path(state))
    found = set()
    for version in range(table.version() + 1):
        table.load_as_version(version)
        rows = table.to_pyarrow_table()
        found.add((len(rows), sum(rows["event_count"].to_pylist())))
    return found


def consistent(sessions):
    """Sentences about sessions that are there twice, or overlap another of the same visitor."""
    faults, ends = [], {}
    rows = sorted(sessions.to_pylist(), key=lambda row: row["first_event_ts"])
    for row in rows:
        visitor = row["session_id"].removesuffix(f"-{row['first_event_ts']}")
        if visitor in ends and row["first_event_ts"] <= ends[visitor]:
            faults.append(f"{row['session_id']} begins before the one before it ends")
        ends[visitor] = row["last_event_ts"]
    return faults


def test_every_version_of_the_tables_reads_as_it_did(shop):
    """Time travel over the retention: removed files are still there."""
    for number in range(4):
        shop.tell(*(click(f"v-{step}", LONG_AGO + number * 20 * MINUTE) for step in range(3)))
    table = DeltaTable(sessions_path(shop.state))
    for version in range(1, table.version() + 1):
        table.load_as_version(version)
        assert consistent(plain(table.to_pyarrow_table())) == []


def test_the_service_keeps_silver_up_to_date(shop):
    shop.state.configure(schedule={"every": "1s"})
    daemon = shop.state.start()
    try:
        for number in range(3):
            shop.send(*visits(2, LONG_AGO + number * DAY))
            wait_until(lambda: session_count(shop) == 2 * (number + 1) or
                       daemon.poll() is not None, "the new sessions")
            assert daemon.poll() is None
    finally:
        daemon.terminate()
        output, _ = daemon.communicate(timeout=10)
    assert daemon.returncode == CLEAN, output
    assert_silver(shop.state)


def session_count(shop):
    rows = delta_of(sessions_path(shop.state))
    return 0 if rows is None else len(rows)
