"""Cuts the power of a disk under the working daemon, again and again, and checks what is left.

    power_cut.py [--cuts N] [--seed S]

The state is on an ext4 of its own. Each cut: new records, the daemon, and at a random moment of its
work the file system is shut down without writing its log, so that the page cache and all that was
not synced are gone, as after a power failure. Then it is mounted again, which replays the journal.
What is checked each time:

- every batch whose successor had begun is still there;
- the daemon's restart needs no help, and all invariants hold against what the broker has;
- `shopmetricsctl verify --deep` finds both queries' tables sound.

One disk lives through CUTS_PER_DISK cuts, then there is another one, with another way of ordering
data and journal. It models a lost page cache, not a disk that lies about its cache.

Exit: 0 when nothing was lost or doubled; 77 when this machine cannot mount such a disk; else 1.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Acceptance"))

from broker import EmbeddedBroker, produce  # noqa: E402
from disks import LoopDisk, reason_against  # noqa: E402
from events import mixed  # noqa: E402
from invariants import check_invariants  # noqa: E402
from support import CLEAN, IO_ERROR, State, binary  # noqa: E402

CANNOT = 77
CUTS_PER_DISK = 10
RECORDS_PER_CUT = 600
JOURNALS = ("data=ordered", "data=writeback", "data=ordered,commit=1")
DEATH = 5  # seconds for the daemon to notice that its disk is gone


def open_state(root, disk, broker):
    """Small batches, and every kind of upkeep in between."""
    return State(root, broker.brokers, directory=disk.path / "state",
                 limits={"max_offsets_per_batch": 40}, schedule={"every": "1s"},
                 silver={"max_rows_per_batch": 200}, delta={"checkpoint_interval": 4},
                 storage={"min_free": "0B"})


def newest(state, folder):
    """The number of the newest batch in offsets/ or commits/, -1 for none."""
    return max(state.batches(folder), default=-1)


class Cuts:
    """The cuts of one disk; `found` counts what they met, `faults` says what is wrong."""

    def __init__(self, state, disk, broker, source):
        self.state, self.disk, self.broker, self.source = state, disk, broker, source
        self.found, self.faults = Counter(), []
        self.duration = 1.0  # seconds for a start and a run; measured at the first
        self.produced = 0

    def produce(self):
        produce(self.broker.brokers, mixed(RECORDS_PER_CUT, self.source.randrange(1 << 30),
                                           start=self.produced))
        self.produced += RECORDS_PER_CUT

    def measure(self):
        """An undisturbed run, for an idea of how long there is something to disturb."""
        self.produce()
        began = time.monotonic()
        self.state.run_once()
        self.duration = time.monotonic() - began

    def cut(self):
        self.produce()
        before = newest(self.state, "commits")
        daemon = self.state.start()
        time.sleep(self.source.uniform(0, self.duration))
        offsets, commits = newest(self.state, "offsets"), newest(self.state, "commits")
        self.disk.cut_power()
        code = self.end(daemon)
        self.disk.unmount()
        self.disk.mount()
        self.note(before, offsets, code)
        # A batch is begun only when the one before it is on the disk, whatever a directory shows.
        acknowledged = max(offsets, commits) - 1
        if newest(self.state, "commits") < acknowledged:
            self.faults.append(
                f"batch {acknowledged} was complete and is gone: the disk has "
                f"{newest(self.state, 'commits')}")
        self.check()

    def end(self, daemon):
        """The exit code of the daemon, which notices by itself or has to be killed."""
        deadline = time.monotonic() + DEATH
        while daemon.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        daemon.kill()
        daemon.communicate()
        return daemon.returncode

    def note(self, before, offsets, code):
        expected = before + RECORDS_PER_CUT // 40
        moment = ("at the start" if offsets == before else
                  "in a batch" if offsets < expected else "in the last batch, Silver or upkeep")
        self.found[f"cut {moment}"] += 1
        self.found["ended with 74 by itself" if code == IO_ERROR else "was killed"] += 1

    def check(self):
        outcome = self.state.run_once(expect=None)
        if outcome.code != CLEAN:
            self.faults.append(f"the restart ended with {outcome.code}: {outcome.output[-2000:]}")
            return
        self.faults += check_invariants(self.state, self.broker.truth())
        verdict = self.state.tool("verify", "--deep")
        if verdict.code != CLEAN:
            self.faults.append(f"verify --deep ended with {verdict.code}: {verdict.output[-2000:]}")


def cut_one_disk(number, cuts, source):
    """What the cuts of one disk found, and the faults."""
    with tempfile.TemporaryDirectory(prefix="shopmetrics-cut-") as directory:
        broker = EmbeddedBroker(binary("embedded-broker"))
        try:
            with LoopDisk(directory, options=JOURNALS[number % len(JOURNALS)]) as disk:
                history = Cuts(open_state(Path(directory) / "root", disk, broker), disk, broker,
                               source)
                history.measure()
                for _ in range(cuts):
                    history.cut()
                    if history.faults:
                        break
                return history.found, history.faults
        finally:
            broker.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if reason := reason_against():
        print(f"SKIPPED: {reason}")
        return CANNOT
    source = random.Random(options.seed)
    began, found, faults = time.monotonic(), Counter(), []
    for number in range(-(-options.cuts // CUTS_PER_DISK)):
        count = min(CUTS_PER_DISK, options.cuts - number * CUTS_PER_DISK)
        seen, wrong = cut_one_disk(number, count, source)
        found += seen
        faults += wrong
        for fault in wrong[:10]:
            print(f"VIOLATED disk {number} ({JOURNALS[number % len(JOURNALS)]}): {fault}",
                  flush=True)
    for what, count in sorted(found.items()):
        print(f"{count:5} {what}")
    print(f"{options.cuts} cuts, seed {options.seed}, {len(faults)} violations, "
          f"{time.monotonic() - began:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
