"""Silver beside what a user would run instead, and how its cost grows.

    bench_silver.py [--only backlog,growth,open,latency] [--events 3000000] [--runs 3]
                    [--history 1000000,30000000] [--minutes 10] [--customers 10000]
                    [--work DIR]

backlog  3 million in-order events from Bronze to both tables: CPU seconds per million and memory,
         in turn with Polars and DuckDB that compute the sessions alone from scratch, and with the
         reference's method (window functions over all history of the affected visitors, a merge)
growth   a run with 10,000 new events over a short and over a long history, in order and late
open     300,000 open sessions of 2 million events within the lateness; one session of 5 million
latency  from producing to visible in Silver at 2,000 events/s with a run each second, and disk

CPU is user + system of the whole process. Figures of one sitting compare with each other; the
machine's speed drifts. All of it takes about half an hour and 12 GiB of disk.
"""

import argparse
from pathlib import Path

import silver_backlog
import silver_growth
import silver_latency
import silver_open
from harness import ROOT, Bench

PARTS = ("backlog", "growth", "open", "latency")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--history", default="1000000,30000000")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--work", type=Path, default=ROOT / ".build/bench")
    options = parser.parse_args()
    bench = Bench(options.work, tools=("generate", "stand_in_broker"))
    parts = options.only.split(",")
    assert set(parts) <= set(PARTS), f"--only takes {', '.join(PARTS)}"
    if "backlog" in parts:
        silver_backlog.backlog(bench, options.events, options.runs)
    if "growth" in parts:
        silver_growth.growth(bench, [int(text) for text in options.history.split(",")])
    if "open" in parts:
        silver_open.many(bench, visitors=300_000, events=2_000_000, touched=1000)
        silver_open.single(bench, events=5_000_000)
    if "latency" in parts:
        silver_latency.latency(bench, options.minutes, options.customers)


main()
