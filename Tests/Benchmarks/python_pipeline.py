"""The program that a Python user would write instead: one availableNow run, exactly once.

    python_pipeline.py BROKER TABLE [--rows N]

confluent-kafka reads, orjson parses, pyarrow builds the columns, deltalake appends; each commit
carries the next offset of every partition as a transaction of the table, from which the next run
goes on. Malformed records go to TABLE-dead. Prints {"events": N, "rows": N, "dead": N}.
"""

import argparse
import json
import os
import time

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Consumer, TopicPartition
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

TOPIC = "clickstream-events"
TIME = pa.timestamp("us", "UTC")
GOOD = pa.schema([
    ("event_id", pa.string()), ("customer_id", pa.int32()), ("product_id", pa.int32()),
    ("event_type", pa.string()), ("session_id", pa.string()), ("page", pa.string()),
    ("event_ts", TIME), ("kafka_partition", pa.int32()), ("kafka_offset", pa.int64()),
    ("ingested_at", TIME)])
DEAD = pa.schema([
    ("raw_value", pa.binary()), ("kafka_partition", pa.int32()), ("kafka_offset", pa.int64()),
    ("ingested_at", TIME)])
FETCH = 10_000


class Batch:
    """Rows of one commit, column by column."""

    def __init__(self):
        self.columns = [[] for _ in range(9)]
        self.dead = []
        self.next_offset = {}
        self.count = 0

    def add(self, messages):
        event_id, customer, product, kind, session, page, stamp, partition, offset = self.columns
        for message in messages:
            self.next_offset[message.partition()] = message.offset() + 1
            try:
                fields = orjson.loads(message.value())
                row = (fields["event_id"], fields["customer_id"], fields["product_id"],
                       fields["event_type"], fields["session_id"], fields["page"],
                       fields["event_ts"])
                if row[0] is None:
                    raise ValueError
            except (ValueError, KeyError, TypeError):
                self.dead.append(message)
                continue
            event_id.append(row[0])
            customer.append(row[1])
            product.append(row[2])
            kind.append(row[3])
            session.append(row[4])
            page.append(row[5])
            stamp.append(row[6])
            partition.append(message.partition())
            offset.append(message.offset())
        self.count += len(messages)

    def tables(self, now):
        arrays = [pa.array(values, pa.string() if name == "event_ts" else GOOD.field(name).type)
                  for name, values in zip(GOOD.names, self.columns)]
        stamps = pc.replace_substring(arrays[6], "+00:00", "Z")
        arrays[6] = pc.cast(stamps, TIME)
        arrays.append(pa.array([now] * len(arrays[0]), TIME))
        dead = pa.table([
            [m.value() for m in self.dead], [m.partition() for m in self.dead],
            [m.offset() for m in self.dead], pa.array([now] * len(self.dead), TIME)], schema=DEAD)
        return pa.table(arrays, schema=GOOD), dead


def opened(path, schema):
    if not DeltaTable.is_deltatable(path):
        DeltaTable.create(path, schema=schema)
    return DeltaTable(path)


def append(table, rows, offsets):
    if len(rows):
        transactions = [Transaction(f"{TOPIC}-{p}", offset) for p, offset in offsets.items()]
        write_deltalake(table, rows, mode="append",
                        writer_properties=WriterProperties(compression="SNAPPY"),
                        commit_properties=CommitProperties(app_transactions=transactions))


def plan(consumer, table):
    start, end = {}, {}
    for partition in consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(TOPIC, partition), timeout=10)
        known = table.transaction_version(f"{TOPIC}-{partition}")
        start[partition], end[partition] = low if known is None else known, high
    return start, end


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("broker")
    parser.add_argument("table")
    parser.add_argument("--rows", type=int, default=250_000)
    options = parser.parse_args()
    consumer = Consumer({
        "bootstrap.servers": options.broker, "group.id": "python", "enable.auto.commit": False,
        "enable.auto.offset.store": False, "fetch.queue.backoff.ms": 1})
    table, dead = opened(options.table, GOOD), opened(f"{options.table}-dead", DEAD)
    start, end = plan(consumer, table)
    consumer.assign([TopicPartition(TOPIC, p, start[p]) for p in start if start[p] < end[p]])
    left = sum(end.values()) - sum(start.values())
    counts = {"events": left, "rows": 0, "dead": 0}
    batch = Batch()
    while left > 0:
        messages = [m for m in consumer.consume(min(FETCH, left), 0.5)
                    if not m.error() and m.offset() < end[m.partition()]]
        batch.add(messages)
        left -= len(messages)
        if batch.count >= options.rows or left == 0:
            rows, letters = batch.tables(int(time.time() * 1e6))
            append(dead, letters, batch.next_offset)
            append(table, rows, batch.next_offset)
            counts["rows"] += len(rows)
            counts["dead"] += len(letters)
            batch = Batch()
    print(json.dumps(counts), flush=True)
    os._exit(0)


main()
