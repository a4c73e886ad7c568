"""Bronze as other programs write it: delta-rs, and files of pyarrow in many shapes."""

import json
import random
import time
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from deltalake.transaction import AddAction

UTC = pa.timestamp("us", "UTC")
SCHEMA = pa.schema([
    ("event_id", pa.string()), ("customer_id", pa.string()), ("product_id", pa.string()),
    ("event_type", pa.string()), ("session_id", pa.string()), ("page", pa.string()),
    ("event_ts", UTC), ("kafka_topic", pa.string()), ("kafka_partition", pa.int32()),
    ("kafka_offset", pa.int64()), ("kafka_timestamp", UTC), ("ingested_at", UTC),
    ("rescued_data", pa.string()),
])
OPTIONAL = ("customer_id", "product_id", "kafka_topic", "kafka_timestamp", "rescued_data")


def bronze_table(rows):
    """Rows with times in microseconds as Bronze's columns."""
    columns = [
        pa.array([row.get(field.name) for row in rows],
                 pa.int64() if field.type == UTC else field.type).cast(field.type)
        for field in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def create(path, **configuration):
    """An empty table with Bronze's columns, made by delta-rs."""
    return DeltaTable.create(path, SCHEMA, name="clickstream_raw",
                             configuration={"delta.checkpointInterval": "1000", **configuration})


def append(path, rows, source=None):
    """One version with these rows; `source` chooses how its files look (none: as delta-rs does)."""
    if not DeltaTable.is_deltatable(str(path)):
        create(path)
    table = bronze_table(rows) if isinstance(rows, list) else rows
    if source is None or source.random() < 0.3:
        write_deltalake(path, table, mode="append")
        return
    cuts = sorted(source.randrange(len(table) + 1) for _ in range(source.choice((0, 0, 1, 3))))
    edges = [0, *cuts, len(table)]
    parts = [table.slice(a, b - a) for a, b in zip(edges, edges[1:]) if a < b]
    add_files(path, [write_file(path, part, source) for part in parts])


def add_files(path, actions):
    table = DeltaTable(path)
    table.create_write_transaction(actions, "append", table.schema())


def write_file(path, table, source):
    """A file of pyarrow with encodings, pages and statistics of the source's choice."""
    name = f"part-{uuid.UUID(int=source.getrandbits(128))} {source.randrange(10)}.parquet"
    options = {
        "compression": source.choice(("zstd", "snappy", "none")),
        "use_dictionary": source.choice((True, True, False, ["event_type", "page"])),
        "data_page_version": source.choice(("1.0", "1.0", "2.0")),
        "row_group_size": source.choice((1, 7, 1_000_000)),
        "write_statistics": source.choice((True, False)),
        "use_deprecated_int96_timestamps": source.random() < 0.25,
    }
    if source.random() < 0.2:
        # Columns in another order, and without some that may be null.
        absent = source.sample(OPTIONAL, source.randrange(len(OPTIONAL) + 1))
        order = [name for name in table.column_names if name not in absent]
        source.shuffle(order)
        table = table.select(order)
    pq.write_table(table, path / name, **options)
    statistics = source.choice((True, True, False))
    return action(path, name, table, statistics)


def action(path, name, table, statistics=True):
    stats = {"numRecords": len(table)}
    if statistics:
        stats.update(minValues=bounds(table, min), maxValues=bounds(table, max), nullCount={})
    return AddAction(name, (path / name).stat().st_size, {}, int(time.time() * 1000), True,
                     json.dumps(stats))


def row_count(add):
    return json.loads(add["stats"])["numRecords"]


def bounds(table, extreme):
    """The statistics of event_ts as Spark and delta-rs state them: cut to milliseconds."""
    times = table["event_ts"].cast(pa.int64()).to_pylist()
    value = pa.scalar(extreme(times) // 1000 * 1000, pa.int64()).cast(UTC).as_py()
    return {"event_ts": value.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def random_upkeep(path, source):
    """Now and then a commit that changes no data: a property, a compaction, a vacuum."""
    kind = source.random()
    if kind < 0.1:
        DeltaTable(path).alter.set_table_properties(
            {"delta.logRetentionDuration": "interval 9 days"})
    elif kind < 0.2:
        DeltaTable(path).optimize.compact()
    elif kind < 0.25:
        DeltaTable(path).create_checkpoint()


def generator_of(seed):
    return random.Random(f"files {seed}")
