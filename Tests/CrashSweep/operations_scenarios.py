"""What an operator does to Bronze's checkpoint, killed at every call that changes a file.

`skip` passes over offsets of a stream whose newest batch was logged and not committed; `reset`
goes back in one partition and on in another; `rebuild` makes a damaged checkpoint again.

Half of the killed commands are followed by a run of the daemon, which must find a state that it
accepts; then the command is given again. A skip that was killed before its commit never happened,
and what was logged of it is an ordinary batch: so the offsets are one letter, or rows, whole.
"""

import json

from broker import TOPIC, Truth, produce
from events import mixed
from invariants import assert_idle_run_writes_nothing, check_invariants
from scenarios import Sweep
from support import BAD_CONFIGURATION, CLEAN, DAMAGED_STATE, State, binary, execute
from test_checkpoint_commands import copies, losses, without

SKIPPED = range(40, 60)  # of partition 1
RECORDS, MORE = 120, 90
TARGET = {0: 10, 1: SKIPPED.stop, 2: RECORDS // 3}  # of the reset


class OperationsSweep(Sweep):
    SCENARIOS = ("skip", "reset", "rebuild")
    STATIONS = {
        "copy": ("rename", "/checkpoints/clickstream_bronze.2"),
        "withdrawal": ("unlink", "/checkpoints/clickstream_bronze/offsets/"),
        "letter": ("write", "/bronze/clickstream_dead_letter/clickstream_bronze-"),
        "offsets": ("link", "/checkpoints/clickstream_bronze/offsets/"),
        "commit": ("link", "/bronze/clickstream_raw/_delta_log/"),
        "second table": ("link", "/bronze/clickstream_dead_letter/_delta_log/"),
        "new checkpoint": ("link", "/checkpoints/.work/new/"),
        "exchange": ("renameat2", "/checkpoints/clickstream_bronze"),
        "clean-up": ("unlink", "/checkpoints/.work/new/"),
    }

    def command(self, scenario, state):
        words = {
            "skip": ["skip", "--partition", "1", "--to", str(SKIPPED.stop)],
            "reset": ["reset", "--to", json.dumps({TOPIC: {str(p): o for p, o in TARGET.items()}})],
            "rebuild": ["rebuild"],
        }[scenario]
        return [str(binary("shopmetricsctl")), "--config", str(state.config), "checkpoint", *words,
                "--yes"]

    def prepare(self, only):
        first = State(self.directory / "start", self.brokers, silver={"enabled": False},
                      limits={"max_offsets_per_batch": 60})
        first.directory.mkdir()
        produce(self.brokers, mixed(RECORDS, self.seed, bad_share=0.2))
        first.run_once()
        produce(self.brokers, mixed(MORE, self.seed + 1, bad_share=0.2, start=RECORDS))
        self.truth = Truth.read(self.brokers)
        self.starts = {"reset": first, "skip": self.pending(first), "rebuild": self.damaged(first)}
        for scenario in self.SCENARIOS:
            self.record(scenario)
        self.check_stations()
        self.points = [p for p in self.points if only in (None, p.scenario)]

    def pending(self, first):
        """A run that died between the log of its offsets and its commit."""
        state = first.copy(self.directory / "pending")
        wrapper = [str(self.tracer), "--under", str(state.directory), "--log",
                   str(state.root / "points")]
        number = state.batches()[-1]
        state.run_once(expect=None, wrapper=[*wrapper, "--kill", self.first_commit(first), "--"])
        assert state.batches()[-1] == number + 1 and state.batches("commits")[-1] == number
        return state

    def first_commit(self, first):
        """The name of the point at which a run would commit to Bronze."""
        probe = first.copy(self.directory / "probe")
        log = probe.root / "points"
        probe.run_once(wrapper=[
            str(self.tracer), "--under", str(probe.directory), "--log", str(log), "--"])
        fields = [line.split(" ", 4) for line in log.read_text().splitlines()]
        return next(":".join(f[1:4]) for f in fields
                    if f[2].startswith("link") and "/clickstream_raw/_delta_log/" in f[4])

    def damaged(self, first):
        state = first.copy(self.directory / "damaged")
        newest = state.checkpoint / "offsets" / str(state.batches()[-1])
        newest.write_bytes(newest.read_bytes()[:-4])
        return state

    def judge(self, state, before=None):
        """`before` are the copies of each record when the command was given for the last time."""
        if violations := self.restart(state):
            return violations
        if state.query_id() == self.starts["reset"].query_id():
            return self.rows(state) + self.verified(state)
        return self.rows_of_reset(state, before or copies(self.starts["reset"])) + \
            self.verified(state)

    def finish(self, scenario, state, source):
        violations = []
        tree = state.tree()
        if source.random() < 0.5:
            outcome = state.run_once(expect=None)
            accepted = (CLEAN, DAMAGED_STATE) if scenario == "rebuild" else (CLEAN,)
            if outcome.code not in accepted:
                violations.append(f"the daemon ended with {outcome.code}: {outcome.output[-900:]}")
            if outcome.code == DAMAGED_STATE and state.tree() != tree:
                violations.append("a refused start changed something")
        before = None
        # Once more, a reset would read again what was read since.
        if scenario != "reset" or state.query_id() == self.starts["reset"].query_id():
            before = copies(state)
            outcome = execute(self.command(scenario, state), 60)
            if outcome.code not in (CLEAN, BAD_CONFIGURATION):
                violations.append(f"the command ended with {outcome.code}: {outcome.output[-900:]}")
        return violations + self.judge(state, before)

    def rows(self, state):
        lost = losses(state)
        if not lost:
            return check_invariants(state, self.truth)
        faults = check_invariants(state, without(self.truth, 1, SKIPPED))
        if [loss[:2] for loss in lost] != [(1, SKIPPED.start)]:
            faults.append(f"P12: the letters of lost offsets are {lost}")
        return faults

    def rows_of_reset(self, state, before):
        found = copies(state)
        wrong = [(p, o) for p, o in self.truth.records
                 if found[p, o] != before[p, o] + (o >= TARGET[p])]
        unsaid = [(p, o) for p, o in self.truth.records if not found[p, o]
                  and (p != 1 or o not in SKIPPED or not losses(state))]
        return [f"P1: {len(places)} records {what}: {sorted(places)[:5]}" for places, what in (
            (wrong, "are not in as many rows as the reset said"),
            (unsaid, "are in no row and no letter says so")) if places]

    def verified(self, state):
        outcome = state.tool("verify")
        faults = [] if outcome.code == CLEAN else [f"verify: {outcome.output[-900:]}"]
        if (state.checkpoint.parent / ".work").exists():
            faults.append("I8: unfinished checkpoints are left over")
        try:
            assert_idle_run_writes_nothing(state)
        except AssertionError as error:
            faults.append(f"I12: {error}")
        return faults
