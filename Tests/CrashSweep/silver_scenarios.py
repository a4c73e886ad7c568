"""Silver: sessions and unique events, and their rebuild.

Bronze is there already and the topic is empty, so that every point is Silver's. The clock cannot
change what is final while a sweep lasts: the sessions are long over, or open for hours.

silver: `first` is the first run, with the creation of tables and checkpoint; `later` a run on a
state of more than a hundred batches, with events that are new, late, repeated, that bridge two
sessions, that replace others and that are of the future; `pending` begins with a recovery that
has to complete the events' commit; `closing` is a run that only lets time pass.

rebuild: `fresh` makes the tables with another gap; `resumed` goes on with a rebuild that was
killed on its way; `switched` with one that was killed right behind its commit point.
"""

import silver_bronze
from scenarios import Sweep
from silver_generator import DAY, HOUR, LAST_TIME, MINUTE, SECOND
from silver_inspection import Memory, inspect, oracle
from silver_shop import LONG_AGO, click, now
from silver_sql import difference, sorted_events, sorted_sessions
from silver_tables import Look, logged_batches
from support import BAD_CONFIGURATION, CLEAN, State, binary, execute

PREPARED_BATCHES = 103
GAP, OTHER_GAP = "6h", "45min"
PLACE = ("kafka_partition", "kafka_offset")

# What an operator may change between a death and the restart.
CHANGES = (
    {}, {"silver": {"allowed_lateness": "0s"}}, {"silver": {"allowed_lateness": "7d"}},
    {"silver": {"max_rows_per_batch": 1}}, {"silver": {"max_rows_per_batch": 1_000_000}},
    {"silver": {"duplicate_cache_events": 1000}}, {"storage": {"compression": "none"}},
    {"silver": {"removed_file_retention": "1h"}},
)


def open_state(directory, brokers):
    state = State(directory, brokers, silver={"session_gap": GAP, "max_rows_per_batch": 1},
                  delta={"checkpoint_interval": 10, "log_retention": "1h"})
    state.directory.mkdir()
    return state


def earlier_versions():
    """A hundred versions of two clicks, sessions of every age, the last ones open."""
    for number in range(PREPARED_BATCHES):
        begin = LONG_AGO + number * 7 * HOUR
        yield [click(f"v-{number % 9}", begin), click(f"v-{number % 9}", begin + MINUTE)]
    yield [click(f"v-{number}", now() - number * SECOND) for number in range(9)]
    yield [click("future", LAST_TIME), click("tomorrow", now() + DAY)]


def later_versions():
    """What makes a batch touch every kind of file, in several batches."""
    begin = LONG_AGO
    repeated = click("v-0", begin + 2 * MINUTE, "purchase")
    yield [click("v-1", now()), click("new", now()), repeated]
    yield [click("v-0", begin + HOUR), repeated, click("v-3", begin - 10 * DAY)]
    # Bridges two sessions of v-0, which comes back every 63 hours.
    yield [click("v-0", begin + step * 5 * HOUR) for step in range(1, 13)]
    yield [{**repeated, "ingested_at": LONG_AGO, "page": "/first", "event_type": "search",
            "kafka_offset": repeated["kafka_offset"] + 10_000_000}, click("tomorrow", now() + DAY)]
    yield [click("v-2", now() - MINUTE)]


class StatesOfSilver(Sweep):
    """The judgement, and what both sweeps begin with."""

    def write(self, state, versions):
        for rows in versions:
            silver_bronze.append(state.bronze, rows)

    def judge(self, state):
        """The recorded runs; `closing` has another lateness than its state's one batch had."""
        lateness_changed = "allowed_lateness" in state.settings["silver"]
        return inspect(state, Memory(judged=0 if lateness_changed else -1))


class SilverSweep(StatesOfSilver):
    SCENARIOS = ("first", "later", "pending", "closing")
    STATIONS = {
        "session data": ("write", "/silver/clickstream_sessions/is_final=true/clickstream_silver-"),
        "open sessions": ("write", "/silver/clickstream_sessions/is_final=false/"),
        "session commit": ("link", "/silver/clickstream_sessions/_delta_log/"),
        "event data": ("write", "/silver/clickstream_events/clickstream_silver-"),
        "event commit": ("link", "/silver/clickstream_events/_delta_log/"),
        "offsets": ("link", "/checkpoints/clickstream_silver/offsets/"),
        "commits": ("link", "/checkpoints/clickstream_silver/commits/"),
        "log checkpoint": ("rename", "/silver/clickstream_sessions/_delta_log/_last_checkpoint"),
        "purge": ("unlink", "/checkpoints/clickstream_silver/offsets/"),
        "vacuum": ("unlink", "/silver/clickstream_sessions/is_final="),
    }

    def prepare(self, only):
        """Builds the start states, then records a run of each that was asked for."""
        first = open_state(self.directory / "first", self.brokers)
        first.configure(silver={"max_rows_per_batch": 40, "removed_file_retention": "0s"},
                        delta={"checkpoint_interval": 3})
        self.write(first, earlier_versions())
        later = first.copy(self.directory / "later")
        later.configure(silver={"max_rows_per_batch": 1})
        later.run_once(timeout=300)
        self.write(later, later_versions())
        later.configure(silver={"max_rows_per_batch": 4})
        self.starts = {"first": first, "later": later, "closing": self.closing()}
        self.record("later")
        between = self.point("later", "link", "/silver/clickstream_events/_delta_log/", 1)
        self.starts["pending"] = self.interrupted("later", "pending", between)
        for scenario in ("first", "pending", "closing"):
            self.record(scenario)
        self.check_stations()
        self.points = [p for p in self.points if only in (None, p.scenario)]

    def closing(self):
        """Open sessions that are final as soon as lateness is no longer allowed for."""
        state = open_state(self.directory / "closing", self.brokers)
        state.configure(silver={"session_gap": "1s", "allowed_lateness": "7d",
                                "max_rows_per_batch": 1_000_000})
        self.write(state, [[click("c", now() - HOUR), click("d", now() - DAY)],
                           [click("e", LONG_AGO), click("future", LAST_TIME)]])
        state.run_once()
        state.configure(silver={"allowed_lateness": "0s"})
        return state

    def finish(self, scenario, state, source):
        violations = readable(state)
        logged = max(logged_batches(state), default=-1)
        state.configure(**source.choice(CHANGES))
        violations += self.restart(state)
        return violations or inspect(state, Memory(judged=logged)) + self.idle(state)


def readable(state):
    """P8, at the moment of death: whole versions, in which no event counts twice."""
    faults = []
    look = Look(state)
    if look.sessions is not None:
        names = look.session_rows["session_id"].to_pylist()
        if len(set(names)) != len(names):
            faults.append("P8: a session is there twice")
    if look.events is not None:
        rows = look.event_rows
        places = list(zip(*(rows[name].to_pylist() for name in PLACE)))
        if len(set(places)) != len(places):
            faults.append("P8: an event is there twice")
    return faults


class RebuildSweep(StatesOfSilver):
    SCENARIOS = ("fresh", "resumed", "switched")
    STATIONS = {
        "new data": ("write", "/silver/.rebuild/clickstream_sessions/is_final="),
        "intent": ("rename", "/silver/.rebuild/intent"),
        "files beside": ("link", "/silver/clickstream_sessions/is_final="),
        "switch": ("link", "/silver/clickstream_sessions/_delta_log/"),
        "second table": ("link", "/silver/clickstream_events/_delta_log/"),
        "checkpoint": ("rename", "/checkpoints/clickstream_silver"),
        "clean-up": ("unlink", "/silver/.rebuild/"),
    }

    def command(self, scenario, state):
        return [str(binary("shopmetricsctl")), "--config", str(state.config),
                "silver", "rebuild", "--yes"]

    def prepare(self, only):
        fresh = open_state(self.directory / "fresh", self.brokers)
        self.write(fresh, list(earlier_versions())[::10])
        self.write(fresh, later_versions())
        fresh.configure(silver={"max_rows_per_batch": 10})
        fresh.run_once(timeout=300)
        fresh.configure(silver={"session_gap": OTHER_GAP})
        self.expected = contents(fresh, 6 * HOUR), contents(fresh, 45 * MINUTE)
        self.starts = {"fresh": fresh}
        self.record("fresh")
        halfway = self.point("fresh", "link", "/.rebuild/checkpoint/commits/", 1)
        switched = self.point("fresh", "link", "/silver/clickstream_events/_delta_log/")
        self.starts["resumed"] = self.interrupted("fresh", "resumed", halfway)
        self.starts["switched"] = self.interrupted("fresh", "switched", switched)
        for scenario in ("resumed", "switched"):
            self.record(scenario)
        self.check_stations()
        self.points = [p for p in self.points if only in (None, p.scenario)]

    def judge(self, state):
        violations = self.restart(state)
        if violations:
            return violations
        violations = inspect(state) + self.idle(state)
        if (state.directory / "silver" / ".rebuild").exists():
            violations.append("rebuild: its folder is left over")
        return violations

    def finish(self, scenario, state, source):
        violations = self.one_of_both(state)
        if source.random() < 0.5:
            outcome = state.run_once(expect=None)
            if outcome.code not in (CLEAN, BAD_CONFIGURATION):
                violations.append(f"the daemon ended with {outcome.code}: {outcome.output[-900:]}")
            violations += self.one_of_both(state)
        outcome = execute(self.command(scenario, state), 120)
        if outcome.code != CLEAN:
            return [*violations, f"rebuild ended with {outcome.code}: {outcome.output[-900:]}"]
        return violations + self.judge(state)

    def one_of_both(self, state):
        """P8: a reader finds the old sessions or the new ones, whole, never something between."""
        look = Look(state)
        sessions, events = sorted_sessions(look.session_rows), sorted_events(look.event_rows)
        old, new = (difference(sessions, expected, ["session_id"])
                    for expected, _ in self.expected)
        faults = [] if not old or not new else [f"P8: neither old nor new sessions: {old[:2]}"]
        return faults + [f"P8: {fault}" for fault in difference(events, self.expected[0][1], PLACE)]


def contents(state, gap):
    return oracle().recompute(Look(state).bronze_rows, gap)
