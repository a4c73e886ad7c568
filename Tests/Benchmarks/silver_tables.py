"""What the benchmarks look at in Silver's tables: contents, commits and the space they take."""

import json
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

SESSIONS, EVENTS = "silver/clickstream_sessions", "silver/clickstream_events"
BRONZE = "bronze/clickstream_raw"
OFF = "enabled = false"


def session_totals(state):
    """Sessions, events in them, and how many sessions are not final."""
    sessions = pl.scan_delta(str(state / SESSIONS))
    found = sessions.select(
        pl.len().alias("sessions"), pl.col("event_count").sum().cast(pl.Int64).alias("events"),
        (~pl.col("is_final")).sum().alias("open")).collect()
    return found.row(0, named=True)


def event_total(state):
    return pl.scan_delta(str(state / EVENTS)).select(pl.len()).collect().item()


def version(table):
    return DeltaTable(str(table)).version()


def commits(table, first, last):
    """The actions of the commits from `first` to `last`."""
    for number in range(first, last + 1):
        text = (Path(table) / f"_delta_log/{number:020}.json").read_text()
        yield [json.loads(line) for line in text.splitlines()]


def final_file_changes(state, first, last):
    """(bytes of each final sessions file that was removed, of each that was added)."""
    removed, added = [], []
    for actions in commits(state / SESSIONS, first, last):
        for action in actions:
            for kind, sizes in (("remove", removed), ("add", added)):
                file = action.get(kind)
                if file and file["partitionValues"]["is_final"] == "true":
                    sizes.append(file["size"])
    return removed, added


def live_bytes(table):
    actions = DeltaTable(str(table)).get_add_actions(flatten=True)
    return sum(pl.DataFrame(actions)["size_bytes"].to_list())


def disk_bytes(table):
    """(bytes of data files on disk, of the log)"""
    data = log = 0
    for path in table.rglob("*"):
        try:
            size = path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue  # vacuumed while we looked
        if "_delta_log" in path.parts:
            log += size
        else:
            data += size
    return data, log
