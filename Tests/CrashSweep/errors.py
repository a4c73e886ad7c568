"""Makes system calls of the resident daemon fail, one a run, and checks what it says and leaves.

    errors.py [--scenario bronze|silver] [--sample N] [--seed S] [--workers W] [--reads]
              [--only NAME]

The start states are those of sweep.py. For each a service is recorded from its start until its
first run is done; then, for each call and each error that the call can have: a copy of the state,
a service whose call fails once (crashpoints.c), which must be seen to have failed. It is given time
to do all of its work, and told to stop. What is checked:

- after a failed sync it ends with 74 and never syncs that file again; every other error of a run
  heals in the same process; an error of the start ends it with 74;
- one line names the error, the path, what is true of the data, and what to do; with `--reads` a
  call that only read may fail unnoticed when the service came by its work another way;
- after a restart that ends well all invariants hold, and an idle run writes nothing.

Exit: 0 when every call was hit and nothing else found, else 1.
"""

import argparse
import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent),
                str(Path(__file__).resolve().parent.parent / "Acceptance")]

from broker import EmbeddedBroker, wait_until  # noqa: E402
from scenarios import Result  # noqa: E402
from support import CLEAN, IO_ERROR, binary  # noqa: E402
from sweep import SWEEPS, in_parallel, report, sampled  # noqa: E402

# The errors that a call on a local or network file system can have.
ROOM = ("ENOSPC", "EDQUOT")
ERRORS = {
    "openat": (*ROOM, "EIO", "EROFS", "EACCES", "EMFILE"),
    "write": (*ROOM, "EIO"),
    "fsync": (*ROOM, "EIO"),
    "fdatasync": (*ROOM, "EIO"),
    "close": (*ROOM, "EIO"),
    "link": (*ROOM, "EIO", "EROFS"),
    "linkat": (*ROOM, "EIO", "EROFS"),
    "rename": (*ROOM, "EIO", "EROFS"),
    "mkdir": (*ROOM, "EIO", "EROFS"),
    "unlink": ("EIO", "EROFS"),
    "ftruncate": ("EIO", "EROFS"),
    "read": ("EIO",),
    "pread64": ("EIO",),
    "getdents64": ("EIO",),
    "newfstatat": ("EIO", "EACCES"),
}
READS = ("read", "pread64", "getdents64", "newfstatat")
SYNCS = ("fsync", "fdatasync")
READY = " ready; "
PATIENCE = 30
NEEDS_PATH_IN_SANDBOX = ("EROFS", "EACCES")

MESSAGE = re.compile(r"\[[A-Z_]+\] [^;]+; (?P<effect>[^;]+); (?P<remedy>\S+ \S.+)")
CREATION = f"/{0:020}.json"
LEFTOVER = "a temporary file stays"
INSTEAD = "read the commits instead"
UPKEEP = "rows are unharmed"
STANDS = "nothing of it is lost or read again"
PUBLISHED = "the file was written and has its name"


@dataclass(frozen=True)
class Case:
    """A point of a recorded service (thread:call:ordinal) and the error that it gets."""

    scenario: str
    name: str
    path: str
    error: str

    @property
    def call(self):
        return self.name.split(":")[1]

    @property
    def kind(self):
        return self.call, self.error

    def __str__(self):
        return f"{self.scenario} {self.name} {self.error} {self.path}"


@dataclass
class Service:
    """What became of a service: its exit code, what it said, its points, what failed."""

    code: int
    output: str
    points: list  # (call, path) in order
    failed: int | None  # the index of the point that failed


class ErrorSweep:
    """Cases for the start states of a sweep of kills; goes to the workers as that does."""

    def __init__(self, sweep, reads):
        self.sweep, self.reads = sweep, reads
        self.expected, self.points = {}, []

    def prepare(self, only):
        self.sweep.prepare(only)
        for scenario, state in self.sweep.starts.items():
            if only in (None, scenario):
                state.configure(schedule={"every": "1s"})
                self.record(scenario, state)

    def record(self, scenario, start):
        """Every call of a service that does all that there is to do, with each of its errors."""
        finished = start.copy(self.sweep.directory / f"{scenario}-finished")
        finished.run_once(timeout=120)
        self.expected[scenario] = newest_batch(finished, self.query)
        shutil.rmtree(finished.root)
        state = start.copy(self.sweep.directory / f"{scenario}-served")
        service = self.serve(scenario, state, lambda: self.is_done(scenario, state))
        assert service.code == CLEAN, service.output
        counts = {}
        for line in (state.root / "points").read_text().splitlines():
            _, thread, call, ordinal, path = line.split(" ", 4)
            name = f"{thread}:{call}:{ordinal}"
            counts[call] = counts.get(call, 0) + 1
            for error in ERRORS.get(call, ()):
                self.points.append(Case(scenario, name, path, error))
        shutil.rmtree(state.root)

    @property
    def query(self):
        return "clickstream_silver" if "silver" in type(self.sweep).__name__.lower() \
            else "clickstream_bronze"

    def is_done(self, scenario, state):
        return newest_batch(state, self.query) == self.expected[scenario]

    def serve(self, scenario, state, is_done, *options):
        """A service that is told to stop when its work is done, or that ended by itself."""
        log, text = state.root / "points", state.root / "output"
        log.touch()
        with open(text, "w") as output:
            process = subprocess.Popen(
                [self.sweep.tracer, "--under", state.directory, "--log", log, "--reads",
                 "yes" if self.reads else "no", *options, "--", *state.command()],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: process.poll() is not None or is_done(), "the work", PATIENCE)
            process.terminate()
            code = process.wait(PATIENCE)
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            return Service(-1, f"{problem}\n{text.read_text()}", *read_points(log))
        finally:
            process.kill()
            process.wait()
        return Service(code, text.read_text(), *read_points(log))

    # -- one case ----------------------------------------------------------------------------

    def check(self, case):
        state = self.sweep.starts[case.scenario].copy(self.sweep.directory / f"case-{os.getpid()}")
        try:
            number = getattr(errno, case.error)
            log = state.root / "points"
            service = self.serve(
                case.scenario, state,
                lambda: " ! " in log.read_text() and self.is_done(case.scenario, state),
                "--fail", case.name, "--errno", str(number))
            if service.failed is None:
                return Result(case, False, [service.output[-2000:]])
            violations = [*outcome_faults(case, service),
                          *message_faults(case, service, state.directory),
                          *self.sweep.restart(state)]
            if not violations:
                violations = self.sweep.judge(state) + self.sweep.idle(state)
            return Result(case, True, violations)
        finally:
            shutil.rmtree(state.root, ignore_errors=True)


def newest_batch(state, query):
    folder = state.directory / "checkpoints" / query / "commits"
    names = os.listdir(folder) if folder.is_dir() else []
    return max((int(name) for name in names if name.isdigit()), default=None)


def read_points(log):
    """The points of a recording, and which of them was made to fail."""
    points, failed = [], None
    for line in log.read_text().splitlines():
        fields = line.split(" ", 4)
        if fields[1] == "!":
            failed = len(points) - 1
        else:
            points.append((fields[2], fields[4]))
    return points, failed


def outcome_faults(case, service):
    """What is wrong with how the service ended."""
    later = service.points[service.failed + 1:]
    path = service.points[service.failed][1]
    if case.call in SYNCS:
        if service.code != IO_ERROR:
            yield f"ended with {service.code} after a failed sync: {service.output[-1500:]}"
        if any(call in SYNCS and name == path for call, name in later):
            yield f"{path} was synced again after a failed sync"
    elif service.code != CLEAN and not (READY not in service.output and service.code == IO_ERROR):
        yield f"did not heal, ended with {service.code}: {service.output[-1500:]}"


def message_faults(case, service, directory):
    """What is wrong with what the service said."""
    path = f"{directory}{service.points[service.failed][1]}"
    lines = [line for line in service.output.splitlines()
             if path in line and case.error in line]
    # What is under its final name was opened to be read.
    is_read = case.call in READS or case.call == "openat" and path.endswith(".checkpoint.parquet")
    if not lines and is_read and service.code == CLEAN:
        return  # a second look at what can be had otherwise
    if not lines:
        yield f"nothing names {path} and {case.error}: {service.output[-1500:]}"
        return
    if len(lines) > 1:
        yield f"{len(lines)} lines for one error: {lines}"
    if any(text in lines[0] for text in (LEFTOVER, INSTEAD)):
        return
    found = MESSAGE.search(lines[0])
    if not found:
        yield f"no effect or no remedy: {lines[0]}"
        return
    if case.error in NEEDS_PATH_IN_SANDBOX and "[DISK_" in lines[0] \
            and "ReadWritePaths=" not in found["remedy"]:
        yield f"the remedy does not name ReadWritePaths=: {lines[0]}"
    if case.call in SYNCS or UPKEEP in lines[0]:
        return
    holds = {PUBLISHED: follows_publication(service), STANDS: is_behind_commit_point(case, service)}
    said = [effect for effect in holds if effect in found["effect"]]
    for effect in said:
        if holds[effect] is False:
            yield f"'{effect}' is not true: {lines[0]}"
    # A file of the checkpoint that has its name already changes no table, as the text then says.
    if not said and (holds[STANDS] or holds[PUBLISHED] and "/_delta_log/" in path):
        yield f"does not say what is true of {holds}: {lines[0]}"


def follows_publication(service):
    """Whether what failed was to make the name durable that was just given, or to read it back."""
    failed, is_synced = service.points[service.failed][1], False
    for call, path in reversed(service.points[:service.failed]):
        if call.startswith(("link", "rename")):
            return failed == path or failed == str(Path(path).parent) and not is_synced
        if call in ("write", "mkdir", "ftruncate"):
            return False
        is_synced = is_synced or call in SYNCS
    return False


def is_behind_commit_point(case, service):
    """Whether the batch at work had its first table's commit and was not in commits/ yet.

    `None` in a recovery that may or may not have come to the batch that it has to finish.
    """
    before = service.points[:service.failed]
    if service.points[service.failed][1] == "/lock" and not any(
            call.startswith("link") for call, _ in before):
        return False  # nothing was read yet
    first = ("/bronze/clickstream_raw/_delta_log/", "/silver/clickstream_sessions/_delta_log/")
    is_logged = case.scenario == "pending"
    # `closing` begins with a commit of changed settings, which looks like a batch's.
    stands = None if case.scenario in ("pending", "closing") else False
    for call, path in before:
        if not call.startswith("link"):
            continue
        if "/offsets/" in path:
            is_logged = True
        elif "/commits/" in path:
            is_logged = stands = False
        elif path.startswith(first) and not path.endswith(CREATION):
            stands = is_logged if stands is not None else None
    return stands


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", choices=("bronze", "silver"), default="bronze")
    parser.add_argument("--sample", type=int, help="so many cases instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--reads", action="store_true", help="calls that only read fail, too")
    parser.add_argument("--only", help="one of the scenarios")
    return parser.parse_args()


def main():
    options = parse()
    started = time.monotonic()
    broker = EmbeddedBroker(binary("embedded-broker"))
    directory = Path(tempfile.mkdtemp(prefix="shopmetrics-errors-"))
    try:
        sweep = ErrorSweep(
            SWEEPS[options.scenario](directory, broker.brokers, options.seed), options.reads)
        sweep.prepare(options.only)
        cases = sampled(sweep.points, options.sample, options.seed, lambda case: case.kind)
        print(f"{len(sweep.points)} cases recorded, {len(cases)} to try, seed {options.seed}",
              flush=True)
        results = in_parallel(sweep.check, cases, options.workers)
        return 0 if report(results, time.monotonic() - started) else 1
    finally:
        broker.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
