"""Bronze beside what a user would run instead, everything in one sitting.

    bench.py [--events 3000000] [--runs 3] [--large] [--work DIR]

Serves a deterministic topic from memory, then runs in turn: the daemon (one availableNow run), the
Python program (python_pipeline.py), the raw librdkafka consumer. Prints the medians: CPU seconds
(user + system of the whole process) per million events, events per second, peak memory, and the
ratios. `--large` adds the daemon over ten times as many events. Then what the resident daemon
costs when there is nothing to read and when 1,500 events are new. Figures of one sitting compare
with each other; the machine's speed drifts. Silver is switched off here: bench_silver.py.
"""

import argparse
import shutil
import time
from pathlib import Path

from harness import ROOT, Bench, counter, cpu_of, measure, row, show

BRONZE_ONLY = "enabled = false"


def daemon(bench, address):
    shutil.rmtree(bench.state, ignore_errors=True)
    return bench.run_once(address, silver=BRONZE_ONLY)


def python(bench, address):
    table = bench.work / "python-table"
    for path in (table, bench.work / "python-table-dead"):
        shutil.rmtree(path, ignore_errors=True)
    return bench.python("python_pipeline.py", address, table)


def raw(bench, address):
    return measure([bench.tools / "raw_consumer", address, "clickstream-events"])


def backlog(bench, events, count):
    with bench.serving(bench.topic(events)) as address:
        runs = {"shopmetricsd": [], "Python program": [], "raw librdkafka consumer": []}
        for _ in range(count):
            runs["shopmetricsd"].append(daemon(bench, address))
            runs["Python program"].append(python(bench, address))
            runs["raw librdkafka consumer"].append(raw(bench, address))
    print(f"\nKafka to committed Bronze, a backlog of {events:,} events, medians")
    ours, other, floor = [row(name, found, events) for name, found in runs.items()]
    print(f"  CPU: {other[0] / ours[0]:.1f} times less than the Python program, "
          f"{ours[0] / floor[0]:.2f} times the raw consumer; "
          f"{ours[1] / other[1]:.1f} times its events/s")
    files = (bench.state / "bronze/clickstream_raw").glob("*.parquet")
    print(f"  the table takes {sum(f.stat().st_size for f in files) / events:.1f} bytes a row")


def large(bench, events):
    with bench.serving(bench.topic(events)) as address:
        row(f"shopmetricsd, {events:,}", [daemon(bench, address)], events)


def resident(bench, events):
    """The daemon on a one-second schedule: first nothing new, then 1,500 events for each run."""
    ends = bench.work / "ends"
    per_partition = [events // 3 - 30_000] * 3
    show(ends, per_partition)
    shutil.rmtree(bench.state, ignore_errors=True)
    with bench.serving(bench.topic(events), ends) as address:
        path = bench.configuration(address, every="1s", silver=BRONZE_ONLY)
        with bench.daemon(path) as pid:
            commits = bench.state / "checkpoints/clickstream_bronze/commits"
            while not (commits.is_dir() and any(commits.iterdir())):
                time.sleep(0.1)
            time.sleep(5)
            began, before = time.monotonic(), cpu_of(pid)
            time.sleep(20)
            idle = (cpu_of(pid) - before) / (time.monotonic() - began)
            memory = counter(f"/proc/{pid}/status", "VmRSS:")
            print(f"\nresident, a run each second: {idle * 1000:.1f} ms CPU a run with nothing "
                  f"to read, {memory / 1024:.1f} MiB resident after the backlog")
            before, batches = cpu_of(pid), len(list(commits.glob("[0-9]*")))
            for _ in range(20):
                per_partition = [end + 500 for end in per_partition]
                show(ends, per_partition)
                time.sleep(1)
            batches = len(list(commits.glob("[0-9]*"))) - batches
            used = cpu_of(pid) - before
            print(f"resident, 1,500 new events a second: {used / batches * 1000:.1f} ms CPU a run "
                  f"({batches} runs)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--work", type=Path, default=ROOT / ".build/bench")
    options = parser.parse_args()
    bench = Bench(options.work)
    backlog(bench, options.events, options.runs)
    if options.large:
        large(bench, options.events * 10)
    resident(bench, options.events)


main()
