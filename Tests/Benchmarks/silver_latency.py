"""From producing to visible in Silver, with a run each second, and the space that it takes."""

import contextlib
import shutil
import statistics
import subprocess
import threading
import time

import pyarrow.parquet as pq

from harness import counter, cpu_of
from silver_tables import EVENTS, SESSIONS, commits, disk_bytes, live_bytes

RATE = 2000
RETENTION = "60s"
SETTLING = 20  # seconds at the start that do not count


class Watch(threading.Thread):
    """Notes when each version of a table becomes visible: when its commit's name appears."""

    def __init__(self, table):
        super().__init__(daemon=True)
        self.log, self.seen, self.is_stopped = table / "_delta_log", [], False
        self.start()

    def run(self):
        while not self.is_stopped:
            if (self.log / f"{len(self.seen):020}.json").exists():
                self.seen.append(time.time())
            else:
                time.sleep(0.005)


def latency(bench, minutes, customers):
    shutil.rmtree(bench.state, ignore_errors=True)
    with embedded_broker(bench) as address:
        path = bench.configuration(
            address, every="1s", silver=f'removed_file_retention = "{RETENTION}"')
        with bench.daemon(path) as pid, producer(bench, address, customers):
            watch, began, spaces = Watch(bench.state / EVENTS), time.time(), []
            for minute in range(1, minutes + 1):
                time.sleep(max(0, began + 60 * minute - time.time()))
                spaces.append((minute, space(bench.state / SESSIONS)))
            used = cpu_of(pid) / (time.time() - began)
            peak = counter(f"/proc/{pid}/status", "VmHWM:")
        watch.is_stopped = True
    print(f"\n{RATE:,} events/s for {minutes} minutes (2 % late, 1 % twice, {customers:,} "
          f"customers), a run each second, the producer and the broker on the same machine")
    report(bench.state / EVENTS, watch.seen, began + SETTLING)
    print(f"  the daemon: {used * 100:.0f} % of one core, {peak / 1024:.0f} MiB peak")
    print(f"  the sessions table on disk, removed files kept for {RETENTION}:")
    for minute, (live, data, log) in spaces:
        print(f"    minute {minute:3}: {data / 2**20:7.2f} MiB in data files, "
              f"{data / live:.0f} times the {live / 2**20:.2f} MiB that are live; "
              f"{log / 2**20:.2f} MiB of log")


def space(table):
    return live_bytes(table), *disk_bytes(table)


def report(table, seen, since):
    """Every event's way: from its producer's timestamp to the commit that shows it."""
    delays = []
    for number, actions in enumerate(commits(table, 0, len(seen) - 1)):
        for action in actions:
            if "add" in action and action["add"]["dataChange"]:
                file = table / action["add"]["path"]
                sent = pq.read_table(file, columns=["kafka_timestamp"])["kafka_timestamp"]
                delays += [seen[number] - moment / 1e6 for moment
                           in sent.cast("int64").to_pylist() if moment / 1e6 >= since]
    cuts = statistics.quantiles(delays, n=1000, method="inclusive")
    print(f"  {len(delays):,} events in {len(seen)} versions: p50 {cuts[499]:.2f} s, "
          f"p99 {cuts[989]:.2f} s, p99.9 {cuts[998]:.2f} s, the last {max(delays):.2f} s")


@contextlib.contextmanager
def embedded_broker(bench):
    address = bench.work / "address"
    address.unlink(missing_ok=True)
    broker = subprocess.Popen(
        [bench.binaries / "embedded-broker", "--port-file", address], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL)
    try:
        while not address.exists():
            time.sleep(0.02)
        yield address.read_text().strip()
    finally:
        broker.stdin.close()
        broker.wait()


@contextlib.contextmanager
def producer(bench, address, customers):
    words = ["produce", "--brokers", address, "--rate", str(RATE), "--seed", "1",
             "--customers", str(customers)]
    process = subprocess.Popen([bench.binaries / "shopmetricsctl", *words],
                               stdout=subprocess.DEVNULL)
    try:
        while not (bench.state / EVENTS / "_delta_log").exists():
            assert process.poll() is None, "the producer ended"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
