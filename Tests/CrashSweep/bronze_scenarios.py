"""Bronze: Kafka to the events and the dead letters.

`first` is the very first run, with the creation of tables and checkpoint; `later` is a run on a
state of more than a hundred batches, so that logs are checkpointed and cleaned and old batches
purged; `pending` begins with a recovery that has to complete the second table's commit.
"""

from broker import Truth, produce
from events import mixed
from invariants import check_invariants
from scenarios import Sweep
from support import State, age

PREPARED_BATCHES = 103


class BronzeSweep(Sweep):
    SCENARIOS = ("first", "later", "pending")
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

    def prepare(self, only):
        """Builds the start states, then records a run of each that was asked for."""
        first = State(self.directory / "first", self.brokers,
                      limits={"max_offsets_per_batch": 10}, silver={"enabled": False},
                      delta={"checkpoint_interval": 10, "log_retention": "1h"})
        first.directory.mkdir()
        produce(self.brokers, mixed(10 * PREPARED_BATCHES, self.seed))
        later = first.copy(self.directory / "later")
        later.run_once()
        age(later)
        produce(self.brokers, mixed(70, self.seed + 1, bad_share=0.2, start=20_000))
        later.configure(limits={"max_offsets_per_batch": 20}, delta={"checkpoint_interval": 3})
        first.configure(limits={"max_offsets_per_batch": 300}, delta={"checkpoint_interval": 3})
        self.truth = Truth.read(self.brokers)
        self.starts = {"first": first, "later": later}
        self.record("later")
        # A death between the two tables' commits.
        between = self.point("later", "link", "dead_letter/_delta_log/")
        self.starts["pending"] = self.interrupted("later", "pending", between)
        for scenario in ("first", "pending"):
            self.record(scenario)
        self.check_stations()
        self.points = [p for p in self.points if only in (None, p.scenario)]

    def judge(self, state):
        return check_invariants(state, self.truth)

    def finish(self, scenario, state, source):
        violations = self.restart(state)
        return violations or self.judge(state) + self.idle(state)
