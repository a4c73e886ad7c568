"""Sessions of a whole Bronze table from scratch, as a user of Polars or DuckDB writes it.

    sessions_peer.py polars|duckdb BRONZE OUT.parquet

A pause of more than 30 minutes ends a visitor's session. The visitor is the customer, or without
one the browser's session. Neither duplicates nor what was computed before are minded: this is the
least work that gives the sessions of clean events. Prints {"events": N, "sessions": N,
"import_cpu": S}.
"""

import json
import sys
import time

from deltalake import DeltaTable

GAP_MINUTES = 30
KINDS = ("page_view", "add_to_cart", "purchase", "search")


def by_polars(files, out):
    import polars as pl

    started = time.process_time()
    query = sessions(pl, pl.scan_parquet(files))
    found = query.collect()
    found.write_parquet(out)
    return int(found["event_count"].sum()), len(found), started


def sessions(pl, events):
    """The sessions of a frame of Bronze's rows, lazily; also for the reference's method."""
    visitor = pl.coalesce("customer_id", "session_id")
    pause = pl.col("event_ts").diff().over("v")
    first, last = pl.col("event_ts").min(), pl.col("event_ts").max()
    counts = [(pl.col("event_type") == kind).sum().cast(pl.Int32).alias(f"{kind}_count")
              for kind in KINDS]
    return (
        events.select("customer_id", "event_type", "event_ts", v=visitor)
        .sort("v", "event_ts")
        .with_columns(fresh=(pause > pl.duration(minutes=GAP_MINUTES)).fill_null(True))
        .with_columns(number=pl.col("fresh").cast(pl.Int32).cum_sum().over("v"))
        .group_by("v", "number")
        .agg(customer_id=pl.col("customer_id").first(), first_event_ts=first, last_event_ts=last,
             event_count=pl.len().cast(pl.Int32), *counts)
        .with_columns(
            session_id=pl.concat_str("v", "number", separator="-"),
            session_date=pl.col("first_event_ts").dt.date(),
            session_duration_secs=(pl.col("last_event_ts") - pl.col("first_event_ts"))
            .dt.total_seconds(),
            converted=pl.col("purchase_count") > 0)
        .drop("v", "number"))


SQL = f"""
with paused as (
  select customer_id, event_type, event_ts, coalesce(customer_id, session_id) v,
         event_ts - lag(event_ts) over (partition by coalesce(customer_id, session_id)
                                        order by event_ts) pause
  from read_parquet($files)),
numbered as (
  select *, sum(case when pause <= interval {GAP_MINUTES} minutes then 0 else 1 end)
            over (partition by v order by event_ts rows unbounded preceding) number
  from paused)
select v || '-' || number session_id, min(customer_id) customer_id,
       min(event_ts)::date session_date, min(event_ts) first_event_ts, max(event_ts) last_event_ts,
       date_diff('second', min(event_ts), max(event_ts)) session_duration_secs,
       count(*)::int event_count,
       {", ".join(f"count(*) filter (event_type = '{kind}')::int {kind}_count" for kind in KINDS)},
       bool_or(event_type = 'purchase') converted
from numbered group by v, number
"""


def by_duckdb(files, out):
    import duckdb

    started = time.process_time()
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(f"copy ({SQL.replace('$files', str(files))}) to '{out}' (format parquet)")
    counted = "select sum(event_count)::bigint, count(*) from read_parquet(?)"
    return *connection.execute(counted, [out]).fetchone(), started


def main():
    engine, bronze, out = sys.argv[1:]
    files = [uri.removeprefix("file://") for uri in DeltaTable(bronze).file_uris()]
    events, count, started = {"polars": by_polars, "duckdb": by_duckdb}[engine](files, out)
    print(json.dumps({"events": events, "sessions": count, "import_cpu": round(started, 3)}))


if __name__ == "__main__":
    main()
