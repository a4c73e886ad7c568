"""Checkpoint files through Spark's own classes: run by a Python that has PySpark.

    python spark_files.py read CHECKPOINT         what StreamMetadata, OffsetSeqLog, CommitLog read
    python spark_files.py add CHECKPOINT          adds the offsets, commits and id given on stdin
    python spark_files.py rewrite CHECKPOINT OUT  reads each file and has Spark write it again
    python spark_files.py query CHECKPOINT        two batches of a query, text files to Parquet

`initial` in the object for `add` needs the Kafka connector: SHOPMETRICS_SPARK_JARS is the directory
of its jars. The answer is one JSON object on the last line of stdout.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from pyspark import __version__
from pyspark.sql import SparkSession


class Logs:
    """The metadata file and the two logs of one checkpoint directory, in the JVM."""

    def __init__(self, spark, checkpoint):
        self.jvm = spark._jvm
        self.session = spark._jsparkSession
        self.package = self.jvm.org.apache.spark.sql.execution.streaming
        self.hadoop = self.session.sessionState().newHadoopConf()
        self.root = Path(checkpoint)
        self.offsets = self.package.OffsetSeqLog(self.session, str(self.root / "offsets"))
        self.commits = self.package.CommitLog(self.session, str(self.root / "commits"))
        self.metadata_path = self.jvm.org.apache.hadoop.fs.Path(str(self.root / "metadata"))

    def ids(self, folder):
        return sorted(int(path.name) for path in (self.root / folder).iterdir()
                      if path.name.isdigit())

    def query_id(self):
        return self.package.StreamMetadata.read(self.metadata_path, self.hadoop).get().id()

    def write_query_id(self, text):
        self.package.StreamMetadata.write(
            self.package.StreamMetadata(text), self.metadata_path, self.hadoop)

    def read_offsets(self, batch):
        entry = self.offsets.get(batch).get()
        sources = [source.get().json() if source.isDefined() else None
                   for source in to_list(self.jvm, entry.offsets())]
        return {"metadata": json.loads(entry.metadata().get().json()), "sources": sources}

    def write_initial_offsets(self, text):
        kafka = self.jvm.org.apache.spark.sql.kafka010
        writer = kafka.KafkaSourceInitialOffsetWriter(
            self.session, str(self.root / "sources" / "0"))
        offset = kafka.KafkaSourceOffset.apply(self.package.SerializedOffset(text))
        assert writer.add(0, offset), "sources/0/0 was there already"

    def add_offsets(self, batch, timestamp, source):
        metadata = self.package.OffsetSeqMetadata.apply(0, timestamp, self.session.conf())
        values = self.jvm.java.util.ArrayList()
        values.add(self.package.SerializedOffset(source))
        entry = self.package.OffsetSeq.fill(
            self.jvm.scala.Option.apply(metadata.json()), to_seq(self.jvm, values))
        assert self.offsets.add(batch, entry), f"offsets/{batch} was there already"

    def add_commit(self, batch):
        entry = self.package.CommitMetadata.apply('{"nextBatchWatermarkMs":0}')
        assert self.commits.add(batch, entry), f"commits/{batch} was there already"


def to_seq(jvm, values):
    return jvm.org.apache.spark.api.python.PythonUtils.toSeq(values)


def to_list(jvm, sequence):
    return [sequence.apply(index) for index in range(sequence.size())]


def read(spark, checkpoint):
    logs = Logs(spark, checkpoint)
    return {
        "id": logs.query_id(),
        "offsets": {batch: logs.read_offsets(batch) for batch in logs.ids("offsets")},
        "commits": {batch: json.loads(logs.commits.get(batch).get().json())
                    for batch in logs.ids("commits")},
    }


def add(spark, checkpoint):
    wanted = json.load(sys.stdin)
    logs = Logs(spark, checkpoint)
    if "id" in wanted:
        logs.write_query_id(wanted["id"])
    if "initial" in wanted:
        logs.write_initial_offsets(wanted["initial"])
    for batch, timestamp, source in wanted.get("offsets", []):
        logs.add_offsets(batch, timestamp, source)
    for batch in wanted.get("commits", []):
        logs.add_commit(batch)
    return {}


def rewrite(spark, checkpoint, out):
    logs, copies = Logs(spark, checkpoint), Logs(spark, out)
    copies.write_query_id(logs.query_id())
    for batch in logs.ids("offsets"):
        assert copies.offsets.add(batch, logs.offsets.get(batch).get())
    for batch in logs.ids("commits"):
        assert copies.commits.add(batch, logs.commits.get(batch).get())
    return {}


def query(spark, checkpoint):
    with tempfile.TemporaryDirectory() as scratch:
        for batch in range(2):
            source = Path(scratch) / "source"
            source.mkdir(exist_ok=True)
            (source / f"{batch}.txt").write_text(f"line {batch}\n")
            (spark.readStream.text(str(source)).writeStream.format("parquet")
             .option("path", f"{scratch}/sink").option("checkpointLocation", checkpoint)
             .trigger(availableNow=True).start().awaitTermination())
    return {}


def main():
    jars = os.environ.get("SHOPMETRICS_SPARK_JARS")
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.driver.host", "127.0.0.1")
             .config("spark.driver.extraClassPath", f"{jars}/*" if jars else "").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    command = {"read": read, "add": add, "rewrite": rewrite, "query": query}[sys.argv[1]]
    answer = command(spark, *sys.argv[2:])
    spark.stop()
    print(json.dumps({"spark": __version__, **answer}))


if __name__ == "__main__":
    main()
