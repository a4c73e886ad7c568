"""A small shop for tests that tell a story: who clicked what when, and what became of it."""

import itertools
import time

import silver_bronze
from broker import produce
from silver_generator import HOUR, MINUTE, SECOND, value_of
from silver_inspection import Memory, assert_silver
from silver_tables import delta_of, events_path, logged_batches, sessions_path
from support import State

LONG_AGO = 1_769_904_000 * SECOND  # 2026-02-01T00:00:00Z: closed as soon as it is seen

_numbers = itertools.count()


def now():
    return time.time_ns() // 1000


def clock(text, day=LONG_AGO):
    """The time that "10:31" or "10:31:00.000001" is on a day given by its beginning."""
    hours, minutes, *seconds = text.split(":")
    whole, _, fraction = (seconds[0] if seconds else "0").partition(".")
    return day + int(hours) * HOUR + int(minutes) * MINUTE + int(whole) * SECOND + \
        int(fraction.ljust(6, "0") or 0)


def click(visitor, when, kind="page_view", **changes):
    """An event of an identified visitor, with an id of its own unless one is given."""
    number = next(_numbers)
    return {
        "event_id": f"e-{number}", "customer_id": visitor, "product_id": None, "event_type": kind,
        "session_id": f"browser-{visitor}", "page": "/", "event_ts": when,
        "kafka_topic": "clickstream-events", "kafka_partition": number % 3,
        "kafka_offset": number, "kafka_timestamp": None, "ingested_at": now(),
        "rescued_data": None, **changes,
    }


class Shop:
    """A state directory, what is sent to it, and the checks after each of its runs."""

    def __init__(self, root, brokers, topic="clickstream-events", **settings):
        self.state = State(root, brokers, topic=topic, **settings)
        self.brokers, self.topic = brokers, topic
        self.memory = Memory()

    def send(self, *clicks):
        """Through Kafka, in this order; the next run finds them."""
        produce(self.brokers,
                [(row["kafka_partition"], None, value_of(row), 0, None) for row in clicks],
                self.topic)

    def write(self, *clicks, source=None):
        """As one version of Bronze, by another program."""
        silver_bronze.append(self.state.bronze, list(clicks), source)

    def run(self, environment=None):
        """A run that ends well, and everything that must hold after it."""
        outcome = self.state.run_once(environment=environment)
        assert_silver(self.state, self.memory)
        return outcome

    def tell(self, *clicks):
        self.send(*clicks)
        return self.run()

    def sessions(self, visitor=None):
        """Plain rows in the order of time, of one visitor or of all."""
        rows = delta_of(sessions_path(self.state)).to_pylist()
        mine = [row for row in rows if visitor is None or
                row["session_id"] == f"{visitor}-{row['first_event_ts']}"]
        return sorted(mine, key=lambda row: row["first_event_ts"])

    def spans(self, visitor):
        """(first, last, number of events) of each session of a visitor."""
        return [(row["first_event_ts"], row["last_event_ts"], row["event_count"])
                for row in self.sessions(visitor)]

    def events(self):
        return delta_of(events_path(self.state)).to_pylist()

    def batches(self):
        return list(logged_batches(self.state).values())

    def silver_tree(self):
        """All of Silver's files with what tells a change."""
        return {name: what for name, what in self.state.tree().items() if "silver" in name}
