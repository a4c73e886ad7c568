"""The damaged, unusual and borderline topics that the hostile broker serves by name.

Each case says what a consumer must make of it:

    read      every record arrives, `offsets` of partition 0 in order
    refused   an error that names the place; never a record behind the damage
    stalled   nothing comes at the damage: only the reader's own deadline ends the run
    aborts    refused, but older libraries end the process with SIGABRT

`offsets` of a refused or stalled case are the records before the damage: they may come.
`start` is where a reader begins that already has a position; else it begins where the log does.
"""

import copy
import gzip
import json
from dataclasses import dataclass

from hostile_broker import FETCH, LIST_OFFSETS, METADATA, HostileBroker
from kafka_records import Record, batch, compress, marker, message_set


def event(number):
    """A click event that the daemon accepts."""
    return json.dumps({
        "event_id": f"00000000-0000-4000-8000-{number:012d}", "customer_id": number % 7,
        "product_id": None, "event_type": "page_view", "session_id": f"s-{number // 5}",
        "page": "/", "event_ts": "2026-01-31T10:00:00.000000Z",
    }).encode()


def events(first, count):
    return [event(n) for n in range(first, first + count)]


def good(base, count=10, **options):
    return batch(base, events(base, count), **options)


def good_log():
    """Three partitions: two batches, one batch, nothing."""
    return {0: [good(0), good(10)], 1: [good(0, 3)], 2: []}


COMPRESSED = ("gzip", "snappy", "lz4", "zstd")


def _damaged(codec):
    whole = compress(codec, b"".join(Record(v).encode(n) for n, v in enumerate(events(0, 10))))
    return b"\x00" * 8 + whole[8:]


def _bomb(mebibytes):
    """A record that is small on the way and large in memory."""
    return good(0, 1, codec_bits=1, payload=gzip.compress(
        Record(b" " * (mebibytes << 20)).encode(0), 9, mtime=0))


@dataclass
class Case:
    outcome: str
    batches: object  # a function that builds them
    offsets: list
    start: int | None
    faults: dict

    def broker(self, topic):
        return HostileBroker(topic, {0: self.batches()}, **copy.deepcopy(self.faults))


CASES = {}


def case(name, outcome, batches, offsets=(), start=None, **faults):
    assert outcome in ("read", "refused", "stalled", "aborts")
    CASES[name] = Case(outcome, batches, list(offsets), start, faults)


def upto(end, start=0):
    return range(start, end)


# Whole and well.
case("good", "read", lambda: [good(0), good(10), good(20)], upto(30))
case("empty", "read", lambda: [])
case("one-record", "read", lambda: [good(0, 1)], [0])
for name in COMPRESSED:
    case(f"codec-{name}", "read", lambda c=name: [good(0, codec=c), good(10)], upto(20))
case("format-0", "read", lambda: [message_set(0, events(0, 5), magic=0)], upto(5))
case("format-1", "read", lambda: [message_set(0, events(0, 5), magic=1)], upto(5))
case("format-0-gzip", "read",
     lambda: [message_set(0, events(0, 5), magic=0, codec="gzip")], upto(5))
case("format-1-gzip", "read",
     lambda: [message_set(0, events(0, 5), magic=1, codec="gzip")], upto(5))
case("formats-mixed", "read", lambda: [
    message_set(0, events(0, 5), magic=0), message_set(5, events(5, 5), magic=1), good(10)],
    upto(20))
case("nulls", "read", lambda: [batch(0, [
        Record(None), Record(b""), Record(event(2), key=b""), Record(event(3), key=b"\x00\xff"),
        Record(event(4), headers=[("a", b"1"), ("a", None), ("", b"")])])], upto(5))
case("timestamp-none", "read", lambda: [good(0, timestamp=-1)], upto(10))
case("timestamp-zero", "read", lambda: [good(0, timestamp=0)], upto(10))
case("timestamp-far", "read", lambda: [good(0, timestamp=253_402_300_799_000)], upto(10))
case("timestamp-append", "read", lambda: [good(0, append_time=True)], upto(10))
case("headers-1000", "read", lambda: [
    batch(0, [Record(event(0), headers=[(f"h{n % 10}", b"x" * n) for n in range(1000)])])], [0])
case("key-large", "read", lambda: [batch(0, [Record(event(0), key=b"k" * 500_000)])], [0])
case("offsets-near-2-31", "read", lambda: [good(2**31 - 5)], upto(2**31 + 5, 2**31 - 5))
case("offsets-near-2-53", "read", lambda: [good(2**53 - 5)], upto(2**53 + 5, 2**53 - 5))
case("offsets-near-2-63", "read", lambda: [good(2**63 - 20)], upto(2**63 - 10, 2**63 - 20))

# Gaps that are right.
case("compacted", "read",
     lambda: [good(0), good(20), batch(30, [Record(event(39), offset_delta=9)])],
     [*upto(10), *upto(30, 20), 39])
case("compacted-tail", "read", lambda: [good(0), batch(10, [], last_delta=9)], upto(10))
case("log-start-moved", "read", lambda: [good(100), good(110)], upto(120, 100))
case("transaction-committed", "read",
     lambda: [good(0, producer=7, transactional=True), marker(10, 7, True), good(11, 1)],
     [*upto(10), 11])
case("transaction-aborted", "read",
     lambda: [good(0, producer=7, transactional=True), marker(10, 7, False), good(11, 1)], [11],
     aborted={0: [(7, 0)]})
case("transaction-aborted-tail", "read",
     lambda: [good(0), good(10, producer=7, transactional=True), marker(20, 7, False)], upto(10),
     aborted={0: [(7, 10)]})
case("transactions-interleaved", "read", lambda: [
    good(0, 2, producer=7, transactional=True), good(2, 2, producer=8, transactional=True),
    good(4, 2), marker(6, 7, False), good(7, 2, producer=8, transactional=True),
    marker(9, 8, True)], [2, 3, 4, 5, 7, 8], aborted={0: [(7, 0)]})
case("transaction-open", "read",
     lambda: [good(0), good(10, producer=7, transactional=True)], upto(10), last_stable={0: 10})

# Damage that the client reports.
case("crc-wrong-first", "refused", lambda: [good(0, flip_at=100), good(10)])
case("crc-wrong-middle", "refused",
     lambda: [good(0), good(10, flip_at=100), good(20)], upto(10))
case("crc-field-wrong", "refused", lambda: [good(0), good(10, crc_flip=1)], upto(10))
case("codec-7", "refused", lambda: [good(0, codec_bits=7)])
for name in COMPRESSED:
    case(f"damaged-{name}", "refused", lambda c=name: [good(0, codec=c, payload=_damaged(c))])
case("gzip-is-not-gzip", "refused", lambda: [good(0, codec_bits=1, payload=b"no gzip at all" * 20)])
case("start-below-log", "refused", lambda: [good(100)], start=0)
case("start-above-end", "refused", lambda: [good(0)], start=50)
case("out-of-order", "refused",
     lambda: [good(0), good(15, 5), good(10, 5), good(20)],
     [*upto(10), *upto(20, 15)], whole_log=True)
case("format-3", "refused", lambda: [good(0, magic=3)])
case("topic-forbidden", "refused", lambda: [good(0)], errors={METADATA: ["always", 29]})
case("no-leader", "refused", lambda: [good(0)], partition_errors={0: 5})

# Damage that the client passes over in silence, or repeats for ever.
case("record-length-beyond-batch", "stalled",
     lambda: [batch(0, [Record(event(0)), Record(event(1), length=100_000)])], [0])
case("batch-cut-short", "stalled", lambda: [good(0), good(10, cut=40)], upto(10))
case("length-2-gib", "stalled", lambda: [good(0)],
     answer={FETCH: b"\x7f\xff\xff\xff" + b"\0" * 64})
case("length-garbage", "stalled", lambda: [good(0)], answer={FETCH: b"\xff\xfe\xfd\xfc" * 40})
case("answers-cut", "stalled", lambda: [good(0)], cut_after=60)
case("fetch-silent", "stalled", lambda: [good(0)], silent=(FETCH,))
case("fewer-than-counted", "read",
     lambda: [batch(0, events(0, 5), count=10, last_delta=9), good(10)],
     [*upto(5), *upto(20, 10)])
case("aborted-list-absent", "read",
     lambda: [good(0, producer=7, transactional=True), marker(10, 7, False), good(11, 1)],
     [*upto(10), 11], aborted=None)

# Large.
case("value-5-mb", "read", lambda: [batch(0, [Record(b"[" + b" " * 5_000_000 + b"]")])], [0])
case("gzip-bomb-64-mib", "read", lambda: [_bomb(64)], [0])

# Errors of the protocol that pass, and such that do not.
case("leader-moves", "read", lambda: [good(0)], upto(10), errors={FETCH: [6, 6, 6]})
case("storage-error", "read", lambda: [good(0)], upto(10), errors={FETCH: [56]})
case("offsets-need-patience", "read", lambda: [good(0)], upto(10), errors={LIST_OFFSETS: [6, 5, 6]})
case("metadata-needs-patience", "read", lambda: [good(0)], upto(10), errors={METADATA: [5, 5]})
case("slow", "read", lambda: [good(0), good(10)], upto(20), bytes_per_second=8192)
case("late", "read", lambda: [good(0)], upto(10),
     delay={FETCH: 1.0, METADATA: 0.7, LIST_OFFSETS: 0.7})

# A checksum that is wrong in a large compressed batch ends the whole process in librdkafka 2.0.2:
# the skip over the batch fails an assertion.
case("crc-wrong-compressed", "aborts",
     lambda: [good(0, 20_000, codec="gzip", crc_flip=1), good(20_000)])
