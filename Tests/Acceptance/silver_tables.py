"""Silver's tables and checkpoint of a state directory, read from the files alone."""

import json
import zlib
from dataclasses import dataclass
from functools import cache, cached_property

import duckdb
import polars
from delta_replay import read_rows, replay
from deltalake import DeltaTable
from silver_sql import plain, sorted_events, sorted_sessions
from test_readers import duckdb_extension

SILVER = "clickstream_silver"
MILLISECOND = 1000


def sessions_path(state):
    return state.directory / "silver" / "clickstream_sessions"


def events_path(state):
    return state.directory / "silver" / "clickstream_events"


def checkpoint_path(state):
    return state.directory / "checkpoints" / SILVER


def gap_of(state):
    return seconds_of(state.settings.get("silver", {}).get("session_gap", "1800s")) * 1_000_000


def lateness_of(state):
    text = state.settings.get("silver", {}).get("allowed_lateness", "600s")
    return seconds_of(text) * 1_000_000


def seconds_of(text):
    units = {"min": 60, "s": 1, "h": 3600, "d": 86_400}
    unit = next(unit for unit in units if text.endswith(unit))
    return int(text.removesuffix(unit)) * units[unit]


def delta_of(path):
    """The newest version as its own files tell it, as a plain table; None when there is none."""
    rows = read_rows(path)
    return None if rows is None else plain(rows)


@dataclass
class LoggedBatch:
    """One batch as the checkpoint has it; `next_watermark` is None while it is not committed."""

    number: int
    timestamp: int  # milliseconds, as the watermarks
    watermark: int
    source: dict
    source_text: str
    next_watermark: int | None


def logged_batches(state):
    """batch -> LoggedBatch for every file in offsets/."""
    root = checkpoint_path(state)
    # A kill may have left the one directory without the other.
    offsets = root / "offsets"
    found = {}
    for path in offsets.iterdir() if offsets.is_dir() else ():
        if not path.name.isdigit():
            continue
        version, metadata, source = path.read_text().split("\n")
        assert version == "v1", f"{path} begins with {version}"
        body = json.loads(metadata)
        commit = root / "commits" / path.name
        following = None
        if commit.exists():
            version, text = commit.read_text().split("\n")
            assert version == "v1", f"{commit} begins with {version}"
            following = json.loads(text)["nextBatchWatermarkMs"]
        number = int(path.name)
        found[number] = LoggedBatch(number, body["batchTimestampMs"], body["batchWatermarkMs"],
                                    json.loads(source), source, following)
    return dict(sorted(found.items()))


def checksum_fault(path):
    """What is wrong with the Hadoop sidecar of a checkpoint file; None when it is right."""
    sidecar = path.with_name(f".{path.name}.crc")
    if not sidecar.exists():
        return f"{path} has no checksum"
    data = path.read_bytes()
    sums = b"".join(zlib.crc32(data[at:at + 512]).to_bytes(4, "big")
                    for at in range(0, len(data), 512))
    return None if sidecar.read_bytes() == b"crc\0\0\0\2\0" + sums else f"{sidecar} is wrong"


def query_id(state):
    return json.loads((checkpoint_path(state) / "metadata").read_text())["id"]


class Look:
    """All of Silver and Bronze at one moment; each part is read when it is first asked for."""

    def __init__(self, state):
        self.state = state
        self.gap, self.lateness = gap_of(state), lateness_of(state)

    @cached_property
    def bronze(self):
        return replay(self.state.bronze)

    @cached_property
    def sessions(self):
        return replay(sessions_path(self.state))

    @cached_property
    def events(self):
        return replay(events_path(self.state))

    @cached_property
    def bronze_rows(self):
        return plain(read_rows(self.state.bronze, self.bronze))

    @cached_property
    def session_rows(self):
        """With is_final and updated_at, in no order."""
        return plain(read_rows(sessions_path(self.state), self.sessions))

    @cached_property
    def event_rows(self):
        return plain(read_rows(events_path(self.state), self.events))

    @cached_property
    def batches(self):
        return logged_batches(self.state)


def by_deltalake(path):
    return DeltaTable(path).to_pyarrow_table()


def by_polars(path):
    return polars.read_delta(str(path)).to_arrow()


@cache
def duckdb_with_delta():
    """One for the process: the extension takes longer to load than these tables to read."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"LOAD '{duckdb_extension()}'")
    return connection


def by_duckdb(path):
    return duckdb_with_delta().sql(f"FROM delta_scan('file://{path}')").to_arrow_table()


READERS = {"deltalake": by_deltalake, "polars": by_polars, "duckdb": by_duckdb}


def seen_by(reader, state):
    """(sessions, events) as one of the readers that analysts use finds them."""
    read = READERS[reader]
    return (sorted_sessions(plain(read(sessions_path(state)))),
            sorted_events(plain(read(events_path(state)))))
