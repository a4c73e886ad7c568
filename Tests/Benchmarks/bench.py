"""Speed beside what a user would run instead, everything in one sitting.

    bench.py [--events 3000000] [--runs 3] [--large] [--work DIR]

Serves a deterministic topic from memory, then runs in turn: the daemon (one availableNow run), the
Python program (python_pipeline.py), the raw librdkafka consumer. Prints the medians: CPU seconds
(user + system of the whole process) per million events, events per second, peak memory, and the
ratios. `--large` adds the daemon over ten times as many events. Then what the resident daemon
costs when there is nothing to read and when 1,500 events are new. Figures of one sitting compare
with each other; the machine's speed drifts.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    cpu: float
    wall: float
    peak: int  # bytes
    output: str


def measure(command):
    """One command to its end, with the system's own accounting of it."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{text}"
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, text)


class Bench:
    def __init__(self, work, binaries):
        self.work, self.binaries = work, binaries
        self.tools = work / "bin"
        self.tools.mkdir(parents=True, exist_ok=True)
        for source, compiler, libraries in (
                ("generate.cpp", ["g++", "-std=c++17", "-msse4.2"], []),
                ("stand_in_broker.c", ["gcc"], ["-lpthread"]),
                ("raw_consumer.c", ["gcc"], ["-lrdkafka"])):
            target = self.tools / source.split(".")[0]
            subprocess.run([*compiler, "-O2", "-o", target, HERE / source, *libraries], check=True)

    def topic(self, events):
        directory = self.work / f"topic-{events}"
        if not (directory / "meta.json").exists():
            directory.mkdir(parents=True, exist_ok=True)
            subprocess.run([self.tools / "generate", "--events", str(events), "--out", directory],
                           check=True, stdout=subprocess.DEVNULL)
        return directory

    def broker(self, directory, end_offsets=None):
        port_file = self.work / "port"
        port_file.unlink(missing_ok=True)
        options = ["--hw-file", str(end_offsets)] if end_offsets else []
        process = subprocess.Popen(
            [self.tools / "stand_in_broker", "--port-file", port_file, *options, directory],
            stderr=subprocess.DEVNULL)
        while not (port_file.exists() and port_file.read_text().endswith("\n")):
            time.sleep(0.02)
        return process, f"127.0.0.1:{port_file.read_text().strip()}"

    def configuration(self, address, every="1h"):
        state = self.work / "state"
        shutil.rmtree(state, ignore_errors=True)
        path = self.work / "shopmetrics.toml"
        path.write_text(f'[kafka]\nbrokers = ["{address}"]\n'
                        f'[storage]\nstate_directory = "{state}"\n'
                        f'[schedule]\nevery = "{every}"\n[log]\nlevel = "error"\n')
        return path, state

    def daemon(self, address):
        path, _ = self.configuration(address)
        return measure([self.binaries / "shopmetricsd", "run", "--once", "--config", path])

    def python(self, address):
        table = self.work / "python-table"
        for path in (table, self.work / "python-table-dead"):
            shutil.rmtree(path, ignore_errors=True)
        return measure([sys.executable, HERE / "python_pipeline.py", address, table])

    def raw(self, address):
        return measure([self.tools / "raw_consumer", address, "clickstream-events"])


def median(runs, value):
    return statistics.median(value(run) for run in runs)


def row(name, runs, events):
    cpu = median(runs, lambda r: r.cpu) / events * 1e6
    rate = events / median(runs, lambda r: r.wall)
    peak = median(runs, lambda r: r.peak) / 2**20
    print(f"{name:28} {cpu:7.2f} CPU s/M {rate:12,.0f} events/s {peak:7.0f} MiB peak   "
          f"({len(runs)} runs, wall {min(r.wall for r in runs):.2f} to "
          f"{max(r.wall for r in runs):.2f} s)", flush=True)
    return cpu, rate


def backlog(bench, events, count):
    broker, address = bench.broker(bench.topic(events))
    try:
        runs = {"shopmetricsd": [], "Python program": [], "raw librdkafka consumer": []}
        for _ in range(count):
            runs["shopmetricsd"].append(bench.daemon(address))
            runs["Python program"].append(bench.python(address))
            runs["raw librdkafka consumer"].append(bench.raw(address))
        print(f"\nKafka to committed Bronze, a backlog of {events:,} events, medians")
        figures = [row(name, found, events) for name, found in runs.items()]
        ours, python, raw = figures
        bench.daemon(address)
        print(f"  CPU: {python[0] / ours[0]:.1f} times less than the Python program, "
              f"{ours[0] / raw[0]:.2f} times the raw consumer; "
              f"{ours[1] / python[1]:.1f} times its events/s")
        files = (bench.work / "state/bronze/clickstream_raw").glob("*.parquet")
        print(f"  the table takes {sum(f.stat().st_size for f in files) / events:.1f} bytes a row")
    finally:
        broker.kill()
        broker.wait()


def large(bench, events):
    broker, address = bench.broker(bench.topic(events))
    try:
        row(f"shopmetricsd, {events:,}", [bench.daemon(address)], events)
    finally:
        broker.kill()
        broker.wait()


def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(bench, events):
    """The daemon on a one-second schedule: first nothing new, then 1,500 events for each run."""
    ends = bench.work / "ends"
    per_partition = [events // 3 - 30_000] * 3
    ends.write_text(" ".join(map(str, per_partition)))
    broker, address = bench.broker(bench.topic(events), ends)
    path, state = bench.configuration(address, every="1s")
    daemon = subprocess.Popen([bench.binaries / "shopmetricsd", "--config", path])
    try:
        commits = state / "checkpoints/clickstream_bronze/commits"
        while not (commits.is_dir() and any(commits.iterdir())):
            time.sleep(0.1)
        time.sleep(5)
        began, before = time.monotonic(), cpu_of(daemon.pid)
        time.sleep(20)
        idle = (cpu_of(daemon.pid) - before) / (time.monotonic() - began)
        status = Path(f"/proc/{daemon.pid}/status").read_text()
        memory = int(status.split("VmRSS:")[1].split()[0])
        print(f"\nresident, a run each second: {idle * 1000:.1f} ms CPU a run with nothing "
              f"to read, {memory / 1024:.1f} MiB resident after the backlog")
        before, batches = cpu_of(daemon.pid), len(list(commits.glob("[0-9]*")))
        for _ in range(20):
            per_partition = [end + 500 for end in per_partition]
            ends.write_text(" ".join(map(str, per_partition)))
            time.sleep(1)
        batches = len(list(commits.glob("[0-9]*"))) - batches
        used = cpu_of(daemon.pid) - before
        print(f"resident, 1,500 new events a second: {used / batches * 1000:.1f} ms CPU a run "
              f"({batches} runs)")
    finally:
        daemon.terminate()
        daemon.wait()
        broker.kill()
        broker.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--work", type=Path, default=ROOT / ".build/bench")
    options = parser.parse_args()
    binaries = Path(os.environ.get("SHOPMETRICS_BIN", ROOT / ".build/release"))
    bench = Bench(options.work, binaries)
    backlog(bench, options.events, options.runs)
    if options.large:
        large(bench, options.events * 10)
    resident(bench, options.events)


main()
