"""Many open sessions, and one session without an end: memory, and the cost of a small run."""

import shutil
import time

from harness import counter, cpu_of, show
from silver_tables import OFF, event_total, session_totals

CHECKPOINT = "checkpoints/clickstream_silver/commits"


def many(bench, visitors, events, touched):
    """Everything happens within the allowed lateness before now, so nothing becomes final."""
    window = 480
    meta = prepare(bench, "open", visitors, events, window, [touched] * 6)
    ends = bench.work / "ends"
    with bench.serving(bench.work / "topic-open", ends) as address:
        print(f"\n{visitors:,} open sessions, {events:,} events in the lateness window")
        report("all of them, new", first_run(bench, address, ends, meta))
        totals = session_totals(bench.state)
        assert totals["open"] == visitors, totals
        for offsets in meta["ends"][1:3]:
            show(ends, offsets)
            bench.run_once(address, silver=OFF)
            report(f"run --once, {touched:,} of them touched", bench.run_once(address))
        resident(bench, address, ends, meta["ends"][3:], touched)
    totals = session_totals(bench.state)
    assert totals["open"] == totals["sessions"] == visitors, totals
    assert totals["events"] == event_total(bench.state) == meta["valid"], totals


def single(bench, events):
    meta = prepare(bench, "single", 1, events, events // 1000, [1000] * 2)
    ends = bench.work / "ends"
    with bench.serving(bench.work / "topic-single", ends) as address:
        print(f"\none visitor with {events:,} events in one session")
        report("all of them, new", first_run(bench, address, ends, meta))
        for offsets in meta["ends"][1:]:
            show(ends, offsets)
            bench.run_once(address, silver=OFF)
            report("run --once, 1,000 more", bench.run_once(address))
    totals = session_totals(bench.state)
    assert (totals["sessions"], totals["events"]) == (1, meta["valid"]), totals


def prepare(bench, name, customers, events, window, then):
    options = [word for more in then for word in ("--then", f"{more}:0:0")]
    shutil.rmtree(bench.state, ignore_errors=True)
    return bench.generate(
        bench.work / f"topic-{name}", "--events", events, "--customers", customers,
        "--crowd", window, "--end", int(time.time()), *options)


def first_run(bench, address, ends, meta):
    show(ends, meta["ends"][0])
    bench.run_once(address, silver=OFF)
    return bench.run_once(address)


def report(name, run):
    print(f"  {name:40} {run.cpu:6.2f} s CPU {run.wall:6.2f} s wall {run.peak / 2**20:5.0f} MiB "
          f"peak {run.bytes_read / 2**20:8.2f} MiB read", flush=True)


def resident(bench, address, ends, steps, touched):
    """The service, which keeps what it knows between runs; Bronze's part is in these figures."""
    commits = bench.state / CHECKPOINT
    with bench.daemon(bench.configuration(address, every="1s")) as pid:
        time.sleep(5)
        for offsets in steps:
            before, done = cpu_of(pid), len(list(commits.glob("[0-9]*")))
            show(ends, offsets)
            limit = time.monotonic() + 60
            while len(list(commits.glob("[0-9]*"))) == done and time.monotonic() < limit:
                time.sleep(0.05)
            time.sleep(0.3)
            print(f"  {f'service, {touched:,} of them touched':40} "
                  f"{cpu_of(pid) - before:6.2f} s CPU", flush=True)
        peak, now = (counter(f"/proc/{pid}/status", name) / 1024 for name in ("VmHWM:", "VmRSS:"))
        print(f"  {'service, memory':40} {now:6.0f} MiB now, {peak:.0f} MiB peak", flush=True)
