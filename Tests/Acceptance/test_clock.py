"""A time of day that jumps, stands still or races under the working service.

clock.c gives the daemon its time of day; its monotonic clock stays the machine's, and so do the
times of files. Whatever the time of day does, runs go on once a second, every record is stored
once, versions and batch timestamps rise, and nothing is removed while the clock is behind the
newest commit.
"""

import mmap
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest
from broker import EmbeddedBroker, wait_until
from events import mixed
from invariants import check_invariants
from service import Service
from support import CLEAN, State, binary, compile_c

SECOND, HOUR, DAY = 10**9, 3600 * 10**9, 86_400 * 10**9


def utc(*date):
    """A time of day in nanoseconds."""
    return int(datetime(*date, tzinfo=timezone.utc).timestamp()) * SECOND


def by(step):
    return lambda now: (now + step, 1)


def to(moment):
    return lambda now: (moment, 1)


# What the clock does, one thing after the other: from its time, to which it is set, and how fast it
# goes from there.
CASES = {
    "a year forward": [by(365 * DAY)],
    "a year back": [by(-365 * DAY)],
    "an hour forward": [by(HOUR)],
    "an hour back": [by(-HOUR)],
    "a leap second": [by(-SECOND)],
    "to 1970": [to(SECOND)],
    "over the end of 31 bits": [to(utc(2038, 1, 19, 3, 14, 6))],
    "over the end of 32 bits": [to(utc(2106, 2, 7, 6, 28, 14))],
    "standing still": [lambda now: (now, 0)],
    "racing": [lambda now: (now, 1000)],
    "eight hours asleep": [by(8 * HOUR)],
    "to and fro": [by(DAY), by(-2 * DAY), by(DAY + HOUR), by(-HOUR)],
}
BACK = ("a year back", "an hour back", "to 1970")
WATCHED = 4  # seconds in which runs are counted


class Clock:
    """The time of day of a daemon; see clock.c for the file."""

    def __init__(self, library, directory):
        path = directory / "clock"
        path.write_bytes(bytes(56))
        with open(path, "r+b") as file:
            self.file = mmap.mmap(file.fileno(), 0)
        self.real, self.fake, self.rate, self.slot = 0, 0, 1, 0
        self.set(by(0))
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(path)}

    def set(self, change):
        real = time.time_ns()
        self.fake, self.rate = change(self.fake + (real - self.real) * self.rate)
        self.real, self.slot = real, 1 - self.slot
        struct.pack_into("qqq", self.file, 8 + 24 * self.slot, self.real, self.fake, self.rate)
        struct.pack_into("q", self.file, 0, self.slot)


def tell(case, library, directory):
    """Sentences about what went wrong; none when all is well."""
    broker = EmbeddedBroker(binary("embedded-broker"))
    clock = Clock(library, directory)
    state = State(directory / "root", broker.brokers, schedule={"every": "1s"},
                  log={"level": "debug"}, delta={"checkpoint_interval": 2, "log_retention": "1h"},
                  limits={"max_offsets_per_batch": 100})
    try:
        with Service(state, environment=clock.environment) as daemon:
            records = 0
            for change in [by(0), *CASES[case]]:
                clock.set(change)
                broker.produce(mixed(200, seed=records, start=records))
                records += 200
                daemon.wait_until_all_is_in(broker.truth())
            before = daemon.run_count()
            wait_until(lambda: daemon.run_count() > before, "another run")
            before = daemon.run_count()
            time.sleep(WATCHED)
            runs = daemon.run_count() - before
        faults = check_invariants(state, broker.truth())
        if runs > WATCHED + 1:
            faults.append(f"{runs} runs in {WATCHED} s")
        if case in BACK and "Nothing was removed. Set the clock right" not in daemon.said:
            faults.append(f"nothing says that the clock went back: {daemon.said[-3000:]}")
        verdict = state.tool("verify", "--deep")
        return faults + ([] if verdict.code == CLEAN else [verdict.output])
    finally:
        broker.close()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    library = compile_c("Acceptance/clock.c", tmp_path_factory.mktemp("library") / "clock.so",
                        "-shared", "-fPIC")
    with ThreadPoolExecutor(len(CASES) // 2) as pool:
        yield {case: pool.submit(tell, case, library, tmp_path_factory.mktemp("clock"))
               for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_the_service_goes_on_whatever_the_clock_does(found, case):
    violations = found[case].result()
    assert not violations, "\n".join(violations[:20])
