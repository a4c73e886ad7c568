"""Silver by the method of the pipeline that this project replaces, with delta-rs for Spark.

    reference_silver.py polars|duckdb BRONZE SILVER [--until VERSION] [--at-once]

Takes every Bronze version that SILVER has not seen (SILVER.version beside it says): the visitors of
its events are the affected ones, ALL their events are read again, a window function cuts them into
sessions, and those are merged into SILVER by `session_id`. `--at-once` cuts the whole of Bronze up
to the version in one go, for a table to begin with. Prints {"steps": N, "new_events": N,
"affected_visitors": N, "merged_sessions": N}.
"""

import argparse
import json
import pathlib

import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

import sessions_peer

VISITOR = "coalesce(customer_id, session_id)"


def polars_sessions(files, new_files):
    """The sessions of everybody who has an event in the new files, and how many that are."""
    import polars as pl

    events = pl.scan_parquet(files)
    if new_files is None:
        return sessions_peer.sessions(pl, events).collect().to_arrow(), 0
    visitor = pl.coalesce("customer_id", "session_id").alias("visitor")
    affected = pl.scan_parquet(new_files).select(visitor).unique().collect()
    theirs = events.with_columns(visitor).join(affected.lazy(), on="visitor", how="semi")
    return sessions_peer.sessions(pl, theirs).collect().to_arrow(), len(affected)


def duckdb_sessions(files, new_files):
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    if new_files is None:
        query = sessions_peer.SQL.replace("$files", str(files))
        return connection.sql(query).to_arrow_table(), 0
    connection.execute(f"create table affected as select distinct {VISITOR} visitor "
                       f"from read_parquet({new_files})")
    theirs = f"read_parquet({files}) semi join affected on {VISITOR} = visitor"
    query = sessions_peer.SQL.replace("read_parquet($files)", theirs)
    count = connection.sql("select count(*) from affected").fetchone()[0]
    return connection.sql(query).to_arrow_table(), count


ENGINES = {"polars": polars_sessions, "duckdb": duckdb_sessions}


def added_files(bronze, version):
    """Paths of the data files that one commit added."""
    commit = pathlib.Path(bronze, "_delta_log", f"{version:020}.json").read_text()
    actions = [json.loads(line) for line in commit.splitlines()]
    return [f"{bronze}/{action['add']['path']}" for action in actions if "add" in action]


def merge(silver, sessions):
    if not DeltaTable.is_deltatable(silver):
        write_deltalake(silver, sessions)
        return
    (DeltaTable(silver)
     .merge(sessions, "old.session_id = new.session_id", source_alias="new", target_alias="old")
     .when_matched_update_all().when_not_matched_insert_all().execute())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("bronze")
    parser.add_argument("silver")
    parser.add_argument("--until", type=int)
    parser.add_argument("--at-once", action="store_true")
    options = parser.parse_args()
    find = ENGINES[options.engine]
    seen_file = pathlib.Path(f"{options.silver}.version")
    seen = int(seen_file.read_text()) if seen_file.exists() else -1
    last = DeltaTable(options.bronze).version() if options.until is None else options.until
    counts = dict.fromkeys(("steps", "new_events", "affected_visitors", "merged_sessions"), 0)
    for version in [last] if options.at_once else range(seen + 1, last + 1):
        new_files = None if options.at_once else added_files(options.bronze, version)
        if new_files == []:
            continue
        uris = DeltaTable(options.bronze, version=version).file_uris()
        files = [uri.removeprefix("file://") for uri in uris]
        sessions, affected = find(files, new_files)
        merge(options.silver, sessions)
        counts["steps"] += 1
        counts["affected_visitors"] += affected
        counts["merged_sessions"] += len(sessions)
        counts["new_events"] += sum(pq.read_metadata(f).num_rows for f in new_files or files)
    seen_file.write_text(str(last))
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
