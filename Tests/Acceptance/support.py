"""One state directory of the daemon under test, and the programs that work on it."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from delta_replay import read_rows, replay

ROOT = Path(__file__).resolve().parents[2]
QUERY = "clickstream_bronze"
RETRY = "clickstream_retry"  # of dead letters: its data files, and its id in the tables' logs

KILLED = 137  # how crashpoints.c reports a death at the point that was asked for

# Exit codes of the programs (see shopmetricsd(8)).
CLEAN, DAMAGED_STATE, KAFKA_UNAVAILABLE, IO_ERROR, LOCKED, BAD_CONFIGURATION = 0, 65, 69, 74, 75, 78


def binary(name):
    """The path of a built program: SHOPMETRICS_BIN, else the package's newest build."""
    given = os.environ.get("SHOPMETRICS_BIN")
    if given:
        return Path(given) / name
    built = [ROOT / ".build" / kind / name for kind in ("release", "debug")]
    there = [path for path in built if path.exists()]
    return max(there, key=lambda path: path.stat().st_mtime) if there else built[0]


def toml(settings):
    """A configuration file's text from nested dictionaries; tables after plain keys."""
    lines = []

    def literal(value):
        if isinstance(value, dict):
            pairs = (f"{json.dumps(key)} = {literal(item)}" for key, item in value.items())
            return "{ " + ", ".join(pairs) + " }"
        if isinstance(value, list):
            return "[" + ", ".join(literal(item) for item in value) + "]"
        return json.dumps(value)

    def table(name, body):
        if name:
            lines.append(f"[{name}]")
        for key, value in body.items():
            if not isinstance(value, dict):
                lines.append(f"{key} = {literal(value)}")
        for key, value in body.items():
            if isinstance(value, dict):
                table(f"{name}.{key}" if name else key, value)

    table("", settings)
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    return text


# Runs a command and prints the peak of its resident memory in KiB. A process in between: a child is
# charged with what its parent had when it was forked, and a test has much.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""

TWO_DAYS = 2 * 86_400


def age(state):
    """Makes all log entries older than the retention, which is judged by the files' times."""
    for path in state.directory.rglob("_delta_log/*"):
        status = path.stat()
        os.utime(path, (status.st_atime - TWO_DAYS, status.st_mtime - TWO_DAYS))


@dataclass
class Outcome:
    """How a program ended, with all that it said."""

    code: int
    output: str


class State:
    """A configuration file below `root` with the state directory it names, there or elsewhere."""

    def __init__(self, root, brokers, topic="clickstream-events", directory=None, **settings):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.config = self.root / "shopmetrics.toml"
        self.directory = directory or self.root / "state"
        self.bronze = self.directory / "bronze" / "clickstream_raw"
        self.dead_letter = self.directory / "bronze" / "clickstream_dead_letter"
        self.checkpoint = self.directory / "checkpoints" / QUERY
        self.settings = {
            "kafka": {"brokers": [brokers], "topic": topic, "starting_offsets": "earliest"},
            "storage": {"state_directory": str(self.directory)},
        }
        self.configure(**settings)

    def configure(self, **settings):
        """Merges tables such as limits={"max_offsets_per_batch": 100} and rewrites the file."""
        for table, body in settings.items():
            self.settings.setdefault(table, {}).update(body)
        self.config.write_text(toml(self.settings))
        self.config.chmod(0o640)

    def copy(self, root):
        """The same state elsewhere; file times are kept."""
        other = State(root, self.settings["kafka"]["brokers"][0])
        if self.directory.exists():
            shutil.copytree(self.directory, other.directory, symlinks=True)
        other.settings = json.loads(json.dumps(self.settings))
        other.configure(storage={"state_directory": str(other.directory)})
        return other

    def command(self, *arguments):
        return [str(binary("shopmetricsd")), "--config", str(self.config), *arguments]

    def start(self, *arguments, **options):
        """The daemon as a background process that the caller has to end."""
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **options)

    def run_once(self, expect=CLEAN, timeout=60, wrapper=(), environment=None):
        """One availableNow run in the foreground; asserts its exit code unless `expect` is None."""
        outcome = execute([*wrapper, *self.command("run", "--once")], timeout, environment)
        assert expect is None or outcome.code == expect, \
            f"run --once ended with {outcome.code}, expected {expect}:\n{outcome.output}"
        return outcome

    def tool(self, *arguments, timeout=60):
        """shopmetricsctl on this state."""
        return execute(self.tool_command(*arguments), timeout)

    def tool_command(self, *arguments):
        return [str(binary("shopmetricsctl")), "--config", str(self.config), *arguments]

    def query_id(self):
        return json.loads((self.checkpoint / "metadata").read_text())["id"]

    def batches(self, folder="offsets"):
        """The batch numbers with a file in offsets/ or commits/."""
        directory = self.checkpoint / folder
        if not directory.is_dir():
            return []
        return sorted(int(path.name) for path in directory.iterdir() if path.name.isdigit())

    def logged_offsets(self, batch):
        """(batch timestamp in ms, partition -> end offset) from offsets/`batch`."""
        text = (self.checkpoint / "offsets" / str(batch)).read_text()
        version, metadata, offsets = text.split("\n")
        assert version == "v1"
        (body,) = json.loads(offsets).values()
        return json.loads(metadata)["batchTimestampMs"], {int(p): o for p, o in body.items()}

    def initial_offsets(self):
        raw = (self.checkpoint / "sources" / "0" / "0").read_bytes()
        assert raw[:4] == b"\0v1\n", raw[:8]
        (body,) = json.loads(raw[4:]).values()
        return {int(p): o for p, o in body.items()}

    def snapshots(self):
        return replay(self.bronze), replay(self.dead_letter)

    def rows(self):
        """Bronze's and the dead letters' rows as lists of dictionaries, by the own replay."""
        tables = (read_rows(self.bronze), read_rows(self.dead_letter))
        return tuple([] if table is None else table.to_pylist() for table in tables)

    def tree(self):
        """Every file and directory with what tells a change; the lock names a new pid each time."""
        found = {}
        for path in sorted(self.directory.rglob("*")):
            name = str(path.relative_to(self.directory))
            if name == "lock":
                continue
            status = path.stat()
            content = path.read_bytes() if path.is_file() else b""
            found[name] = (status.st_ino, status.st_mtime_ns, hashlib.sha256(content).hexdigest())
        return found


def impatient_state(root, broker, patience="5s", **limits):
    """An empty state directory for a hostile broker, on which it gives up after `patience`."""
    return State(root, broker.bootstrap, limits=limits,
                 kafka={"connect_timeout": patience, "stall_timeout": patience})


def execute(command, timeout=60, environment=None):
    """Runs a program to its end, killing it (exit code -9) when it takes longer."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})}, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
        return Outcome(process.returncode, output.decode("utf-8", "replace"))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        text = output.decode("utf-8", "replace")
        return Outcome(-signal.SIGKILL, f"{text}\n(killed after {timeout} s)")


def compile_c(source, target, *options):
    """Compiles a file of the tests, and returns `target`."""
    compiler = os.environ.get("CC") or shutil.which("clang") or "cc"
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", *options, "-o", target,
                    ROOT / "Tests" / source], check=True)
    return target


def build_tracer(directory):
    """Compiles crashpoints.c, which names and kills at file-changing system calls."""
    return compile_c("CrashSweep/crashpoints.c", Path(directory) / "crashpoints")
