"""What all sweeps share: recording the points of a run, dying at one, judging what is left."""

import os
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Acceptance"))

from invariants import assert_idle_run_writes_nothing  # noqa: E402
from support import CLEAN, KILLED, build_tracer, execute  # noqa: E402

RESTARTS = 3
SECONDS = 120  # for a run under the tracer; it takes a fraction of one


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

    def __str__(self):
        return f"{self.scenario} {self.name} {self.path}"


@dataclass
class Result:
    point: Point
    hit: bool
    violations: list


class Sweep:
    """Start states, their recordings, and the work on one point.

    A subclass makes the states in `prepare`, says in `command` what runs on them, in `judge` what
    must hold after a run, and in `finish` how a killed one is taken up again. The object goes to
    the workers, so it keeps addresses and paths, and nothing that is open.
    """

    STATIONS = {}  # what the recordings must pass through, or the sweep proves less than it says
    SCENARIOS = ()

    def __init__(self, directory, brokers, seed):
        self.directory, self.seed, self.brokers = directory, seed, brokers
        self.tracer = build_tracer(directory)
        self.starts, self.points = {}, []

    def command(self, scenario, state):
        return state.command("run", "--once")

    def run(self, scenario, state, *options):
        wrapper = [str(self.tracer), "--under", str(state.directory), "--log",
                   str(state.root / "points"), *options, "--"]
        return execute([*wrapper, *self.command(scenario, state)], SECONDS)

    def record(self, scenario):
        """An undisturbed run of the scenario: its points, and the proof that it is sound."""
        state = self.starts[scenario].copy(self.directory / f"{scenario}-recorded")
        outcome = self.run(scenario, state)
        assert outcome.code == CLEAN, outcome.output
        violations = self.judge(state)
        assert not violations, violations[:5]
        for line in (state.root / "points").read_text().splitlines():
            number, thread, call, ordinal, path = line.split(" ", 4)
            self.points.append(Point(scenario, int(number), f"{thread}:{call}:{ordinal}", path))
        shutil.rmtree(state.root)

    def point(self, scenario, call, part, which=0):
        """One of the scenario's points whose call begins and whose path contains as given."""
        found = [p for p in self.points if p.scenario == scenario
                 and p.call.startswith(call) and part in p.path]
        assert found, f"no point of {scenario} is a {call} of {part}"
        return found[which]

    def interrupted(self, scenario, name, point):
        """The scenario's start state after a death at `point`."""
        state = self.starts[scenario].copy(self.directory / name)
        assert self.run(scenario, state, "--kill", point.name).code == KILLED
        return state

    def check_stations(self):
        for station, (call, part) in self.STATIONS.items():
            assert any(p.call.startswith(call) and part in p.path for p in self.points), \
                f"no recorded run passes '{station}' ({call} of {part}...)"

    def kill_and_check(self, point, twice):
        """A run killed at `point`, restarts, and what is wrong with the state afterwards."""
        state = self.starts[point.scenario].copy(self.directory / f"point-{os.getpid()}")
        try:
            outcome = self.run(point.scenario, state, "--kill", point.name)
            reached = (state.root / "points").read_text().splitlines()
            name = ":".join(reached[-1].split(" ")[1:4]) if reached else ""
            if outcome.code != KILLED or name != point.name:
                return Result(point, False, [])
            source = random.Random(f"{self.seed} {point}")
            if twice:
                self.run(point.scenario, state, "--kill-at", str(source.randrange(1, 60)))
            return Result(point, True, self.finish(point.scenario, state, source))
        finally:
            shutil.rmtree(state.root, ignore_errors=True)

    def idle(self, state):
        try:
            assert_idle_run_writes_nothing(state)
            return []
        except AssertionError as error:
            return [f"I12: {error}"]

    def restart(self, state):
        """Runs until one ends well; a sentence when none does."""
        for _ in range(RESTARTS):
            outcome = state.run_once(expect=None)
            if outcome.code == CLEAN:
                return []
        return [f"the restart ended with {outcome.code}: {outcome.output[-2000:]}"]
