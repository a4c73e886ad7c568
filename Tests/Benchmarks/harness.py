"""What the benchmarks share: topics, brokers, configurations, and measured commands."""

import contextlib
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
    bytes_read: int  # by read(2) and its kin, from wherever
    output: str

    @property
    def result(self):
        """The JSON object that the command printed last."""
        return json.loads(self.output.strip().splitlines()[-1])


def measure(command):
    """One command to its end, with the system's own accounting of it."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=output)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.monotonic() - began
        bytes_read = counter(f"/proc/{process.pid}/io", "rchar:")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{text}"
    cpu = usage.ru_utime + usage.ru_stime
    return Run(cpu, wall, usage.ru_maxrss * 1024, bytes_read, text)


def counter(path, name):
    """The number behind a name in a file of /proc."""
    return int(Path(path).read_text().split(name)[1].split()[0])


def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def median(runs, value):
    return statistics.median(value(run) for run in runs)


def row(name, runs, events):
    """Prints a line of a table; the CPU seconds per million events and the events per second."""
    cpu = median(runs, lambda r: r.cpu) / events * 1e6
    rate = events / median(runs, lambda r: r.wall)
    peak = median(runs, lambda r: r.peak) / 2**20
    print(f"{name:36} {cpu:7.2f} CPU s/M {rate:12,.0f} events/s {peak:7.0f} MiB peak   "
          f"({len(runs)} runs, wall {min(r.wall for r in runs):.2f} to "
          f"{max(r.wall for r in runs):.2f} s)", flush=True)
    return cpu, rate


class Bench:
    """A directory to work in, with the tools built and the daemon's state in it."""

    def __init__(self, work, tools=("generate", "stand_in_broker", "raw_consumer")):
        self.work = work
        self.binaries = Path(os.environ.get("SHOPMETRICS_BIN", ROOT / ".build/release"))
        self.tools = work / "bin"
        self.state = work / "state"
        self.tools.mkdir(parents=True, exist_ok=True)
        for source, compiler, libraries in (
                ("generate.cpp", ["g++", "-std=c++17", "-msse4.2"], []),
                ("stand_in_broker.c", ["gcc"], ["-lpthread"]),
                ("raw_consumer.c", ["gcc"], ["-lrdkafka"])):
            name = source.split(".")[0]
            if name in tools:
                subprocess.run([*compiler, "-O2", "-o", self.tools / name, HERE / source,
                                *libraries], check=True)

    def topic(self, events):
        """The topic with that many events, made once and kept."""
        directory = self.work / f"topic-{events}"
        if not (directory / "meta.json").exists():
            self.generate(directory, "--events", events)
        return directory

    def generate(self, directory, *options):
        """A fresh topic of these options, and what its generator says of it."""
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        words = [self.tools / "generate", *options, "--out", directory]
        subprocess.run([str(word) for word in words], check=True)
        return json.loads((directory / "meta.json").read_text())

    @contextlib.contextmanager
    def serving(self, directory, end_offsets=None):
        """A broker for the block, by its address; `end_offsets` is a file that may change."""
        port_file = self.work / "port"
        port_file.unlink(missing_ok=True)
        options = ["--hw-file", str(end_offsets)] if end_offsets else []
        process = subprocess.Popen(
            [self.tools / "stand_in_broker", "--port-file", port_file, *options, directory],
            stderr=subprocess.DEVNULL)
        try:
            while not (port_file.exists() and port_file.read_text().endswith("\n")):
                time.sleep(0.02)
            yield f"127.0.0.1:{port_file.read_text().strip()}"
        finally:
            process.kill()
            process.wait()

    def configuration(self, address, every="1h", silver=""):
        """Writes the daemon's configuration; `silver` is the text below `[silver]`."""
        path = self.work / "shopmetrics.toml"
        path.write_text(f'[kafka]\nbrokers = ["{address}"]\n'
                        f'[storage]\nstate_directory = "{self.state}"\n'
                        f'[schedule]\nevery = "{every}"\n[log]\nlevel = "error"\n'
                        f'[silver]\n{silver}\n')
        return path

    def run_once(self, address, silver=""):
        """One run over the state as it is."""
        path = self.configuration(address, silver=silver)
        return measure([self.binaries / "shopmetricsd", "run", "--once", "--config", path])

    def python(self, script, *words):
        return measure([sys.executable, HERE / script, *words])

    @contextlib.contextmanager
    def daemon(self, path):
        """The resident daemon for the block, by its process id."""
        process = subprocess.Popen([self.binaries / "shopmetricsd", "--config", path])
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def show(ends, offsets):
    """Lets the broker's topic end there; at once, as the broker may be reading the file."""
    fresh = ends.with_suffix(".new")
    fresh.write_text(" ".join(map(str, offsets)))
    fresh.rename(ends)


def replace(source, target):
    """Makes `target` a copy of the directory `source`."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
