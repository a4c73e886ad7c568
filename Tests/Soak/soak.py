"""A steady stream of events, a service that is killed again and again, and a watch on what must not
grow.

    soak.py [--minutes M] [--rate EVENTS_PER_SECOND] [--kill-every SECONDS] [--seed S]

A producer sends to a broker of the test; the service runs once a second and is started anew at once
when it was killed. Ten times a second its resident memory, descriptors, threads and the temporary
files below the state directory are counted. At the end the stream stops, the rest is taken in, and:

- every offset of every partition is one row, in Bronze or in the dead letters, with the event that
  the producer had delivered there;
- `shopmetricsctl verify --deep` finds everything sound, and nothing temporary is left;
- the last quarter of the lives had no more memory, descriptors and threads than the first, but for
  the slack below, and the log had fewer than LINES_PER_RUN lines a run.

Exit: 0 when all of that holds, else 1.
"""

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from confluent_kafka import Producer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Acceptance"))

from broker import PATIENCE, TOPIC, EmbeddedBroker  # noqa: E402
from delta_replay import read_file, replay  # noqa: E402
from events import BASE_MS, encode, event  # noqa: E402
from service import Service  # noqa: E402
from support import CLEAN, State, binary  # noqa: E402

LINES_PER_RUN = 12
SLACK = {"memory, MiB": 32, "descriptors": 4, "threads": 4}
BAD_SHARE = 100  # every so many records cannot be decoded


class Stream(threading.Thread):
    """Sends numbered events at a steady rate; `delivered` says which number is at which offset."""

    def __init__(self, brokers, rate):
        super().__init__(daemon=True)
        self.producer = Producer(
            {"bootstrap.servers": brokers, "linger.ms": 20, "log_level": 2})
        self.rate, self.is_over = rate, threading.Event()
        self.delivered, self.failed = {}, Counter()

    def run(self):
        began, number = time.monotonic(), 0
        while not self.is_over.wait(0.05):
            due = int((time.monotonic() - began) * self.rate)
            while number < due:
                self.send(number)
                number += 1
            self.producer.poll(0)
        left = self.producer.flush(PATIENCE)
        self.failed["unsent"] += left

    def send(self, number):
        value = b"{" if number % BAD_SHARE == 0 else encode(event(number))

        def note(error, message):
            if error is None:
                self.delivered[message.partition(), message.offset()] = number
            else:
                self.failed[str(error)] += 1
        self.producer.produce(TOPIC, value, str(number % 50), number % 3, on_delivery=note,
                              timestamp=BASE_MS + number)

    def stop(self):
        self.is_over.set()
        self.join()


class Life:
    """One process of the service, from its start to its death, and the most that it used."""

    def __init__(self, state):
        self.service = Service(state)
        self.peaks = dict.fromkeys(SLACK, 0)

    def sample(self):
        process = Path(f"/proc/{self.service.process.pid}")
        try:
            status = dict(line.split(":", 1)
                          for line in (process / "status").read_text().splitlines())
            found = {"memory, MiB": int(status["VmRSS"].split()[0]) / 1024,
                     "descriptors": len(list((process / "fd").iterdir())),
                     "threads": int(status["Threads"])}
        except (OSError, KeyError):
            return
        for name, value in found.items():
            self.peaks[name] = max(self.peaks[name], value)

    def kill(self):
        self.service.process.kill()
        self.service.process.wait()


def temporary_files(state):
    return [path for path in state.directory.rglob(".*.tmp")]


def soak(state, stream, options, source):
    """The peaks of every life but the first moments', and the most temporary files at a time."""
    lives, most_temporary = [], 0
    end = time.monotonic() + options.minutes * 60
    while time.monotonic() < end:
        life = Life(state)
        death = time.monotonic() + options.kill_every * source.uniform(0.7, 1.3)
        while time.monotonic() < min(death, end):
            time.sleep(0.1)
            life.sample()
            most_temporary = max(most_temporary, len(temporary_files(state)))
            code = life.service.process.poll()
            assert code is None, f"the service ended with {code}: {life.service.said[-3000:]}"
        life.kill()
        lives.append(life.peaks)
        print(f"{len(lives):4} lives, {len(stream.delivered):9,} events; " +
              ", ".join(f"{name} {value:.0f}" for name, value in life.peaks.items()), flush=True)
    return lives, most_temporary


def growth(lives):
    """A sentence for all that the last quarter of the lives has more of than the first."""
    quarter = max(1, len(lives) // 4)
    for name, slack in SLACK.items():
        first, last = (statistics.median(life[name] for life in part)
                       for part in (lives[:quarter], lives[-quarter:]))
        print(f"{name}: {first:.0f} at first, {last:.0f} at last")
        if last > first + slack:
            yield f"{name} grew from {first:.0f} to {last:.0f}"


def column_faults(state, delivered):
    """What the tables' rows say that the producer does not, or the other way round."""
    found = {}
    for table, column in ((state.bronze, "event_id"), (state.dead_letter, "raw_value")):
        for path in replay(table).files:
            rows = read_file(table, path).select(["kafka_partition", "kafka_offset", column])
            for partition, offset, value in zip(*(rows[n].to_pylist() for n in rows.column_names)):
                if (partition, offset) in found:
                    yield f"{partition}/{offset} is there twice"
                found[partition, offset] = value
    for place in (delivered.keys() ^ found.keys()):
        yield f"{place} is {'lost' if place in delivered else 'invented'}"
    for place, number in delivered.items():
        expected = b"{" if number % BAD_SHARE == 0 else event(number)["event_id"]
        if found.get(place, expected) != expected:
            yield f"{place}: expected {expected}, found {found[place]}"


def faults(state, stream, lives):
    yield from (f"the producer failed: {what}, {count} times"
                for what, count in stream.failed.items() if count)
    yield from list(column_faults(state, stream.delivered))[:10]
    verdict = state.tool("verify", "--deep", timeout=1200)
    if verdict.code != CLEAN:
        yield f"verify --deep ended with {verdict.code}: {verdict.output[-2000:]}"
    if left := temporary_files(state):
        yield f"temporary files are left: {left}"
    yield from growth(lives)
    text = (state.root / "said").read_text()
    runs = sum(" ok: " in line for line in text.splitlines())
    lines = text.count("\n") / max(1, runs)
    print(f"{lines:.1f} lines a run in {runs} runs with news")
    if lines > LINES_PER_RUN:
        yield f"{lines:.1f} lines a run"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--kill-every", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="shopmetrics-soak-"))
    broker = EmbeddedBroker(binary("embedded-broker"))
    try:
        state = State(directory / "root", broker.brokers, schedule={"every": "1s"})
        stream = Stream(broker.brokers, options.rate)
        stream.start()
        lives, most_temporary = soak(state, stream, options, random.Random(options.seed))
        stream.stop()
        state.run_once(timeout=600)
        found = list(faults(state, stream, lives))
        for fault in found:
            print(f"VIOLATED {fault}")
        print(f"{options.minutes:g} min, {len(stream.delivered):,} events, {len(lives)} kills, at "
              f"most {most_temporary} temporary files at a time, {len(found)} violations")
        return 1 if found else 0
    finally:
        broker.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
