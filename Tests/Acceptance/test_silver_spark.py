"""Silver between the daemon and Spark with Delta: each works on what the other wrote.

Opt-in, because it needs a Java, PySpark and Delta's jars:

    python -m venv spark && spark/bin/pip install pyspark==4.0.0
    SHOPMETRICS_SPARK=spark/bin/python SHOPMETRICS_SPARK_JARS=directory-of-the-jars \
        python -m pytest Tests/Acceptance/test_silver_spark.py

SHOPMETRICS_SPARK may name several Pythons, separated by colons; 1 stands for the running one. The
jars are those of delta-spark and delta-storage, by default from SHOPMETRICS_TESTBED/spark/lib.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from invariants import assert_idle_run_writes_nothing
from silver_bronze import bronze_table
from silver_generator import DAY, FOREIGN_PARTITIONS, HOUR, MINUTE, generate
from silver_inspection import PLACE, Memory, inspect
from silver_shop import LONG_AGO, Shop, click, now
from silver_sql import difference, plain
from silver_tables import (checkpoint_path, delta_of, duckdb_with_delta, events_path,
                           logged_batches, query_id, sessions_path)
from support import CLEAN
from test_silver_runs import forget_commits, visits

GIVEN = os.environ.get("SHOPMETRICS_SPARK", "")
SPARKS = [sys.executable if name == "1" else name for name in GIVEN.split(":") if name]
WORKER = Path(__file__).with_name("spark_delta.py")
TESTBED = Path(os.environ.get("SHOPMETRICS_TESTBED", "/nonexistent"))
JARS = Path(os.environ.get("SHOPMETRICS_SPARK_JARS") or TESTBED / "spark" / "lib")

pytestmark = [
    pytest.mark.skipif(
        not SPARKS, reason="SHOPMETRICS_SPARK names no Python with PySpark; Spark was not asked"),
    pytest.mark.skipif(
        not any(JARS.glob("delta-spark_*.jar")),
        reason=f"{JARS} has no delta-spark jar (SHOPMETRICS_SPARK_JARS); Spark was not asked"),
]


class Spark:
    """One process of spark_delta.py: a Spark takes longer to start than all that it is asked."""

    def __init__(self, python, scratch):
        self.errors = open(scratch / "spark.log", "w+")
        self.process = subprocess.Popen(
            [python, WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            text=True, env={**os.environ, "SHOPMETRICS_SPARK_JARS": str(JARS)})
        self.scratch, self.files = scratch, 0
        self.unfit = self.answer()["unfit"]

    def __call__(self, command, path=None, **arguments):
        place = {} if path is None else {"path": str(path)}
        print(json.dumps({"command": command, **place, **arguments}, default=str),
              file=self.process.stdin, flush=True)
        answer = self.answer()
        assert "error" not in answer, f"{command}: {answer['error'][-3000:]}"
        return answer

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("answer "):
                return json.loads(line.removeprefix("answer "))
        self.errors.seek(0)
        pytest.fail(f"Spark ended by itself: {self.errors.read()[-3000:]}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.errors.close()

    def new_path(self):
        self.files += 1
        return self.scratch / str(self.files)

    def append(self, path, rows, timestamps="TIMESTAMP_MICROS", files=1, without=()):
        """One version of Bronze; its files do not have the columns `without` at all."""
        exchange = self.new_path()
        pq.write_table(bronze_table(rows).drop_columns(list(without)), exchange)
        self("append", path, rows=exchange, timestamps=timestamps, files=files)

    def read(self, path, **arguments):
        out = self.new_path()
        self("read", path, out=out, **arguments)
        return plain(pq.read_table(out))

    def stream(self, path, checkpoint):
        """(the batches, batch -> places of its rows, the query's id) of an availableNow query."""
        out = self.new_path()
        answer = self("stream", path, checkpoint=checkpoint, out=out)
        found = {batch: [] for batch in answer["batches"]}
        for row in pq.read_table(out).to_pylist() if out.exists() else ():
            found[row["batch"]].append(tuple(row[name] for name in PLACE))
        return {batch: sorted(places) for batch, places in found.items()}, answer["id"]


# Columns that some files of Bronze do not have at all.
LEFT_OUT = ((), ("page", "kafka_timestamp"), ("product_id", "rescued_data", "kafka_topic"))


@pytest.fixture(scope="module", params=SPARKS or ["none"])
def spark(request, tmp_path_factory):
    spark = Spark(request.param, tmp_path_factory.mktemp("spark"))
    if spark.unfit:
        spark.close()
        pytest.skip(f"Spark was not asked: {spark.unfit}")
    print(spark("version"))
    yield spark
    spark.close()


@pytest.fixture
def shop(scratch, broker):
    return Shop(scratch, broker.brokers)


# -- Spark writes Bronze ---------------------------------------------------------------------


@pytest.mark.parametrize("timestamps, seed", [("INT96", 3), ("TIMESTAMP_MICROS", 8)])
def test_silver_is_the_sql_of_what_spark_appends(shop, spark, timestamps, seed):
    """Spark makes the table, writes and compacts it; each of its versions is in a run or two."""
    rows = generate(seed, now(), "foreign", size=300).rows()
    portion = len(rows) // 6 + 1
    for number, begin in enumerate(range(0, len(rows), portion)):
        spark.append(shop.state.bronze, rows[begin:begin + portion], timestamps,
                     files=number % 3 + 1, without=LEFT_OUT[number % 3])
        if number == 2:
            compacted = spark("optimize", shop.state.bronze, timestamps=timestamps)
            assert compacted["removed"] > 3 and compacted["added"] == 1
        if number == 3:
            spark("checkpoint", shop.state.bronze)
        if number != 1:
            shop.run()
    assert time_types(shop.state.bronze) == {"INT96" if timestamps == "INT96" else "INT64"}
    spark("optimize", shop.state.bronze, timestamps=timestamps)
    assert_idle_run_writes_nothing(shop.state)
    rebuild(shop)


def time_types(path):
    """The physical types of event_ts in all files that a table has or had."""
    found = set()
    for file in path.glob("*.parquet"):
        schema = pq.ParquetFile(file).schema
        found.add(schema.column(schema.names.index("event_ts")).physical_type)
    return found


def rebuild(shop):
    """Silver anew; it counts its batches from the beginning, so the earlier looks say nothing."""
    outcome = shop.state.tool("silver", "rebuild", "--yes")
    assert outcome.code == CLEAN, outcome.output
    shop.memory = Memory()
    shop.run()


def test_spark_and_the_daemon_take_turns_at_bronze(shop, spark):
    shop.tell(*visits(4))
    spark.append(shop.state.bronze, [click("v-0", LONG_AGO + 2 * MINUTE), click("new", LONG_AGO)],
                 files=2)
    shop.tell(*visits(4, LONG_AGO + DAY))
    spark("optimize", shop.state.bronze)
    shop.tell(click("v-0", LONG_AGO + 3 * MINUTE))
    assert shop.spans("v-0")[0] == (LONG_AGO, LONG_AGO + 3 * MINUTE, 4)


# -- Spark reads Silver ----------------------------------------------------------------------


@pytest.fixture
def told(shop):
    """Silver after several runs with sessions of every sort: final, open, and in the future."""
    rows = [{**row, "kafka_partition": row["kafka_partition"] + FOREIGN_PARTITIONS}
            for row in generate(5, now(), "foreign", size=250).rows()]
    for begin in range(0, len(rows), 80):
        shop.write(*rows[begin:begin + 80])
        shop.run()
    shop.tell(click("open", now()), click("open", now() - MINUTE), click("far", now() + 40 * DAY))
    assert {row["is_final"] for row in shop.sessions()} == {True, False}
    return shop


def test_spark_sees_silver_as_others_do_at_every_version(told, spark):
    seen_alike(told, spark)
    rebuild(told)
    seen_alike(told, spark)
    told.tell(click("open", now()))
    seen_alike(told, spark)


def seen_alike(shop, spark):
    """Spark against deltalake at several versions; DuckDB and the own replay at the newest."""
    for path, order, key in tables(shop):
        table = DeltaTable(path)
        newest = table.version()
        for version in sorted({1, newest // 2, newest - 1, newest}):
            table.load_as_version(version)
            expected = whole(table.to_pyarrow_table(), order)
            assert difference(whole(spark.read(path, at=version), order), expected, key) == []
        found = whole(spark.read(path), order)
        assert difference(found, whole(delta_of(path), order), key) == []
        others = duckdb_with_delta().sql(f"FROM delta_scan('file://{path}')").to_arrow_table()
        assert difference(found, whole(others, order), key) == []


def tables(shop):
    return ((sessions_path(shop.state), ["session_id"], ["session_id"]),
            (events_path(shop.state), list(PLACE), PLACE))


def whole(table, order):
    """All columns by name, is_final and updated_at with them, in an order of the rows."""
    names = sorted(table.column_names)
    rows = plain(table.select(names))
    return rows.sort_by([(name, "ascending") for name in order]).combine_chunks()


def test_spark_finds_each_row_by_the_statistics(told, spark):
    """Spark skips files by what the log says of them; no row may be skipped with its file."""
    sessions = told.sessions()
    chosen = random.Random(1).sample(sessions, 6)
    for row in chosen:
        where = f"first_event_ts = timestamp_micros({row['first_event_ts']}) " \
                f"and last_event_ts >= timestamp_micros({row['last_event_ts']})"
        found = spark.read(sessions_path(told.state), where=where).to_pylist()
        assert row["session_id"] in [one["session_id"] for one in found]
    for final in (True, False):
        found = spark.read(sessions_path(told.state), where=f"is_final = {final}")
        assert sorted(found["session_id"].to_pylist()) == \
            sorted(row["session_id"] for row in sessions if row["is_final"] == final)
    event = told.events()[17]
    found = spark.read(events_path(told.state),
                       where=f"event_ts = timestamp_micros({event['event_ts']})").to_pylist()
    assert event in found


def test_spark_reads_large_files_as_others_do(shop, spark):
    """More rows than a batch of Spark's vectorized reader has (4096), nulls among them.

    Spark 3.3.0 to 3.5.5 and 4.0.0 read DELTA_LENGTH_BYTE_ARRAY wrongly there, and wherever a
    column with nulls has it (SPARK-52240): without an error in most cases.
    """
    shop.state.configure(limits={"max_offsets_per_batch": 20_000})
    broken = [{**row, "page": None} for row in visits(3000, LONG_AGO + DAY)]
    shop.send(*visits(3000), *broken,
              *(click(None, LONG_AGO + number * HOUR) for number in range(3000)))
    shop.run()
    for path, order in ((shop.state.bronze, PLACE), (shop.state.dead_letter, PLACE),
                        (sessions_path(shop.state), ["session_id"]),
                        (events_path(shop.state), PLACE)):
        expected = whole(DeltaTable(path).to_pyarrow_table(), order)
        assert len(expected) > 4096
        found = whole(spark.read(path), order)
        assert difference(found, expected, order)[:3] == [], path.name


# -- Spark compacts Silver -------------------------------------------------------------------


def test_silver_goes_on_after_spark_compacted_it(told, spark):
    compact(told, spark)
    assert_idle_run_writes_nothing(told.state)
    first, last = told.sessions()[40], told.sessions("open")[0]
    visitor = first["session_id"].removesuffix(f"-{first['first_event_ts']}")
    told.send(click(visitor, first["last_event_ts"] + MINUTE), click("open", now()),
              click("new", LONG_AGO), click("far", now() + 40 * DAY))
    told.state.run_once()
    assert_true(told)
    compact(told, spark)
    told.send(click("new", LONG_AGO - MINUTE), click("open", last["first_event_ts"] - MINUTE))
    told.state.run_once()
    assert_true(told)
    for path, order, key in tables(told):
        assert difference(whole(spark.read(path), order), whole(delta_of(path), order), key) == []


def compact(shop, spark):
    for path, _, _ in tables(shop):
        spark("optimize", path)
        spark("checkpoint", path)


def assert_true(shop):
    """All that must hold, but for Hadoop's checksum files, which no log names, and the order of
    rows in files that were compacted: Spark lays files of other times one behind the other."""
    violations = [fault for fault in inspect(shop.state, shop.memory)
                  if not (fault.startswith("P9") or fault.startswith("I8") and ".crc" in fault)]
    assert violations == []


# -- Spark takes the checkpoint --------------------------------------------------------------


@pytest.fixture
def in_batches(shop):
    """Several batches whose rows are all unique, so that Silver's events tell who read what."""
    shop.state.configure(silver={"max_rows_per_batch": 1})
    for number in range(4):
        shop.write(*visits(3, LONG_AGO + number * DAY), source=random.Random(number))
    shop.run()
    shop.write(*visits(2, LONG_AGO + 9 * DAY))
    shop.run()
    assert len(shop.batches()) == 5
    return shop


@pytest.fixture
def in_a_snapshot(shop):
    """Batches that end inside Bronze's first snapshot, because its log was cleaned."""
    shop.state.configure(silver={"max_rows_per_batch": 5})
    source = random.Random(7)
    for number in range(6):
        shop.write(*visits(3, LONG_AGO + number * DAY), source=source)
    forget_commits(shop.state.bronze)
    shop.run()
    assert sum(batch.source["isStartingVersion"] for batch in shop.batches()) >= 2
    return shop


@pytest.mark.parametrize("history", ["in_batches", "in_a_snapshot"])
def test_delta_reads_the_offsets_and_would_write_the_same_bytes(request, history, spark):
    shop = request.getfixturevalue(history)
    batches = shop.batches()
    table = DeltaTable(shop.state.bronze).metadata().id
    answer = spark("offsets", table=str(table), texts=[batch.source_text for batch in batches])
    for batch, offset in zip(batches, answer["offsets"], strict=True):
        assert offset["json"] == batch.source_text
        for name in ("reservoirId", "reservoirVersion", "isStartingVersion"):
            assert offset[name] == batch.source[name]


@pytest.mark.parametrize("history", ["in_batches", "in_a_snapshot"])
def test_a_spark_stream_goes_on_behind_each_batch(request, history, spark):
    """Exactly the rows of Bronze that the batches up to this one did not read."""
    shop = request.getfixturevalue(history)
    read, bronze = places_read(shop), places(delta_of(shop.state.bronze))
    for batch in read:
        copy = copy_of_checkpoint(shop, spark, batch)
        found, identifier = spark.stream(shop.state.bronze, copy)
        assert identifier == query_id(shop.state)
        assert all(number > batch for number in found)
        assert sorted(sum(found.values(), [])) == sorted(bronze - read[batch]), f"after {batch}"
    assert not bronze - read[max(read)] and found == {}, "behind the last batch there is nothing"


@pytest.mark.parametrize("history", ["in_batches", "in_a_snapshot"])
def test_a_spark_stream_replays_a_batch_that_was_not_committed(request, history, spark):
    shop = request.getfixturevalue(history)
    read, bronze = places_read(shop), places(delta_of(shop.state.bronze))
    for batch in list(read)[1:]:
        copy = copy_of_checkpoint(shop, spark, batch)
        for name in (f"{batch}", f".{batch}.crc"):
            (copy / "commits" / name).unlink()
        found, _ = spark.stream(shop.state.bronze, copy)
        assert found[batch] == sorted(read[batch] - read[batch - 1]), f"batch {batch}"
        assert sorted(sum(found.values(), [])) == sorted(bronze - read[batch - 1])


def test_a_spark_stream_reads_what_came_after_the_last_batch_once(in_batches, spark):
    bronze = in_batches.state.bronze
    copy = copy_of_checkpoint(in_batches, spark, max(logged_batches(in_batches.state)))
    news = [click("news", LONG_AGO + number * MINUTE) for number in range(6)]
    spark("optimize", bronze)
    spark.append(bronze, news[:4], files=2)
    spark("optimize", bronze)
    in_batches.write(*news[4:])
    found, _ = spark.stream(bronze, copy)
    assert sorted(sum(found.values(), [])) == \
        sorted(tuple(row[name] for name in PLACE) for row in news)
    assert spark.stream(bronze, copy)[0] == {}
    in_batches.run()


def places(table):
    return set(zip(*(table[name].to_pylist() for name in PLACE)))


def places_read(shop):
    """batch -> the places of the rows that Silver had read after it."""
    table, found = DeltaTable(events_path(shop.state)), {}
    version_of = {}
    query = query_id(shop.state)
    for commit in sorted((events_path(shop.state) / "_delta_log").glob("*.json")):
        for line in commit.read_text().splitlines():
            transaction = json.loads(line).get("txn")
            if transaction and transaction["appId"] == query:
                version_of[transaction["version"]] = int(commit.stem)
    for batch, version in version_of.items():
        table.load_as_version(version)
        found[batch] = places(table.to_pyarrow_table())
    assert list(found) == list(logged_batches(shop.state))
    return found


def copy_of_checkpoint(shop, spark, last):
    """The checkpoint as it was when batch `last` was committed, for Spark to go on with."""
    copy = spark.new_path()

    def later(_, names):
        return [name for name in names
                if (number := name.removeprefix(".").removesuffix(".crc")).isdigit() and
                int(number) > last]

    shutil.copytree(checkpoint_path(shop.state), copy, ignore=later)
    return copy
