"""The checkpoint between the daemon and Spark: each reads and continues what the other wrote.

Opt-in, because it needs a Java and PySpark:

    python -m venv spark && spark/bin/pip install pyspark==4.0.0
    SHOPMETRICS_SPARK=spark/bin/python python -m pytest Tests/Acceptance/test_spark_checkpoint.py

SHOPMETRICS_SPARK may name several Pythons, separated by colons; 1 stands for the running one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from delta_replay import replay
from events import mixed
from invariants import assert_invariants

GIVEN = os.environ.get("SHOPMETRICS_SPARK", "")
SPARKS = [sys.executable if name == "1" else name for name in GIVEN.split(":") if name]
WORKER = Path(__file__).with_name("spark_files.py")
LATER = 4_000_000_000_000  # 2096: no clock of this test run gives it by chance

pytestmark = pytest.mark.skipif(
    not SPARKS, reason="SHOPMETRICS_SPARK names no Python with PySpark; Spark was not asked")


@pytest.fixture(scope="session", params=SPARKS or ["none"])
def spark(request):
    """A function that runs one command of spark_files.py and returns its answer."""
    def run(command, *arguments, send=None):
        process = subprocess.run(
            [request.param, WORKER, command, *map(str, arguments)], capture_output=True,
            input=json.dumps(send) if send else "", text=True, timeout=300)
        assert process.returncode == 0, process.stderr[-3000:]
        return json.loads(process.stdout.splitlines()[-1])

    return run


@pytest.fixture
def complete(state, broker):
    """A state with several complete batches."""
    broker.produce(mixed(450))
    state.run_once()
    return state


def source_text(state, batch):
    return (state.checkpoint / "offsets" / str(batch)).read_text().split("\n")[2]


def test_spark_reads_what_the_daemon_wrote(complete, spark):
    answer = spark("read", complete.checkpoint)
    assert answer["id"] == complete.query_id()
    batches = complete.batches()
    assert [int(batch) for batch in answer["offsets"]] == batches and len(batches) > 1
    assert [int(batch) for batch in answer["commits"]] == batches
    for batch in batches:
        entry = answer["offsets"][str(batch)]
        timestamp, ends = complete.logged_offsets(batch)
        assert entry["metadata"]["batchTimestampMs"] == timestamp
        assert entry["metadata"]["conf"]["spark.sql.shuffle.partitions"] == "200"
        assert entry["sources"] == [source_text(complete, batch)]
        assert answer["commits"][str(batch)]["nextBatchWatermarkMs"] == 0


def test_spark_would_have_written_the_same_bytes(complete, spark, scratch):
    version = spark("rewrite", complete.checkpoint, scratch / "copy")["spark"]
    for folder in ("", "offsets", "commits"):
        for copy in (scratch / "copy" / folder).iterdir():
            if copy.is_dir():
                continue
            ours = complete.checkpoint / folder / copy.name
            if folder == "offsets" and not version.startswith("3.5."):
                # The order of keys in `conf` is that of a hash map and differs between versions.
                if not copy.name.startswith("."):
                    assert canonical(copy) == canonical(ours)
            else:
                assert copy.read_bytes() == ours.read_bytes(), copy


def canonical(path):
    version, metadata, *sources = path.read_text().split("\n")
    return version, json.loads(metadata), sources


def test_the_daemon_finishes_a_batch_that_spark_planned(complete, broker, spark):
    last = complete.batches()[-1]
    broker.produce(mixed(150, seed=2, start=1000))
    (topic, ends), = json.loads(source_text(complete, last)).items()
    # Spark 3.5's order of keys, and an end inside the new events that no plan of ours would choose.
    planned = json.dumps({topic: {str(p): ends[str(p)] + 7 for p in (2, 1, 0)}},
                         separators=(",", ":"))
    before = complete.rows()
    spark("add", complete.checkpoint, send={"offsets": [[last + 1, LATER, planned]]})
    spark_bytes = (complete.checkpoint / "offsets" / str(last + 1)).read_bytes()
    complete.run_once()
    assert (complete.checkpoint / "offsets" / str(last + 1)).read_bytes() == spark_bytes
    assert complete.batches("commits") == complete.batches() and complete.batches()[-1] > last + 1
    replayed = [row for table in complete.rows() for row in table
                if row["ingested_at"].timestamp() * 1000 == LATER]
    assert len(replayed) == 3 * 7, "exactly the range that Spark logged, at the time it logged"
    assert sum(map(len, complete.rows())) == sum(map(len, before)) + 150
    assert list(json.loads(source_text(complete, last + 2))[topic]) == ["2", "1", "0"]
    assert conf(complete, last + 2) == conf(complete, last + 1), "conf is carried on verbatim"
    assert replay(complete.bronze).transactions[complete.query_id()] == complete.batches()[-1]
    assert_invariants(complete, broker.truth())


def conf(state, batch):
    metadata = (state.checkpoint / "offsets" / str(batch)).read_text().split("\n")[1]
    return metadata[metadata.index('"conf":'):]


def test_the_daemon_starts_at_the_end_of_a_batch_that_spark_committed(complete, broker, spark):
    last = complete.batches()[-1]
    (complete.checkpoint / "commits" / str(last)).unlink()
    (complete.checkpoint / "commits" / f".{last}.crc").unlink()
    spark("add", complete.checkpoint, send={"commits": [last]})
    broker.produce(mixed(90, seed=3, start=2000))
    complete.run_once()
    assert_invariants(complete, broker.truth())
