"""What Silver must hold: the SQL that defines it, run by DuckDB over all rows of Bronze.

Tables pass through here in one plain form: times are whole microseconds since 1970 (the date whole
days), so that nothing depends on a time zone, a type's range or a reader's idea of a timestamp.
"""

import duckdb
import pyarrow as pa

SESSION_COLUMNS = {
    "session_id": pa.string(), "customer_id": pa.string(), "session_date": pa.int32(),
    "first_event_ts": pa.int64(), "last_event_ts": pa.int64(),
    "session_duration_secs": pa.int64(), "event_count": pa.int32(), "page_view_count": pa.int32(),
    "add_to_cart_count": pa.int32(), "purchase_count": pa.int32(), "search_count": pa.int32(),
    "converted": pa.bool_(),
}

UNIQUE = """
select distinct on (v, event_ts, event_id) *
from (select coalesce(customer_id, session_id) v, * from bronze)
order by v, event_ts, event_id, ingested_at, kafka_partition, kafka_offset
"""
SESSIONS = f"""
with u as ({UNIQUE}),
     g as (select *, sum(fresh) over (partition by v order by event_ts, event_id) s
           from (select *, case when event_ts - lag(event_ts)
                                     over (partition by v order by event_ts, event_id) <= $gap
                                then 0 else 1 end fresh
                 from u))
select v || '-' || min(event_ts) session_id, min(customer_id) customer_id,
       cast(make_timestamp(min(event_ts)) as date) session_date,
       min(event_ts) first_event_ts, max(event_ts) last_event_ts,
       (max(event_ts) - min(event_ts)) // 1000000 session_duration_secs, count(*) event_count,
       count(*) filter (event_type = 'page_view') page_view_count,
       count(*) filter (event_type = 'add_to_cart') add_to_cart_count,
       count(*) filter (event_type = 'purchase') purchase_count,
       count(*) filter (event_type = 'search') search_count,
       bool_or(event_type = 'purchase') converted
from g group by v, s
"""


def plain(table):
    """The same rows with every time as a number and every text as one string type."""
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
        elif pa.types.is_date(kind):
            column = column.cast(pa.date32()).cast(pa.int32())
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind) \
                or pa.types.is_string_view(kind):
            column = column.cast(pa.string())
        columns.append(column)
    return pa.table(columns, names=table.column_names).combine_chunks()


class Oracle:
    """One DuckDB, used again for every look: to open one costs more than a small query."""

    def __init__(self, threads=1):
        self.connection = duckdb.connect(config={"threads": threads})

    def recompute(self, bronze, gap):
        """(sessions, unique events) of a plain Bronze table for a gap in microseconds."""
        self.connection.register("bronze", bronze)
        try:
            sessions = self.connection.execute(SESSIONS, {"gap": gap}).to_arrow_table()
            unique = self.connection.execute(UNIQUE).to_arrow_table()
        finally:
            self.connection.unregister("bronze")
        return sorted_sessions(plain(sessions)), sorted_events(plain(unique).drop_columns(["v"]))


def sorted_sessions(table):
    """The columns that the SQL defines, in its order, rows by session."""
    schema = pa.schema(list(SESSION_COLUMNS.items()))
    return table.select(list(SESSION_COLUMNS)).cast(schema).sort_by("session_id").combine_chunks()


def sorted_events(table):
    """All columns of Silver's events by name, rows by their place in Kafka, which is unique."""
    names = sorted(set(table.column_names) - {"rescued_data"})
    return table.select(names).sort_by(
        [("kafka_partition", "ascending"), ("kafka_offset", "ascending")]).combine_chunks()


def difference(found, expected, key):
    """Sentences that say how two sorted tables differ; none when they are equal."""
    if found.schema != expected.schema:
        return [f"the columns are {found.schema}, expected {expected.schema}"]
    if found.equals(expected):
        return []
    theirs, ours = index(found, key), index(expected, key)
    faults = [f"{name} is there {len(theirs[name])} times"
              for name in theirs if len(theirs[name]) > 1]
    faults += [f"{name} is missing: {ours[name][0]}" for name in ours if name not in theirs]
    faults += [f"{name} should not be there: {theirs[name][0]}"
               for name in theirs if name not in ours]
    for name in theirs.keys() & ours.keys():
        left, right = theirs[name][0], ours[name][0]
        wrong = {c: (left[c], right[c]) for c in left if left[c] != right[c]}
        if wrong:
            faults.append(f"{name}: found and expected differ in {wrong}")
    return faults or ["the rows differ in their order or number"]


def index(table, key):
    rows = {}
    for row in table.to_pylist():
        rows.setdefault(tuple(row[name] for name in key), []).append(row)
    return rows
