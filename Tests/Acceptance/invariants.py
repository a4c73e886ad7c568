"""What must hold for every state directory, checked from outside and from the files alone.

The truth is what a plain consumer finds in the topic; the checks use the own replay of the log,
the oracle's parse of every value, and the accounting that the commits carry. The names are those
of the checks below: I1 to I9, I12 is `assert_idle_run_writes_nothing`.
"""

import json
import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone

import oracle
import pyarrow as pa
import pyarrow.compute as pc
from delta_replay import arrow_schema, read_file, replay
from support import QUERY, RETRY

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LOG_NAMES = re.compile(
    r"^(\d{20}\.json|\d{20}\.checkpoint\.parquet|_last_checkpoint)$")
CHECKPOINT_NAMES = re.compile(r"^(metadata|\.metadata\.crc|\d+|\.\d+\.crc)$")


def moment(microseconds):
    """A UTC time as pyarrow gives it back; None for none."""
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


class Inspection:
    """One look at a state directory; `violations` holds a sentence for every broken invariant."""

    def __init__(self, state, truth):
        self.state, self.truth = state, truth
        self.violations = []
        self.bronze = replay(state.bronze)
        self.letters = replay(state.dead_letter)
        self.query_id = state.query_id()
        self.files = {}  # (table, path) -> arrow table
        self.limits = decode_limits(state.settings.get("limits", {}))
        self.batches = self.collect_batches()
        self.retries = self.collect_retries()

    def claim(self, invariant, holds, text):
        if not holds:
            self.violations.append(f"{invariant}: {text}")

    def run(self):
        if self.bronze is None:
            self.claim("I1", not self.truth.records, "there are records and no Bronze table")
            return self.violations
        self.check_files()
        self.check_rows()
        self.check_continuity()
        self.check_batches()
        self.check_retries()
        self.check_versions()
        self.check_leftovers()
        return self.violations

    # -- reading -----------------------------------------------------------------------------

    def collect_batches(self):
        """batch -> (Bronze version, accounting, actions) of the commits whose JSON is there."""
        found = {}
        for version, actions in (self.bronze.commits if self.bronze else {}).items():
            for action in actions:
                if "txn" in action and action["txn"]["appId"] == self.query_id:
                    batch = action["txn"]["version"]
                    self.claim("I5", batch not in found, f"batch {batch} is in Bronze twice")
                    info = next(a["commitInfo"] for a in actions if "commitInfo" in a)
                    found[batch] = (version, info["shopmetrics"], actions)
        return found

    def collect_retries(self):
        """number -> (Bronze version, accounting, actions) of the retries of dead letters."""
        found = {}
        for version, actions in (self.bronze.commits if self.bronze else {}).items():
            for transaction in (a["txn"] for a in actions if "txn" in a):
                if transaction["appId"] == RETRY:
                    self.claim("I5", transaction["version"] not in found,
                               f"retry {transaction['version']} is in Bronze twice")
                    info = next(a["commitInfo"] for a in actions if "commitInfo" in a)
                    found[transaction["version"]] = (version, info["shopmetrics"], actions)
        return found

    def rows_of(self, table, path):
        key = (str(table), path)
        if key not in self.files:
            try:
                self.files[key] = read_file(table, path)
            except (pa.ArrowException, OSError) as error:
                self.claim("I6", False, f"{table / path} cannot be read: {error}")
                self.files[key] = pa.table({})
        return self.files[key]

    def live_rows(self, table, snapshot):
        rows = []
        for path in snapshot.files if snapshot else ():
            if (table / path).exists():
                rows += self.rows_of(table, path).to_pylist()
        return rows

    # -- the invariants ----------------------------------------------------------------------

    def check_files(self):
        """I6: every referenced file is there, whole, and its statistics are those of its rows."""
        for table, snapshot in ((self.state.bronze, self.bronze),
                                (self.state.dead_letter, self.letters)):
            for path, add in (snapshot.files if snapshot else {}).items():
                file = table / path
                self.claim("I6", file.exists(), f"{file} is named by the log and missing")
                if not file.exists():
                    continue
                self.claim("I6", file.stat().st_size == add["size"],
                           f"{file}: {file.stat().st_size} bytes, the log says {add['size']}")
                self.check_statistics(file, add, self.rows_of(table, path), arrow_schema(snapshot))

    def check_statistics(self, file, add, rows, schema):
        for fault in statistics_faults(file, add, rows, schema):
            self.claim("I6", False, fault)

    def check_rows(self):
        """I1, I2, I3: each record is one row, with the fields that the oracle finds in it."""
        good = self.live_rows(self.state.bronze, self.bronze)
        dead = [row for row in self.live_rows(self.state.dead_letter, self.letters)
                if row["failure_reason"] != "data_loss"]
        counts = Counter((r["kafka_partition"], r["kafka_offset"]) for r in good)
        dead_counts = Counter((r["kafka_partition"], r["kafka_offset"]) for r in dead)
        both = counts.keys() & dead_counts.keys()
        self.claim("I2", not both, f"in both tables: {sorted(both)[:5]}")
        counts.update(dead_counts)
        repeated = [key for key, count in counts.items() if count > 1]
        lost = self.truth.records.keys() - counts.keys()
        invented = counts.keys() - self.truth.records.keys()
        self.claim("I1", not repeated, f"{len(repeated)} repeated: {sorted(repeated)[:5]}")
        self.claim("I1", not lost, f"{len(lost)} lost: {sorted(lost)[:5]}")
        self.claim("I1", not invented, f"{len(invented)} invented: {sorted(invented)[:5]}")
        for rows, is_good in ((good, True), (dead, False)):
            for row in rows:
                record = self.truth.records.get((row["kafka_partition"], row["kafka_offset"]))
                if record is not None:
                    self.check_row(row, record, is_good)

    def check_row(self, row, record, is_good):
        expected = expected_row(record, self.state.settings["kafka"]["topic"], self.limits)
        self.claim("I3", is_good == ("failure_reason" not in expected),
                   f"{record.partition}/{record.offset}: the oracle says {expected}")
        for name, value in expected.items():
            self.claim("I3", name in row and row[name] == value and type(row[name]) is type(value),
                       f"{record.partition}/{record.offset}: {name} is {row.get(name)!r}, "
                       f"the oracle says {value!r}")

    def check_continuity(self):
        """I4: per partition the batches tile [start, end) and the totals add up."""
        initial = self.state.initial_offsets()
        ended, totals = {}, {}
        for version in sorted([v for v, _, _ in (*self.batches.values(), *self.retries.values())]):
            accounting = next(a["commitInfo"]["shopmetrics"]
                              for a in self.bronze.commits[version] if "commitInfo" in a)
            for p, part in ((int(p), part) for p, part in accounting["partitions"].items()):
                where = f"{accounting['query']} {accounting['batch']} partition {p}"
                total = part.get("total")
                if accounting["query"] == RETRY:
                    change = {"good": part["moved"], "dead": -part["moved"], "absent": 0}
                else:
                    change = part
                    self.check_range(where, part, initial.get(p), ended.get(p))
                    ended[p] = part["end"]
                if p in totals and total:
                    for name in ("good", "dead", "absent"):
                        self.claim("I4", total[name] == totals[p][name] + change[name],
                                   f"{where}: the total of {name} does not add up")
                if total:
                    totals[p] = total
        _, ends = self.state.logged_offsets(self.state.batches()[-1])
        self.claim("I4", ends == self.truth.ends, f"ends at {ends}, the topic at {self.truth.ends}")
        for p, end in ended.items():
            self.claim("I4", end == ends.get(p), f"partition {p} ends at {end}")
        self.check_totals(totals)

    def check_range(self, where, part, began, ended):
        total = part["total"]
        rows = part["good"] + part["dead"] + part["absent"]
        self.claim("I4", part["start"] + rows == part["end"], f"{where}: {part}")
        self.claim("I4", total["start"] + total["good"] + total["dead"] + total["absent"]
                   == part["end"], f"{where}: totals {part}")
        self.claim("I4", began is None or total["start"] == began,
                   f"{where}: began at {began}, totals say {total}")
        self.claim("I4", ended is None or part["start"] == ended,
                   f"{where}: {part} does not begin where {ended} ended")

    def check_totals(self, totals):
        """The newest totals are the rows of the tables."""
        good = self.live_rows(self.state.bronze, self.bronze)
        dead = [row for row in self.live_rows(self.state.dead_letter, self.letters)
                if row["failure_reason"] != "data_loss"]
        for name, rows in (("good", good), ("dead", dead)):
            for p, total in totals.items():
                count = sum(row["kafka_partition"] == p and row["kafka_offset"] >= total["start"]
                            for row in rows)
                self.claim("I4", total[name] == count,
                           f"partition {p}: the total of {name} is {total[name]}, "
                           f"there are {count} rows")

    def check_batches(self):
        """I5: offsets/N, the accounting and the rows of the commit with txn N say the same."""
        offsets, commits = self.state.batches(), self.state.batches("commits")
        self.claim("I5", offsets == commits,
                   f"offsets/ has {offsets[-3:]}, commits/ {commits[-3:]}")
        self.claim("I5", offsets == list(range(offsets[0], offsets[-1] + 1)), "offsets/ has a gap")
        self.claim("I5", self.bronze.transactions.get(self.query_id) == offsets[-1],
                   f"txn of Bronze is {self.bronze.transactions}, the newest batch {offsets[-1]}")
        stamps = []
        for batch in sorted(self.batches.keys() & set(offsets)):
            _, accounting, actions = self.batches[batch]
            stamp, ends = self.state.logged_offsets(batch)
            stamps.append(stamp)
            self.claim("I5", (accounting["query"], accounting["batch"]) == (QUERY, batch),
                       f"batch {batch}: the accounting is of {accounting['query']} "
                       f"{accounting['batch']}")
            for p, part in accounting["partitions"].items():
                self.claim("I5", part["end"] == ends[int(p)], f"batch {batch}: {part}, log {ends}")
            self.check_batch_rows(batch, accounting, actions, stamp)
        self.claim("I5", stamps == sorted(set(stamps)), "batch timestamps do not rise")

    def check_batch_rows(self, batch, accounting, actions, stamp):
        second = accounting.get("second", {"actions": []})["actions"]
        self.check_second_commit(batch, second)
        found = defaultdict(lambda: [0, 0])
        for table, adds, kind in ((self.state.bronze, actions, 0),
                                  (self.state.dead_letter, second, 1)):
            for action in adds:
                if "add" not in action or not (table / action["add"]["path"]).exists():
                    continue
                for row in self.rows_of(table, action["add"]["path"]).to_pylist():
                    self.claim("P4", row["ingested_at"] == moment(stamp * 1000),
                               f"batch {batch}: ingested_at {row['ingested_at']}, log {stamp}")
                    if row.get("failure_reason") == "data_loss":
                        continue
                    part = accounting["partitions"].get(str(row["kafka_partition"]))
                    self.claim("I5", part and part["start"] <= row["kafka_offset"] < part["end"],
                               f"batch {batch}: offset {row['kafka_offset']} is outside {part}")
                    found[str(row["kafka_partition"])][kind] += 1
        for p, part in accounting["partitions"].items():
            self.claim("I5", found[p] == [part["good"], part["dead"]],
                       f"batch {batch} partition {p}: {found[p]} rows, the accounting says {part}")

    def check_retries(self):
        """I9: a retry adds rows of its own time, later than any before, and both tables have it."""
        numbers = sorted(self.retries)
        newest = max(numbers, default=None)
        for table in (self.bronze, self.letters):
            found = table.transactions.get(RETRY) if table else None
            self.claim("I9", newest is None or found == newest,
                       f"a table is at retry {found}, Bronze at {newest}")
        before = {version: self.state.logged_offsets(batch)[0]
                  for batch, (version, _, _) in self.batches.items()
                  if batch in self.state.batches()}
        for number in numbers:
            version, accounting, actions = self.retries[number]
            self.check_second_commit(number, accounting["second"]["actions"], RETRY)
            stamp = next(a["txn"]["lastUpdated"] for a in actions if "txn" in a)
            late = [b for v, b in before.items() if v < version and b >= stamp]
            self.claim("I9", not late, f"retry {number} of {stamp} is not after {late}")
            found = Counter()
            for action in (a["add"] for a in actions if "add" in a):
                for row in self.rows_of(self.state.bronze, action["path"]).to_pylist():
                    found[str(row["kafka_partition"])] += 1
                    self.claim("P4", row["ingested_at"] == moment(stamp * 1000),
                               f"retry {number}: ingested_at {row['ingested_at']}, not {stamp}")
            for p, part in accounting["partitions"].items():
                self.claim("I9", found[p] == part["moved"] + part["movedEarlier"],
                           f"retry {number} partition {p}: {found[p]} rows, but {part}")

    def check_second_commit(self, batch, second, query_id=None):
        """The carried actions are in the dead letters' log once, byte for byte."""
        query_id = query_id or self.query_id
        same = [actions for actions in (self.letters.commits if self.letters else {}).values()
                if {"appId": query_id, "version": batch} in
                [{k: a["txn"][k] for k in ("appId", "version")} for a in actions if "txn" in a]]
        if not second:
            self.claim("I5", not same, f"batch {batch} is in the dead letters, not carried")
            return
        if not same and self.letters and min(self.letters.commits, default=0) > 0:
            return  # the dead letters' log was cleaned further than Bronze's
        self.claim("I5", len(same) == 1, f"batch {batch}: {len(same)} commits of dead letters")
        for actions in same:
            for action in second:
                self.claim("I5", action in actions,
                           f"batch {batch}: {action} is not in the letters")

    def check_versions(self):
        """I7: the commits of the batches are in the order of the batches."""
        versions = [self.batches[batch][0] for batch in sorted(self.batches)]
        self.claim("I7", versions == sorted(versions), f"versions by batch: {versions}")
        for snapshot in (self.bronze, self.letters):
            if snapshot:
                versions = [snapshot.protocol[f"min{who}Version"] for who in ("Reader", "Writer")]
                self.claim("P8", versions == [1, 2], f"the protocol is {snapshot.protocol}")

    def check_leftovers(self):
        """I8: nothing is there that no log names: no orphans, no temporary files, no strangers."""
        for table, snapshot in ((self.state.bronze, self.bronze),
                                (self.state.dead_letter, self.letters)):
            for path in table.rglob("*") if snapshot else ():
                name = str(path.relative_to(table))
                if path.is_dir():
                    self.claim("I8", name == "_delta_log", f"{path} is a stray directory")
                elif name.startswith("_delta_log/"):
                    self.claim("I8", LOG_NAMES.match(path.name), f"{path} is left over")
                else:
                    self.claim("I8", name in snapshot.files or name in snapshot.removed,
                               f"{path} is not named by the log")
        for path in self.state.checkpoint.rglob("*"):
            if path.is_file():
                self.claim("I8", CHECKPOINT_NAMES.match(path.name), f"{path} is left over")


def statistics_faults(file, add, rows, schema):
    """A sentence for every figure of the log's statistics that the file's rows contradict."""
    statistics = json.loads(add["stats"])
    if statistics["numRecords"] != len(rows):
        yield f"{file}: numRecords is wrong"
    for name in rows.column_names:
        nulls = statistics["nullCount"].get(name)
        if nulls not in (None, rows[name].null_count):
            yield f"{file}: nullCount of {name} is {nulls}, found {rows[name].null_count}"
        low, high = (statistics[side].get(name) for side in ("minValues", "maxValues"))
        if low is None or high is None:
            continue
        kind = schema.field(name).type
        actual = pc.min_max(rows[name].cast(kind)).as_py()
        if not bounds_hold(kind, low, high, actual["min"], actual["max"]):
            yield f"{file}: {name} is within {actual}, the log says {low} to {high}"


def bounds_hold(kind, low, high, least, most):
    """Whether the log's bounds enclose the rows: exactly for numbers, loosely for cut values."""
    if least is None:
        return True
    if pa.types.is_timestamp(kind):
        low, high = (datetime.fromisoformat(text) for text in (low, high))
        slack = timedelta(milliseconds=1)
        return low <= least and least - low < slack and abs(high - most) < slack
    if pa.types.is_string(kind):
        return low.encode() <= least.encode() and (
            high.encode() >= most.encode() or most.startswith(high[:32]) and len(high) >= 32)
    if pa.types.is_date(kind):
        return (low, high) == (least.isoformat(), most.isoformat())
    return (low, high) == (least, most)


def decode_limits(limits):
    """The settings of `[limits]` as the oracle takes them."""
    units = {"KiB": 1 << 10, "MiB": 1 << 20}
    number, unit = re.fullmatch(r"(\d+)(\w+)", limits.get("max_value", "16MiB")).groups()
    return {"max_bytes": int(number) * units[unit], "max_depth": limits.get("max_json_depth", 1024)}


def expected_row(record, topic, limits=None):
    """The row that the contract asks for, all columns but ingested_at and failure_detail."""
    place = {
        "kafka_topic": topic, "kafka_partition": record.partition, "kafka_offset": record.offset,
        "kafka_timestamp": None if record.timestamp < 0 else moment(record.timestamp * 1000),
    }
    kind, found = oracle.decode(record.value, **(limits or {}))
    if kind == "row":
        return {**found, "event_ts": moment(found["event_ts"]), **place}
    return {**place, "failure_reason": found, "raw_value": record.value, "raw_key": record.key}


def check_invariants(state, truth):
    """A sentence for every violation of I1 to I8; an empty list when all hold."""
    try:
        inspection = Inspection(state, truth)
    except (AssertionError, ValueError, OSError) as error:
        return [f"I7: a log or the checkpoint cannot be read: {error}"]
    return inspection.run()


def assert_invariants(state, truth):
    violations = check_invariants(state, truth)
    assert not violations, f"{len(violations)} violations:\n" + "\n".join(violations[:20])


def assert_idle_run_writes_nothing(state):
    """I12: a run without new records leaves every byte, file and directory as it was."""
    before = state.tree()
    state.run_once()
    after = state.tree()
    changed = sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    assert not changed, f"an idle run changed {changed}"
