"""What a run with 10,000 new events costs over a short and over a long history."""

import shutil
import time

from harness import median, replace, show
from silver_tables import BRONZE, OFF, SESSIONS, final_file_changes, live_bytes, version

STEP, REPEATS = 10_000, 3
# So many that 10,000 events are a minute and a half of the shop: all phases fit into the allowed
# lateness, so that events in order meet open sessions, as they do when time passes by itself.
CUSTOMERS = 300_000
PHASES = [("in order", f"{STEP}:0:0")] * REPEATS + [
    ("1 % late by 1.5 to 24 hours", f"{STEP}:0.01:24")] * REPEATS + [
    ("1 % late by any time", f"{STEP}:0.01:0")]
MOST = 8 << 20  # bytes of a final file


def growth(bench, histories):
    print(f"\nA run with {STEP:,} new events, by history (Silver alone, CPU and bytes of read(2))")
    found = {events: steps(bench, events) for events in histories}
    first, last = found[histories[0]]["in order"], found[histories[-1]]["in order"]
    for what, value in (("CPU", lambda s: s[0].cpu), ("bytes read", lambda s: s[0].bytes_read)):
        ratio = median(last, value) / median(first, value)
        print(f"  {what}: {ratio:.2f} times as much over {histories[-1]:,} as over "
              f"{histories[0]:,} events")


def steps(bench, events):
    """The phases one after the other; lists of (run, files removed, files added)."""
    topic, ends = bench.work / f"topic-growth-{events}", bench.work / "ends"
    then = [word for _, phase in PHASES for word in ("--then", phase)]
    meta = bench.generate(topic, "--events", events, "--customers", CUSTOMERS, "--late", 0,
                          "--end", int(time.time()), *then)
    shutil.rmtree(bench.state, ignore_errors=True)
    found = {}
    with bench.serving(topic, ends) as address:
        begin(bench, address, ends, meta["ends"][0], events)
        history = version(bench.state / BRONZE)
        for (name, _), offsets in zip(PHASES, meta["ends"][1:]):
            show(ends, offsets)
            bench.run_once(address, silver=OFF)
            before = version(bench.state / SESSIONS)
            run = bench.run_once(address)
            changes = final_file_changes(bench.state, before + 1, version(bench.state / SESSIONS))
            found.setdefault(name, []).append((run, *changes))
    for name, runs in found.items():
        report(f"over {events:,}, {name}", runs, live_bytes(bench.state / SESSIONS))
    reference(bench, events, history)
    shutil.rmtree(topic)
    return found


def begin(bench, address, ends, offsets, events):
    show(ends, offsets)
    bench.run_once(address, silver=OFF)
    run = bench.run_once(address)
    print(f"the history of {events:,} itself: {run.cpu / events * 1e6:.2f} CPU s/M, "
          f"{run.peak / 2**20:.0f} MiB peak")


def report(name, runs, table):
    run = [run for run, _, _ in runs]
    print(f"{name:48} {median(run, lambda r: r.cpu) * 1000:6.0f} ms CPU "
          f"{median(run, lambda r: r.bytes_read) / 2**20:7.2f} MiB read "
          f"{median(run, lambda r: r.peak) / 2**20:5.0f} MiB peak", flush=True)
    removed, added = ([size for step in runs for size in step[place]] for place in (1, 2))
    assert max(added, default=0) <= MOST, f"a final file of {max(added)} bytes"
    print(f"  final files of {len(runs)} runs: {len(removed)} rewritten ({mib(removed)}), "
          f"{len(added)} written ({mib(added)}, the largest {max(added, default=0) / 2**20:.2f} "
          f"MiB), of a table of {table / 2**20:.1f} MiB")


def mib(sizes):
    return f"{sum(sizes) / 2**20:.2f} MiB"


def reference(bench, events, history):
    """The reference's method over the same versions of Bronze; each step on a fresh copy."""
    bronze, table, copy = bench.state / BRONZE, bench.work / "reference", bench.work / "copy"
    seen = [bench.work / f"{path.name}.version" for path in (table, copy)]
    shutil.rmtree(table, ignore_errors=True)
    seen[0].unlink(missing_ok=True)
    bench.python("reference_silver.py", "polars", bronze, table, "--until", history, "--at-once")
    for engine in ("polars", "duckdb"):
        runs = []
        for _ in range(REPEATS):
            replace(table, copy)
            shutil.copy(*seen)
            runs.append(bench.python("reference_silver.py", engine, bronze, copy,
                                     "--until", history + 1))
        print(f"over {events:,}, in order, reference's method, {engine:14} "
              f"{median(runs, lambda r: r.cpu) * 1000:6.0f} ms CPU "
              f"{median(runs, lambda r: r.bytes_read) / 2**20:7.2f} MiB read "
              f"{median(runs, lambda r: r.peak) / 2**20:5.0f} MiB peak", flush=True)
