"""What must hold for Silver after every run, checked from outside and from the files alone.

`inspect` returns a sentence for every broken promise. `Memory` carries what one look has to know
of those before it: what was final, when a row was written, which watermarks were given.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from delta_replay import read_file
from invariants import LOG_NAMES, arrow_schema, statistics_faults
from silver_sql import (SESSION_COLUMNS, Oracle, difference, plain, sorted_events,
                        sorted_sessions)
from silver_tables import (MILLISECOND, SILVER, Look, checkpoint_path, checksum_fault, events_path,
                           query_id, seen_by, sessions_path)

LARGEST_FINAL_FILE = 8 << 20
SOURCE_KEYS = ["sourceVersion", "reservoirId", "reservoirVersion", "index", "isStartingVersion"]
PLACE = ("kafka_partition", "kafka_offset")
CHECKPOINT_NAMES = re.compile(r"^(metadata|\.metadata\.crc|\d+|\.\d+\.crc)$")

_oracle = None


def oracle():
    global _oracle
    _oracle = _oracle or Oracle()
    return _oracle


@dataclass
class Memory:
    """What was seen at the earlier looks at the same state."""

    rows: dict = field(default_factory=dict)  # session -> (content, is_final, updated_at)
    stamps: dict = field(default_factory=dict)  # batch -> its timestamp in ms
    events: dict = field(default_factory=dict)  # (partition, offset) -> (visitor, time)
    newest: int = -1  # the newest batch of the last look
    judged: int = -1  # up to this batch watermarks were judged, or come from other settings


def inspect(state, memory=None, readers=()):
    """Sentences for everything that is wrong; `readers` names those that have to agree."""
    memory = memory or Memory()
    try:
        return Inspection(Look(state), memory).run(readers)
    except (AssertionError, ValueError, KeyError, OSError) as error:
        return [f"files: something cannot be read: {type(error).__name__}: {error}"]


def assert_silver(state, memory=None, readers=()):
    violations = inspect(state, memory, readers)
    assert not violations, f"{len(violations)} violations:\n" + "\n".join(violations[:20])


class Inspection:
    def __init__(self, look, memory):
        self.look, self.state, self.memory = look, look.state, memory
        self.violations = []

    def claim(self, promise, holds, text):
        if not holds:
            self.violations.append(f"{promise}: {text}")

    def run(self, readers):
        look = self.look
        if look.bronze is None or not len(look.bronze_rows):
            self.claim("P6", look.sessions is None or not len(look.session_rows),
                       "there are sessions and no events in Bronze")
            return self.violations
        if look.sessions is None or look.events is None:
            return ["P6: Bronze has rows, and Silver has no tables"]
        self.check_content()
        self.check_checkpoint()
        self.check_watermarks()
        self.check_finality()
        self.check_updates()
        self.check_commits()
        self.check_files()
        self.check_leftovers()
        for reader in readers:
            self.check_reader(reader)
        return self.violations

    # -- what is true ------------------------------------------------------------------------

    def check_content(self):
        """P6: the sessions and the unique events are those of the SQL over all of Bronze."""
        look = self.look
        sessions, events = oracle().recompute(look.bronze_rows, look.gap)
        for fault in difference(sorted_sessions(look.session_rows), sessions, ["session_id"])[:10]:
            self.claim("P6", False, f"session {fault}")
        for fault in difference(sorted_events(look.event_rows), events, PLACE)[:10]:
            self.claim("P6", False, f"event {fault}")
        total = sum(look.session_rows["event_count"].to_pylist())
        self.claim("P6", total == len(look.event_rows),
                   f"the sessions count {total} events, there are {len(look.event_rows)}")

    def check_reader(self, reader):
        """P8: a reader of other people finds what the own replay finds."""
        sessions, events = seen_by(reader, self.state)
        for fault in difference(sessions, sorted_sessions(self.look.session_rows),
                                ["session_id"])[:3]:
            self.claim("P8", False, f"{reader}: session {fault}")
        for fault in difference(events, sorted_events(self.look.event_rows), PLACE)[:3]:
            self.claim("P8", False, f"{reader}: event {fault}")

    # -- what the checkpoint says ------------------------------------------------------------

    def check_checkpoint(self):
        """P3: Spark's files, whole batches, and an offset that never goes back."""
        look, root = self.look, checkpoint_path(self.state)
        numbers = list(look.batches)
        commits = sorted(int(p.name) for p in (root / "commits").iterdir() if p.name.isdigit())
        self.claim("P3", numbers == commits, f"offsets {numbers[-3:]}, commits {commits[-3:]}")
        self.claim("P3", numbers == list(range(numbers[0], numbers[-1] + 1)), "offsets have a gap")
        for path in root.rglob("*"):
            if path.is_file():
                self.claim("P3", CHECKPOINT_NAMES.match(path.name), f"{path} is left over")
                if not path.name.startswith("."):
                    fault = checksum_fault(path)
                    self.claim("P3", fault is None, fault)
        before = None
        for batch in look.batches.values():
            self.check_source(batch, before)
            before = batch
        self.check_end(before)

    def check_source(self, batch, before):
        source = batch.source
        where = f"offsets/{batch.number}"
        self.claim("P3", list(source) == SOURCE_KEYS and source["sourceVersion"] == 1 and
                   batch.source_text == json.dumps(source, separators=(",", ":")),
                   f"{where}: the source's offset is {batch.source_text}")
        self.claim("P3", source["reservoirId"] == self.look.bronze.metadata["id"],
                   f"{where}: of table {source['reservoirId']}")
        if before is None:
            return
        self.claim("P3", batch.timestamp > before.timestamp, f"{where}: its time does not rise")
        self.claim("P3", position(source) >= position(before.source),
                   f"{where}: {batch.source_text} is before {before.source_text}")
        self.claim("P3", before.source["isStartingVersion"] or not source["isStartingVersion"],
                   f"{where}: back in the first snapshot")

    def check_end(self, batch):
        """P5, I10: the newest batch ends behind all of Bronze's rows."""
        source, bronze = batch.source, self.look.bronze
        self.claim("P5", not source["isStartingVersion"] and source["index"] == -1,
                   f"the run ended inside a version: {batch.source_text}")
        self.claim("P5", source["reservoirVersion"] <= bronze.version + 1,
                   f"ahead of Bronze's version {bronze.version}: {batch.source_text}")
        for version in range(source["reservoirVersion"], bronze.version + 1):
            news = [action for action in bronze.commits.get(version, ())
                    if action.get("add", {}).get("dataChange")]
            self.claim("P5", not news, f"version {version} of Bronze was left behind")

    def check_watermarks(self):
        """Logged with each batch, never back, and each event's time cut at its arrival."""
        previous = 0
        for batch in self.look.batches.values():
            where = f"batch {batch.number}"
            known = [previous, max(previous, batch.timestamp - self.lateness_ms)]
            first = batch.number == min(self.look.batches)
            self.claim("watermark", batch.watermark >= previous, f"{where}: goes back")
            if batch.number > self.memory.judged and not first:
                self.claim("watermark", batch.watermark in known,
                           f"{where}: {batch.watermark} is none of {known}")
            self.claim("watermark", batch.next_watermark is not None and
                       batch.next_watermark >= batch.watermark, f"{where}: the next goes back")
            if batch.number > self.memory.judged:
                newest = self.newest_event(batch)
                expected = max(batch.watermark, newest // MILLISECOND - self.lateness_ms)
                self.claim("watermark", batch.next_watermark == expected,
                           f"{where}: next is {batch.next_watermark}, expected {expected}")
            previous = batch.next_watermark or previous
        self.memory.judged = max(self.look.batches)

    @property
    def lateness_ms(self):
        return self.look.lateness // MILLISECOND

    def newest_event(self, batch):
        """The newest event time that the stream had seen after `batch`, cut at its arrival.

        What it must have been is taken from the batch where Bronze's log is not whole any more.
        """
        if batch.source["isStartingVersion"] or min(self.look.bronze.commits, default=1) > 0:
            return batch.next_watermark * MILLISECOND + self.look.lateness
        return max((time for version, time in self.newest_of_versions.items()
                    if version < batch.source["reservoirVersion"]), default=0)

    @cached_property
    def newest_of_versions(self):
        """Bronze version -> newest event time in its files, each event's cut at its arrival."""
        found = {}
        for version, actions in self.look.bronze.commits.items():
            for action in actions:
                if action.get("add", {}).get("dataChange"):
                    time = self.newest_of_file(unquote(action["add"]["path"]))
                    found[version] = max(found.get(version, time), time)
        return found

    def newest_of_file(self, path):
        rows = plain(read_file(self.state.bronze, path).select(["event_ts", "ingested_at"]))
        return max(map(min, rows["event_ts"].to_pylist(), rows["ingested_at"].to_pylist()))

    # -- what the rows say of themselves -----------------------------------------------------

    def check_finality(self):
        """is_final: the last event plus the gap is before the newest batch's watermark."""
        newest = list(self.look.batches.values())[-1]
        limit = newest.watermark * MILLISECOND - self.look.gap
        for row in self.look.session_rows.to_pylist():
            expected = row["last_event_ts"] < limit
            self.claim("is_final", row["is_final"] == expected,
                       f"{row['session_id']} says {row['is_final']}: last event "
                       f"{row['last_event_ts']}, limit {limit}")

    def check_updates(self):
        """updated_at: the time of the batch that changed the row last, and no other."""
        memory = self.memory
        stamps = {b.number: b.timestamp for b in self.look.batches.values()}
        of_this_run = {s * MILLISECOND for n, s in stamps.items() if n > memory.newest}
        memory.stamps.update(stamps)
        known = {stamp * MILLISECOND for stamp in memory.stamps.values()}
        purged = min(known) if min(memory.stamps) > 0 else 0  # older batches are not logged now
        rows, replaced = {}, self.replaced()
        for row in self.look.session_rows.to_pylist():
            name, time = row["session_id"], row["updated_at"]
            content = tuple(row[column] for column in SESSION_COLUMNS)
            before = memory.rows.get(name)
            rows[name] = (content, row["is_final"], time)
            self.claim("updated_at", time in known or time < purged,
                       f"{name}: {time} is the time of no batch")
            if before is None or before[:2] != rows[name][:2]:
                self.claim("updated_at", time in of_this_run or time < purged,
                           f"{name}: changed in this run, {time} is not one of its batches")
            elif time != before[2]:
                # An event may have given way to an equal one; what nothing touched stays as it is.
                self.claim("updated_at", any(is_within(event, row) for event in replaced),
                           f"{name}: not changed, yet {before[2]} became {time}")
        memory.rows, memory.newest = rows, max(stamps)

    def replaced(self):
        """(visitor, time) of the events that were there at the last look and gave way since."""
        look = self.look
        names = ("kafka_partition", "kafka_offset", "event_ts", "customer_id", "session_id")
        columns = zip(*(look.event_rows[name].to_pylist() for name in names))
        events = {(p, o): (browser if customer is None else customer, time)
                  for p, o, time, customer, browser in columns}
        before, self.memory.events = self.memory.events, events
        return [event for place, event in before.items() if place not in events]

    # -- how it is stored --------------------------------------------------------------------

    def check_commits(self):
        """P1, P3: one commit of the sessions for each batch, carrying that of the events."""
        look, query = self.look, query_id(self.state)
        newest = max(look.batches)
        self.claim("P3", look.sessions.transactions.get(query) == newest,
                   f"txn of the sessions is {look.sessions.transactions}, the newest {newest}")
        found = transactions(look.sessions, query)
        first = min(look.sessions.commits, default=0)
        rebuilt = max((b for b, commits in found.items() if operation(commits[0]) == "REBUILD"),
                      default=-1)  # that commit stands for the batches before it
        for batch in look.batches:
            commits = found.get(batch, [])
            self.claim("P1", len(commits) == 1 or not commits and (first > 0 or batch < rebuilt),
                       f"batch {batch} is in the sessions {len(commits)} times")
        second = transactions(look.events, query)
        for batch, commits in found.items():
            self.check_accounting(batch, commits[0], second.get(batch, []))
        self.claim("P8", protocol(look.sessions) == protocol(look.events) == (1, 2),
                   f"protocols {look.sessions.protocol}, {look.events.protocol}")
        self.claim("P8", look.sessions.metadata["partitionColumns"] == ["is_final"],
                   f"partitioned by {look.sessions.metadata['partitionColumns']}")

    def check_accounting(self, batch, actions, second):
        account = next(a["commitInfo"] for a in actions if "commitInfo" in a)["shopmetrics"]
        self.claim("P3", (account["query"], account["batch"]) == (SILVER, batch),
                   f"batch {batch}: the accounting is of {account['query']} {account['batch']}")
        carried = account.get("second", {"actions": []})["actions"]
        if not carried:
            self.claim("P1", not second, f"batch {batch} is in the events, not carried")
            return
        cleaned = min(self.look.events.commits, default=0) > 0
        self.claim("P1", len(second) == 1 or not second and cleaned,
                   f"batch {batch} is in the events {len(second)} times")
        for actions in second:
            for action in carried:
                self.claim("P1", action in actions, f"batch {batch}: {action} is not in the events")

    def check_files(self):
        """P10, I6: files are whole, their statistics true, final ones small and sorted by time."""
        for table, snapshot in ((sessions_path(self.state), self.look.sessions),
                                (events_path(self.state), self.look.events)):
            schema = arrow_schema(snapshot)
            for path, add in snapshot.files.items():
                file = table / path
                self.claim("I6", file.stat().st_size == add["size"],
                           f"{file}: {file.stat().st_size} bytes, the log says {add['size']}")
                rows = read_file(table, path)
                for fault in statistics_faults(file, add, rows, schema):
                    self.claim("I6", False, fault)
                if add["partitionValues"].get("is_final") == "true":
                    self.check_final_file(file, rows)

    def check_final_file(self, file, rows):
        self.claim("P10", file.stat().st_size <= LARGEST_FINAL_FILE, f"{file} is larger than 8 MiB")
        times = rows["first_event_ts"].to_pylist()
        self.claim("P9", times == sorted(times), f"{file} is not sorted by time")

    def check_leftovers(self):
        """I8: nothing is there that no log names now or has named before."""
        for table, snapshot in ((sessions_path(self.state), self.look.sessions),
                                (events_path(self.state), self.look.events)):
            named = snapshot.files.keys() | snapshot.removed.keys()
            for path in table.rglob("*"):
                name = str(path.relative_to(table))
                if path.is_dir():
                    self.claim("I8", name == "_delta_log" or name.startswith("is_final="),
                               f"{path} is a stray directory")
                elif name.startswith("_delta_log/"):
                    self.claim("I8", LOG_NAMES.match(path.name), f"{path} is left over")
                else:
                    self.claim("I8", name in named, f"{path} is not named by the log")


def is_within(event, row):
    visitor, time = event
    return row["first_event_ts"] <= time <= row["last_event_ts"] and \
        row["session_id"] == f"{visitor}-{row['first_event_ts']}"


def position(source):
    return source["reservoirVersion"], source["index"]


def protocol(snapshot):
    return snapshot.protocol["minReaderVersion"], snapshot.protocol["minWriterVersion"]


def operation(actions):
    return next(a["commitInfo"] for a in actions if "commitInfo" in a).get("operation")


def transactions(snapshot, query):
    """batch -> the commits (lists of actions) with the query's txn of that batch."""
    found = {}
    for actions in snapshot.commits.values():
        for action in actions:
            if "txn" in action and action["txn"]["appId"] == query:
                found.setdefault(action["txn"]["version"], []).append(actions)
    return found
