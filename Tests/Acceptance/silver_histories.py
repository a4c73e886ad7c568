"""Plays random histories through the daemon and looks at Silver after every run.

    silver_histories.py [--count N] [--first SEED] [--way kafka|foreign|mixed] [--keep DIR]
                        [--workers W] [--shrink]

Each seed has a state directory of its own; `--keep` leaves those of the failed ones in DIR, and
`--shrink` searches for the shortest history that still fails. Exit: 0 when all hold, else 1.
"""

import argparse
import dataclasses
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import silver_bronze
from broker import EmbeddedBroker, produce
from silver_generator import FOREIGN_PARTITIONS, MINUTE, duration, generate, value_of
from silver_inspection import Memory, inspect
from silver_tables import READERS, delta_of, gap_of, lateness_of, sessions_path
from support import CLEAN, State, binary

PARTITIONS = 4  # of a topic that the embedded broker makes by itself
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # no history is about a disk
SECONDS = 120  # a run takes milliseconds; this only ends one that hangs

_broker = None  # one for each process


def broker():
    global _broker
    _broker = _broker or EmbeddedBroker(binary("embedded-broker"))
    return _broker


@dataclass
class Verdict:
    seed: int
    way: str
    violations: list
    seconds: float
    events: int
    runs: int


def open_state(directory, history, brokers, topic):
    return State(
        directory, brokers, topic=topic,
        limits={"max_offsets_per_batch": history.batch_offsets},
        delta={"checkpoint_interval": 3},
        silver={"session_gap": duration(history.gap),
                "allowed_lateness": duration(history.lateness),
                "max_rows_per_batch": history.max_rows,
                # Small enough for batches of several slices and for sessions that leave memory.
                "rows_in_memory": (1, 20, 262_144)[history.seed % 3],
                "sessions_in_memory": (1, 3, 10, 200_000)[history.seed % 4]})


def play(history, directory, topic):
    """Sentences about the first run that leaves something wrong; none when all is well."""
    state = open_state(directory, history, broker().brokers, topic)
    source = silver_bronze.generator_of(history.seed)
    memory = Memory()
    for number, run in enumerate(history.runs):
        if number < len(history.changes):
            state.configure(**history.changes[number])
        deliver(state, history, number, run, source)
        outcome = state.run_once(expect=None, timeout=SECONDS)
        if outcome.code != CLEAN:
            return [f"run {number} ended with {outcome.code}: {outcome.output[-1500:]}"]
        is_last = number == len(history.runs) - 1
        violations = inspect(state, memory, chosen_readers(history.seed, is_last))
        if violations:
            return [f"after run {number}: {violation}" for violation in violations]
    return idle_run(state) + (verification(state) if history.way == "kafka" else [])


def verification(state):
    """The operator's own check agrees."""
    outcome = state.tool("verify", "--deep")
    return [] if outcome.code == CLEAN else [f"verify --deep: {outcome.code} {outcome.output}"]


def chosen_readers(seed, is_last):
    """All of them would take longer than the daemon; each has its turn."""
    return [list(READERS)[seed % len(READERS)]] if is_last else []


def deliver(state, history, number, run, source):
    if not history.is_foreign(number):
        produce(broker().brokers, [record(row) for version in run for row in version],
                state.settings["kafka"]["topic"])
        return
    for version in run:
        rows = version
        if history.way == "mixed":
            rows = [{**row, "kafka_partition": row["kafka_partition"] + FOREIGN_PARTITIONS}
                    for row in version]
        silver_bronze.append(state.bronze, rows, source)
        silver_bronze.random_upkeep(state.bronze, source)


def record(row):
    key = None if row["customer_id"] is None else row["customer_id"].encode()
    return row["kafka_partition"] % PARTITIONS, key, value_of(row), 0, None


def idle_run(state):
    """A run without news writes nothing, unless the clock has just made a session final."""
    before = state.tree()
    state.run_once(timeout=SECONDS)
    after = state.tree()
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    if not changed or closes_soon(state):
        return []
    return [f"an idle run changed {sorted(changed)}"]


def closes_soon(state):
    limit = time.time_ns() // 1000 - lateness_of(state) - gap_of(state)
    rows = delta_of(sessions_path(state)).to_pylist()
    return any(limit - 2 * MINUTE < row["last_event_ts"] <= limit for row in rows)


def attempt(history, keep=None):
    """One play in a directory and a topic of its own."""
    directory = Path(tempfile.mkdtemp(prefix=f"silver-{history.seed}-", dir=MEMORY))
    try:
        violations = play(history, directory, directory.name)
        if violations and keep:
            shutil.copytree(directory, Path(keep) / f"seed-{history.seed}", dirs_exist_ok=True)
        return violations
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def judge(seed, way=None, keep=None):
    """Plays one seed from beginning to end; what fails here says which seed it was."""
    began = time.monotonic()
    history = generate(seed, time.time_ns() // 1000, way)
    try:
        violations = attempt(history, keep)
    except Exception:  # the others go on
        violations = [traceback.format_exc()]
    return Verdict(seed, history.way, violations, time.monotonic() - began,
                   len(history.rows()), len(history.runs))


def judge_all(seeds, way=None, keep=None, workers=2):
    """The verdicts in the order of the seeds; each worker has a broker that ends with it."""
    context = multiprocessing.get_context("spawn")  # Polars' threads do not survive a fork
    with ProcessPoolExecutor(workers, context) as pool:
        yield from pool.map(judge, seeds, [way] * len(seeds), [keep] * len(seeds), chunksize=4)


def shrink(history):
    """The history without all that can be left out while it still fails."""
    size = max(1, len(history.rows()) // 2)
    while size:
        events = [id(row) for row in history.rows()]
        for begin in range(0, len(events), size):
            without = dropping(history, set(events[begin:begin + size]))
            if attempt(without):
                history = without
        size //= 2
    return history


def dropping(history, ids):
    """A copy that shares the rows, less those named, and less the runs that become empty."""
    runs = [[[row for row in version if id(row) not in ids] for version in run]
            for run in history.runs]
    kept = [[version for version in run if version] for run in runs]
    return dataclasses.replace(history, runs=[run for run in kept if run])


def show(history):
    """What is left of a shrunk history, times relative to when it was played."""
    print(dataclasses.replace(history, runs=[], changes=history.changes[:len(history.runs)]))
    for number, run in enumerate(history.runs):
        for version in run:
            print(f"run {number}, {'foreign' if history.is_foreign(number) else 'kafka'} version:")
            for row in version:
                print("   ", {k: v for k, v in row.items() if k not in ("kafka_topic", "page")})
    print("\n".join(attempt(history)[:5]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--way", choices=("kafka", "foreign", "mixed"))
    parser.add_argument("--keep", help="where the states of failed histories are left")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shrink", action="store_true", help="only --first, as short as it can be")
    options = parser.parse_args()
    if options.shrink:
        show(shrink(generate(options.first, time.time_ns() // 1000, options.way)))
        return 0
    began = time.monotonic()
    seeds = range(options.first, options.first + options.count)
    verdicts = []
    for verdict in judge_all(seeds, options.way, options.keep, options.workers):
        verdicts.append(verdict)
        if verdict.violations:
            print(f"seed {verdict.seed} ({verdict.way}): " +
                  "\n    ".join(verdict.violations[:4]), flush=True)
    failed = [verdict for verdict in verdicts if verdict.violations]
    ways = Counter(verdict.way for verdict in verdicts)
    print(f"{len(verdicts)} histories ({', '.join(f'{n} {w}' for w, n in sorted(ways.items()))}), "
          f"{sum(v.runs for v in verdicts)} runs, {sum(v.events for v in verdicts)} events, "
          f"{len(failed)} failed, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
