"""Kills the daemon at every file-changing system call of its runs and checks what is left.

    sweep.py [--sample N] [--seed S] [--workers W] [--twice] [--only SCENARIO]

For each scenario a run is recorded (crashpoints.c): that names every point (thread, call, ordinal).
Then for each point: a copy of the same start state, a run that is killed there, which must be
seen to have died there; restarts until one ends with 0; and all invariants. The broker and its
data stay the same. `--twice` also kills the restart, at a point that the seed chooses.

Scenarios: `first` is the very first run, with the creation of tables and checkpoint; `later` is a
run on a state of more than a hundred batches, so that logs are checkpointed and cleaned and old
batches purged; `pending` begins with a recovery that has to complete the second table's commit.

Exit: 0 when every point was hit and no invariant broken, else 1.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Acceptance"))

from broker import EmbeddedBroker, Truth  # noqa: E402
from events import mixed  # noqa: E402
from invariants import assert_idle_run_writes_nothing, check_invariants  # noqa: E402
from support import CLEAN, KILLED, State, binary, build_tracer  # noqa: E402

RESTARTS = 3
PREPARED_BATCHES = 103
TWO_DAYS = 2 * 86_400

# What the recorded runs must pass through, or the sweep would prove less than it says.
STATIONS = {
    "bronze data": ("write", "/bronze/clickstream_raw/clickstream_bronze-"),
    "bronze commit": ("link", "/bronze/clickstream_raw/_delta_log/"),
    "letter data": ("write", "/bronze/clickstream_dead_letter/clickstream_bronze-"),
    "letter commit": ("link", "/bronze/clickstream_dead_letter/_delta_log/"),
    "offsets": ("link", "/checkpoints/clickstream_bronze/offsets/"),
    "commits": ("link", "/checkpoints/clickstream_bronze/commits/"),
    "log checkpoint": ("rename", "/_delta_log/_last_checkpoint"),
    "log clean-up": ("unlink", "/bronze/clickstream_raw/_delta_log/0"),
    "purge": ("unlink", "/checkpoints/clickstream_bronze/offsets/"),
}


@dataclass(frozen=True)
class Point:
    """One line of a recording: the call is `name` (thread:call:ordinal), its file `path`."""

    scenario: str
    number: int
    name: str
    path: str

    @property
    def call(self):
        return self.name.split(":")[1]


@dataclass
class Result:
    point: Point
    killed: bool
    violations: list


class Sweep:
    """The scenarios' start states, their recordings, and the work on one point."""

    def __init__(self, directory, broker, seed):
        self.directory, self.seed = directory, seed
        self.tracer = build_tracer(directory)
        self.broker = broker
        self.starts, self.points = {}, []

    def prepare(self, only):
        """Builds the start states, then records a run of each that was asked for."""
        first = State(self.directory / "first", self.broker.brokers,
                      limits={"max_offsets_per_batch": 10},
                      delta={"checkpoint_interval": 10, "log_retention": "1h"})
        first.directory.mkdir()
        self.broker.produce(mixed(10 * PREPARED_BATCHES, self.seed))
        later = first.copy(self.directory / "later")
        later.run_once()
        self.age(later)
        self.broker.produce(mixed(70, self.seed + 1, bad_share=0.2, start=20_000))
        later.configure(limits={"max_offsets_per_batch": 20}, delta={"checkpoint_interval": 3})
        first.configure(limits={"max_offsets_per_batch": 300}, delta={"checkpoint_interval": 3})
        self.truth = Truth.read(self.broker.brokers)
        self.starts = {"first": first, "later": later}
        self.record("later")
        self.starts["pending"] = self.interrupted(later)
        for scenario in ("first", "pending"):
            self.record(scenario)
        self.check_stations()
        self.points = [p for p in self.points if only in (None, p.scenario)]

    def age(self, state):
        """Makes all log entries older than the retention, which is judged by the files' times."""
        for path in state.directory.rglob("_delta_log/*"):
            status = path.stat()
            os.utime(path, (status.st_atime - TWO_DAYS, status.st_mtime - TWO_DAYS))

    def interrupted(self, later):
        """`later` after a death between the two tables' commits."""
        point = next(p for p in self.points if p.scenario == "later" and
                     p.call.startswith("link") and "dead_letter/_delta_log/" in p.path)
        state = later.copy(self.directory / "pending")
        assert self.run(state, "--kill", point.name).code == KILLED
        return state

    def run(self, state, *options):
        log = state.root / "points"
        return state.run_once(expect=None, timeout=120, wrapper=[
            str(self.tracer), "--under", str(state.directory), "--log", str(log), *options, "--"])

    def record(self, scenario):
        state = self.starts[scenario].copy(self.directory / f"{scenario}-recorded")
        outcome = self.run(state)
        assert outcome.code == CLEAN, outcome.output
        violations = check_invariants(state, self.truth)
        assert not violations, violations[:5]
        for line in (state.root / "points").read_text().splitlines():
            number, thread, call, ordinal, path = line.split(" ", 4)
            self.points.append(Point(scenario, int(number), f"{thread}:{call}:{ordinal}", path))
        shutil.rmtree(state.root)

    def check_stations(self):
        for station, (call, part) in STATIONS.items():
            assert any(p.call.startswith(call) and part in p.path for p in self.points), \
                f"no recorded run passes '{station}' ({call} of {part}...)"

    def kill_and_check(self, point, twice):
        """A run killed at `point`, restarts, and what is wrong with the state afterwards."""
        state = self.starts[point.scenario].copy(self.directory / f"point-{os.getpid()}")
        try:
            outcome = self.run(state, "--kill", point.name)
            reached = (state.root / "points").read_text().splitlines()
            name = ":".join(reached[-1].split(" ")[1:4]) if reached else ""
            if outcome.code != KILLED or name != point.name:
                return Result(point, False, [])
            if twice:
                again = random.Random(f"{self.seed} {point}").randrange(1, 60)
                self.run(state, "--kill-at", str(again))
            return Result(point, True, self.finish(state))
        finally:
            shutil.rmtree(state.root, ignore_errors=True)

    def finish(self, state):
        for _ in range(RESTARTS):
            outcome = state.run_once(expect=None)
            if outcome.code == CLEAN:
                break
        if outcome.code != CLEAN:
            return [f"the restart ended with {outcome.code}: {outcome.output[-2000:]}"]
        violations = check_invariants(state, self.truth)
        try:
            assert_idle_run_writes_nothing(state)
        except AssertionError as error:
            violations.append(f"I12: {error}")
        return violations


def sampled(points, size, seed):
    """A seeded choice in which every (scenario, call, kind of file) is there at least once."""
    if size is None or size >= len(points):
        return points
    source = random.Random(seed)
    shuffled = source.sample(points, len(points))
    kinds = {}
    for point in shuffled:
        kinds.setdefault((point.scenario, point.call, Path(point.path).parent), point)
    first = list(kinds.values())[:size]
    return first + [p for p in shuffled if p not in first][:size - len(first)]


sweep = None  # set before the workers fork, which inherit it


def work(job):
    return sweep.kill_and_check(*job)


def report(results, seconds):
    for result in results:
        where = f"{result.point.scenario} {result.point.name} {result.point.path}"
        if not result.killed:
            print(f"MISSED   {where}")
        for violation in result.violations[:5]:
            print(f"VIOLATED {where}\n         {violation}")
    killed = sum(result.killed for result in results)
    violated = sum(bool(result.violations) for result in results)
    scenarios = Counter(result.point.scenario for result in results)
    print(", ".join(f"{name}: {count} points" for name, count in sorted(scenarios.items())))
    print(f"{len(results)} points, {killed} killed, {violated} violations, {seconds:.0f} s")
    return killed == len(results) and violated == 0


def main():
    global sweep
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="so many points instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--twice", action="store_true", help="kill the restart, too")
    parser.add_argument("--only", choices=("first", "later", "pending"))
    options = parser.parse_args()
    started = time.monotonic()
    broker = EmbeddedBroker(binary("embedded-broker"))
    directory = Path(tempfile.mkdtemp(prefix="shopmetrics-sweep-"))
    try:
        sweep = Sweep(directory, broker, options.seed)
        sweep.prepare(options.only)
        points = sampled(sweep.points, options.sample, options.seed)
        print(f"{len(sweep.points)} points recorded, {len(points)} to visit, "
              f"seed {options.seed}", flush=True)
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(options.workers, context) as pool:
            results = list(pool.map(work, [(point, options.twice) for point in points]))
        return 0 if report(results, time.monotonic() - started) else 1
    finally:
        broker.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
