"""Delta tables through a real Spark: run by a Python that has PySpark, one process for many tests.

SHOPMETRICS_SPARK_JARS is the directory of Delta's jars for that Spark. Each line of stdin is a JSON
object with a `command` (a function below) and its arguments, each line of stdout that begins with
`answer` the JSON object for it; rows travel in Parquet files. The first line of stdout says whether
the jars and this Spark go together.
"""

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession
from pyspark.sql.functions import lit

OPTIONS = {
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # These tests are about days of the calendar that all readers share.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
}
EXCHANGED = {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}
JARS = Path(os.environ.get("SHOPMETRICS_SPARK_JARS", ""))


def unfit():
    """Why Delta's jars cannot serve this Spark; None when they can.

    Jars of another Scala only show when their classes are first used, by errors about anything.
    """
    given = {path.name.split("_")[1].split("-")[0] for path in JARS.glob("delta-spark_*.jar")}
    library = next(Path(pyspark.__file__).with_name("jars").glob("scala-library-*.jar"))
    scala = library.stem.split("-")[-1].rsplit(".", 1)[0]
    if scala in given:
        return None
    return f"Delta's jars in {JARS} are for Scala {sorted(given)}; " \
           f"Spark {pyspark.__version__} has Scala {scala}"


def session():
    builder = SparkSession.builder.master("local[1]")
    for name, value in {**OPTIONS, "spark.driver.extraClassPath": f"{JARS}/*"}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def set_all(spark, options):
    for name, value in options.items():
        spark.conf.set(name, value)


def version(spark):
    delta = getattr(spark._jvm.io.delta, "package")  # Scala's package object, a word of Python
    return {"spark": spark.version, "delta": delta.VERSION()}


def append(spark, path, rows, timestamps, files):
    """One version with the rows of the Parquet file `rows` in so many files."""
    set_all(spark, {"spark.sql.parquet.outputTimestampType": timestamps,
                    "spark.sql.parquet.compression.codec": "snappy"})
    frame = spark.read.parquet(rows).repartition(files)
    frame.write.format("delta").mode("append").save(path)
    return {}


def optimize(spark, path, timestamps="TIMESTAMP_MICROS"):
    set_all(spark, {"spark.sql.parquet.outputTimestampType": timestamps})
    (row,) = spark.sql(f"OPTIMIZE delta.`{path}`").collect()
    return {"added": row.metrics.numFilesAdded, "removed": row.metrics.numFilesRemoved}


def checkpoint(spark, path):
    """A checkpoint of the newest version, by Delta."""
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path).checkpoint()
    return {}


def read(spark, path, out, where="true", at=None):
    """The rows of a version (none: the newest) into a new directory `out`."""
    set_all(spark, EXCHANGED)
    reader = spark.read.format("delta")
    frame = (reader if at is None else reader.option("versionAsOf", at)).load(path)
    frame.where(where).write.parquet(out)
    return {}


def offsets(spark, table, texts):
    """What Delta's source understands by its offsets, and how it would write them."""
    sources = spark._jvm.org.apache.spark.sql.delta.sources
    serialized = spark._jvm.org.apache.spark.sql.execution.streaming.SerializedOffset
    parsed = [sources.DeltaSourceOffset.apply(table, serialized(text)) for text in texts]
    return {"offsets": [
        {"reservoirId": offset.reservoirId(), "reservoirVersion": offset.reservoirVersion(),
         "isStartingVersion": offset.isInitialSnapshot(), "json": offset.json()}
        for offset in parsed]}


def stream(spark, path, checkpoint, out):
    """An availableNow query on the table: its rows and their batch into a new directory `out`."""
    set_all(spark, EXCHANGED)
    batches = []

    def keep(frame, batch):
        frame.withColumn("batch", lit(batch)).write.mode("append").parquet(out)
        batches.append(batch)

    query = (spark.readStream.format("delta").load(path).writeStream.foreachBatch(keep)
             .option("checkpointLocation", checkpoint).trigger(availableNow=True).start())
    query.awaitTermination()
    return {"batches": batches, "id": query.id}


COMMANDS = {function.__name__: function for function in
            (version, append, optimize, checkpoint, read, offsets, stream)}


def answer(body):
    print("answer " + json.dumps(body), flush=True)


def main():
    reason = unfit()
    answer({"unfit": reason})
    if reason:
        return
    # What Spark leaves in its working directory is nobody's.
    with tempfile.TemporaryDirectory(prefix="shopmetrics-spark-") as folder:
        os.chdir(folder)
        spark = session()
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                answer(COMMANDS[asked.pop("command")](spark, **asked))
            except Exception:  # for the test to show; the next one is served all the same
                answer({"error": traceback.format_exc()})
        spark.stop()


if __name__ == "__main__":
    main()
