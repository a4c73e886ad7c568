"""Random histories of a shop from a seed: what happened, when it arrived, in which portions.

A history is a list of runs, a run a list of versions of Bronze, a version a list of events as
plain rows (times in microseconds). Everything is relative to `now`, because the daemon's clock is
the real one: so each seed has open, parked and closed sessions whenever it is played.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
FIRST_TIME, LAST_TIME = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1  # years 1 to 9999

WAYS = ("kafka", "kafka", "foreign", "foreign", "mixed")
GAPS = (30 * MINUTE, 30 * MINUTE, 30 * MINUTE, SECOND, MINUTE, 6 * HOUR, DAY)
LATENESSES = (10 * MINUTE, 10 * MINUTE, 10 * MINUTE, 0, HOUR, DAY, 7 * DAY)
KINDS = ("page_view", "page_view", "page_view", "add_to_cart", "purchase", "search", "wish", "")
FOREIGN_PARTITIONS = 100  # rows of other writers are in partitions that no topic here has


@dataclass
class History:
    """One seed's history; `runs` holds rows without their time of ingestion when it is Kafka's."""

    seed: int
    way: str
    gap: int
    lateness: int
    max_rows: int
    batch_offsets: int
    now: int
    runs: list = field(default_factory=list)
    changes: list = field(default_factory=list)  # settings that change before each run

    def is_foreign(self, run):
        """Whether another program writes this run's rows into Bronze."""
        return self.way == "foreign" or self.way == "mixed" and run % 2 == 1

    def rows(self):
        return [row for run in self.runs for version in run for row in version]


def duration(microseconds):
    """The configuration's spelling of a whole number of seconds."""
    return f"{microseconds // SECOND}s"


def iso(microseconds):
    text = (EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def value_of(row):
    """The Kafka record's value that decodes to `row`."""
    names = ("event_id", "customer_id", "product_id", "event_type", "session_id", "page")
    fields = {name: row[name] for name in names}
    return json.dumps({**fields, "event_ts": iso(row["event_ts"])}, ensure_ascii=False).encode()


def generate(seed, now, way=None, size=None):
    """The history of `seed`; `way` and `size` (about so many events) overrule the seed's choice."""
    source = random.Random(seed)
    chosen = source.choice(WAYS)
    history = History(
        seed, way or chosen, source.choice(GAPS), source.choice(LATENESSES),
        source.choice((1, 1, 20, 1_000_000)), source.choice((5, 30, 1000)), now)
    chosen_size = source.choice((8, 40, 40, 90, 90, 200))
    events = shop(source, history, size or chosen_size)
    arrivals = delayed(source, history, events)
    arrivals += repeated(source, arrivals)
    arrivals.sort(key=lambda pair: pair[0])
    place(source, [event for _, event in arrivals])
    history.runs = portions(source, arrivals)
    stamp(source, history)
    history.changes = [change(source, number) for number in range(len(history.runs))]
    return history


def shop(source, history, size):
    """The events in no particular order: visitors of every sort, each with pauses of every sort."""
    span = source.choice((3 * history.gap, 4 * HOUR, 3 * DAY, 400 * DAY))
    names = visitors(source, size)
    events = []
    while len(events) < size:
        name = source.choice(names)
        pauses = [pause(source, history.gap, span) for _ in range(source.randrange(0, 12))]
        end = history.now - ending(source, history, span)
        time = max(end - sum(pauses), FIRST_TIME)
        for step in [0, *pauses]:
            time += step
            events.append(event(source, history.seed, len(events), name, time))
    for unlikely in source.sample(events, len(events) // 40):
        unlikely["event_ts"] = strange_time(source, history)
    return events


def visitors(source, size):
    """(customer id, browser's session id): identified, anonymous, and one id that is both."""
    count = source.randrange(1, 2 + size // 12)
    names = []
    for number in range(count):
        browser = f"s-{number}"
        names.append(source.choice((
            (str(number), browser), (str(number), f"s-{number + 1}"), (None, browser),
            (None, str(number)), (browser, browser), ("", browser), ("ä-1", "ä"), ("a", "a--1"),
            ("long" * 800, browser), ("n\0l", browser),
            (f"{number}-{history_like(source)}", browser))))
    return names


def history_like(source):
    """A number that makes a visitor's name look like a session's."""
    return source.randrange(-DAY, 2_000_000_000 * SECOND)


def pause(source, gap, span):
    return source.choice((
        0, gap, gap, gap + 1, gap - 1, gap + 1, source.randint(0, gap), source.randint(0, gap),
        source.randint(0, gap // 2), source.randint(0, gap // 10), source.randint(0, gap // 10),
        source.randint(gap, 3 * gap), source.randint(0, span // 4)))


def ending(source, history, span):
    """How long before `now` a visitor's walk ends: often near where something is decided."""
    final = history.lateness + history.gap
    return source.choice((
        0, source.randint(0, 5 * SECOND), source.randint(0, final), source.randint(0, 2 * final),
        history.lateness, final - MINUTE, source.randint(0, span), source.randint(0, span)))


def strange_time(source, history):
    return source.choice((
        FIRST_TIME, LAST_TIME, -1, 0, 4_070_908_800 * SECOND, history.now + DAY,
        history.now + 2 * MINUTE, history.now + 3 * HOUR, history.now - 3650 * DAY))


def event(source, seed, number, name, time):
    customer, browser = name
    return {
        "event_id": f"{seed}-{number}" if source.random() < 0.9 else f"e{source.randrange(3)}",
        "customer_id": customer, "product_id": source.choice((None, "17", "4711")),
        "event_type": source.choice(KINDS), "session_id": browser,
        "page": source.choice(("/", "/category/books", "/ä")), "event_ts": time,
        "kafka_topic": "clickstream-events", "rescued_data": None,
    }


def delayed(source, history, events):
    """(arrival, event): up to 30 % come late by minutes to days, the others within seconds."""
    late_share = source.uniform(0, 0.3)
    arrivals = []
    for happened in events:
        delay = source.randint(0, 5 * SECOND)
        if source.random() < late_share:
            delay = source.choice((source.randint(MINUTE, HOUR), source.randint(HOUR, 5 * DAY),
                                   history.gap, history.lateness + MINUTE))
        # What is dated into the future arrives at any time of the story.
        due = min(happened["event_ts"] + delay, history.now)
        if happened["event_ts"] > history.now:
            due = history.now - source.randint(0, 3 * DAY)
        arrivals.append((due, happened))
    return arrivals


def repeated(source, arrivals):
    """Some 5 % more: the same event again, soon or late, some of them with other content."""
    copies = []
    for due, original in source.sample(arrivals, max(1, len(arrivals) // 20)):
        copy = dict(original)
        if source.random() < 0.5:
            copy["event_type"] = source.choice(KINDS)
            copy["page"] = "/again"
        if copy["customer_id"] is not None and source.random() < 0.3:
            # The same visitor, known by the browser's session this time.
            copy["session_id"], copy["customer_id"] = copy["customer_id"], None
        late = source.choice((0, 1, source.randint(0, MINUTE), source.randint(0, 4 * DAY)))
        copies.append((due + late, copy))
    return copies


def place(source, events):
    """Gives each event partition and offset in the order of arrival; partitions are added."""
    partitions = source.choice((1, 2, 3))
    ends = {}
    for number, arrived in enumerate(events):
        if number == len(events) // 2:
            partitions += source.choice((0, 1, 3))
        partition = source.randrange(partitions)
        arrived["kafka_partition"] = partition
        arrived["kafka_offset"] = ends.get(partition, 0)
        ends[partition] = arrived["kafka_offset"] + source.choice((1, 1, 1, 5))
        arrived["kafka_timestamp"] = source.choice((None, arrived["event_ts"] // 1000 * 1000))


def portions(source, arrivals):
    """The events cut anywhere into runs, and these into versions, in the order of arrival."""
    runs, versions = source.choice(((1, 5), (2, 5), (3, 5), (3, 3), (5, 5), (2, 25)))
    per_run = cut(source, arrivals, runs)
    return [[[event for _, event in version]
             for version in cut(source, run, source.randint(1, versions))]
            for run in per_run if run]


def cut(source, items, count):
    places = sorted(source.randrange(len(items) + 1) for _ in range(count - 1)) if items else []
    edges = [0, *places, len(items)]
    return [items[a:b] for a, b in zip(edges, edges[1:]) if a < b]


def stamp(source, history):
    """The time of ingestion for rows of other writers: rising, and sometimes not."""
    versions = [version for run in history.runs for version in run]
    begin = history.now - source.choice((MINUTE, 3 * HOUR, 10 * DAY))
    step = (history.now - begin) // (len(versions) + 1) // 1000 * 1000
    times = [begin // 1000 * 1000 + step * number for number in range(len(versions))]
    disorder = source.random()
    if disorder < 0.1:
        source.shuffle(times)
    elif disorder < 0.2:
        times = [times[0]] * len(times)
    elif disorder < 0.25:
        times = [time + 2 * DAY for time in times]  # by a writer whose clock is ahead
    for version, time in zip(versions, times):
        for row in version:
            row["ingested_at"] = time


def change(source, number):
    """Settings that an operator may change between two runs; nothing before the first."""
    if number == 0 or source.random() < 0.7:
        return {}
    return source.choice((
        {"silver": {"allowed_lateness": duration(source.choice(LATENESSES))}},
        {"silver": {"max_rows_per_batch": source.choice((1, 7, 1_000_000))}},
        {"storage": {"compression": source.choice(("none", "snappy", "zstd"))}},
        {"limits": {"max_offsets_per_batch": source.choice((3, 1000))}}))
