"""Dead letters decoded again with other limits than they were ingested with.

`first` retries letters of many batches in several commits; `pending` begins by completing a retry
that died between the commits of the two tables; `daemon` is the daemon's run that completes it.
"""

import json
import random

from broker import Truth, produce
from events import encode, event, mixed
from invariants import check_invariants
from scenarios import Sweep
from silver_inspection import inspect
from support import CLEAN, RETRY, State, execute

BATCHES = 12
LOW, HIGH = {"max_value": "1KiB"}, {"max_value": "16MiB"}


class RetrySweep(Sweep):
    SCENARIOS = ("first", "pending", "daemon")
    STATIONS = {
        "event data": ("write", f"/bronze/clickstream_raw/{RETRY}-"),
        "event commit": ("link", "/bronze/clickstream_raw/_delta_log/"),
        "letter data": ("write", f"/bronze/clickstream_dead_letter/{RETRY}-"),
        "letter commit": ("link", "/bronze/clickstream_dead_letter/_delta_log/"),
        "log checkpoint": ("rename", "/_delta_log/_last_checkpoint"),
    }

    def command(self, scenario, state):
        if scenario == "daemon":
            return super().command(scenario, state)
        return state.tool_command("dead-letters", "retry", "--all", "--yes")

    def prepare(self, only):
        produce(self.brokers, records(BATCHES * 20, self.seed))
        self.truth = Truth.read(self.brokers)
        first = State(self.directory / "first", self.brokers,
                      limits={"max_offsets_per_batch": 20, "max_batch_bytes": "1MiB", **LOW},
                      delta={"checkpoint_interval": 3})
        first.directory.mkdir()
        first.run_once()
        first.configure(limits=HIGH)
        self.starts = {"first": first}
        self.record("first")
        between = self.point("first", "link", "dead_letter/_delta_log/")
        for scenario in ("pending", "daemon"):
            self.starts[scenario] = self.interrupted("first", scenario, between)
            self.record(scenario)
        self.check_stations()
        self.points = [p for p in self.points if only in (None, p.scenario)]

    def judge(self, state):
        """Everything, once daemon and retry had their turn."""
        violations = self.restart(state)
        outcome = execute(self.command("first", state), 120)
        if outcome.code != CLEAN:
            return [*violations, f"the retry ended with {outcome.code}: {outcome.output[-900:]}"]
        violations += self.restart(state) + check_invariants(state, self.truth) + inspect(state)
        return violations + self.verified(state, "--deep") + self.idle(state)

    def finish(self, scenario, state, source):
        """Other limits meanwhile decide nothing about a retry whose commit point was passed."""
        violations = self.verified(state)
        state.configure(limits=source.choice((LOW, HIGH)))
        if source.random() < 0.5:
            violations += self.restart(state) + self.verified(state)
        state.configure(limits=HIGH)
        return violations + self.judge(state)

    def verified(self, state, *options):
        """What the tool finds at the moment of death or later: each record is one row."""
        outcome = state.tool("verify", "--json", *options)
        report = json.loads(outcome.output)
        violations = [f"verify: {finding}" for finding in report["findings"]]
        if report["rows"] + report["deadLetters"] != len(self.truth.records):
            violations.append(f"P1: {report['rows']} rows and {report['deadLetters']} letters")
        return violations


def records(count, seed):
    """Of each four records one is too large for the low limit; some of these are no JSON."""
    made = mixed(count, seed, bad_share=0.1)
    source = random.Random(seed)
    for number in range(0, count, 4):
        partition, key, _, timestamp, headers = made[number]
        value = encode(event(number, padding=source.randbytes(25_000).hex()))
        made[number] = (partition, key, value[:-1] if number % 12 == 0 else value, timestamp,
                        headers)
    return made
