"""Every class of bad or odd JSON, through a broker and the daemon into one of the two tables.

The outcome of each value is declared here; the oracle must agree with the declaration and the
daemon with both. All values are one topic and one run, so a bad one cannot harm its neighbours.
"""

import re
from pathlib import Path

import oracle
import pytest
from broker import Truth
from events import encode, event, with_raw
from hostile_broker import HostileBroker
from invariants import assert_invariants
from kafka_records import Record, batch
from support import State

ROW = "row"
GOOD = encode(event())
CANARY = "canary-of-a-payload"
MEBIBYTE = 1 << 20

ACCEPTED_TIMES = [
    "2026-02-01T10:00:00Z", "2026-02-01T10:00:00.123Z", "2026-02-01T10:00:00.123456Z",
    "2026-02-01T10:00:00.123456789Z", "2026-02-01 10:00:00+00:00", "2026-02-01T10:00:00+05:30",
    "2026-02-01T10:00:00-00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "1582-10-10T00:00:00Z", "2024-02-29T00:00:00Z", "2099-01-01T00:00:00Z",
]
REFUSED_TIMES = [
    "", "2026-02-01T10:00:00", "2026-02-01", "1769904000", "2026-W05-7T10:00:00Z",
    "2026-02-01T24:00:00Z", "2026-02-01T23:59:60Z", "2026-02-30T00:00:00Z",
    "2026-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
    "2026-02-01T10:00:00.Z", "2026-02-01T10:00:00.1234567890Z", "2026-02-01T10:00:00+24:00",
    "2026-02-01T10:00:00+0530", "2026-02-01t10:00:00Z", "2026-02-01T10:00:00z",
    " 2026-02-01T10:00:00Z",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
]


def without(name):
    fields = event()
    del fields[name]
    return encode(fields)


def nested(depth, name="extra"):
    """A complete event with arrays inside arrays, `depth` containers in all."""
    return with_raw(name, b"[" * (depth - 1) + b"]" * (depth - 1))


def syntax_cases():
    """The texts of json-cases.txt, each as an unused field of an otherwise complete event."""
    outcomes = {"+": ROW, "-j": "invalid_json", "-u": "invalid_utf8"}
    for line in (Path(__file__).parent / "json-cases.txt").read_text("utf-8").split("\n"):
        if not line or line.startswith("#"):
            continue
        mark, text = line.split(" ", 1)
        raw = re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())
        outcome = outcomes[mark.removesuffix("w")]
        yield f"token {text[:60]}", GOOD[:-1] + b', "extra": ' + raw + b', "last": 1}', outcome


def classes():
    """(name, value, outcome) of the classes J1 to J36."""
    yield "J1 empty", b"", "invalid_json"
    yield "J2 null value", None, "null_value"
    for blank in (b" ", b"\n\t\r ", b"\0"):
        yield f"J3 blank {blank!r}", blank, "invalid_json"
    yield "J4 byte order mark", b"\xef\xbb\xbf" + GOOD, "invalid_json"
    for name in ("utf-16", "utf-16-le", "utf-16-be"):
        yield f"J5 {name}", GOOD.decode().encode(name), "invalid_json"
    for where in ("page", "event_id", "extra"):
        for raw in (b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\udc00\\ud800"'):
            yield f"J6-J8 {raw!r} in {where}", with_raw(where, raw), "invalid_utf8"
    yield "J9 NUL in a string", with_raw("page", b'"a\0b"'), "invalid_json"
    yield "J9 NUL behind", GOOD + b"\0", "invalid_json"
    yield "J9 NUL escaped", with_raw("page", b'"a\\u0000b"'), ROW
    for length in range(1, len(GOOD)):
        yield f"J10 cut at {length}", GOOD[:length], "invalid_json"
    for behind in (b"{}", b" 1", b",", GOOD, b"\n" + GOOD):
        yield f"J11 followed by {behind[:9]!r}", GOOD + behind, "invalid_json"
    yield "J12 trailing comma", GOOD[:-1] + b",}", "invalid_json"
    for token in (b"NaN", b"Infinity", b"-Infinity", b"0x1", b"01", b"+1", b"'a'", b"1.", b".5",
                  b"tru"):
        for where in ("page", "product_id", "extra"):
            yield f"J12 {token!r} in {where}", with_raw(where, token), "invalid_json"
    # The first fault in byte order counts: a value of the wrong type that is whole before it.
    for token in (b"1 /* c */", b"1 // c\n"):
        yield f"J12 {token!r} in page", with_raw("page", token), "wrong_type"
        yield f"J12 {token!r} in product_id", with_raw("product_id", token), "invalid_json"
    yield "J12 trailing comma in a list", with_raw("extra", b"[1,]"), "invalid_json"
    yield "J12 trailing comma in a list for a page", with_raw("page", b"[1,]"), "wrong_type"
    for other in (b"[]", b'"text"', b"1", b"null", b"true", b"[" + GOOD + b"]"):
        yield f"J13 {other[:9]!r}", other, "not_an_object"
    for depth, outcome in ((1023, ROW), (1024, ROW), (1025, "too_deep"), (100_000, "too_deep")):
        yield f"J14-J15 depth {depth}", nested(depth), outcome
    yield "J16 10 MB in an unknown field", encode(event(extra="x" * 10_000_000)), ROW
    yield "J17 10 MB page", encode(event(page="p" * 10_000_000)), ROW
    yield "J17 17 MiB page", encode(event(page="p" * (17 * MEBIBYTE))), "too_large"
    yield "J18 100,000 keys", encode(event(**{f"k{n}": n for n in range(100_000)})), ROW
    yield "J19 key twice, the same", GOOD[:-1] + b', "page": "/category/books"}', ROW
    yield "J19 key twice, last wins", GOOD[:-1] + b', "page": "/last"}', ROW
    yield "J19 key twice, last is bad", GOOD[:-1] + b', "page": 1}', "wrong_type"
    yield "J19 key twice, escaped", GOOD[:-1] + b', "p\\u0061ge": "/last"}', ROW
    yield "J20 other case", GOOD.replace(b'"page"', b'"Page"'), "missing_field"
    for name in ("event_id", "event_type", "session_id", "page", "event_ts"):
        yield f"J21 without {name}", without(name), "missing_field"
        yield f"J23 null {name}", encode(event(**{name: None})), "missing_field"
    for name in ("customer_id", "product_id"):
        yield f"J21-J22 without {name}", without(name), ROW
        yield f"J22 null {name}", encode(event(**{name: None})), ROW
    for name in ("customer_id", "product_id", "event_id", "session_id"):
        for token in (b"7", b"-7", b"0", b"2147483648", b"-2147483649", b"9223372036854775808",
                      b"123456789012345678901234567890"):
            yield f"J24-J25 {name} {token!r}", with_raw(name, token), ROW
        for token in (b"1.0", b"1e3", b"true", b"-0", b"1e400", b"[]", b"{}"):
            yield f"J24-J27 {name} {token!r}", with_raw(name, token), "wrong_type"
    for name in ("event_type", "page"):
        for token in (b"1", b"false", b"[]", b"{}"):
            yield f"J27 {name} {token!r}", with_raw(name, token), "wrong_type"
    for time in ACCEPTED_TIMES:
        yield f"J28-J31 {time}", encode(event(event_ts=time)), ROW
    for time in REFUSED_TIMES:
        yield f"J29-J30 {time!r}", encode(event(event_ts=time)), "bad_timestamp"
    yield "J30 a number", with_raw("event_ts", b"1769904000"), "bad_timestamp"
    yield "J32 unknown type", encode(event(event_type="wishlist")), ROW
    for text in (f"\x1b[31m{CANARY}", f"a\nMESSAGE={CANARY}\n<0>b", "../../etc/passwd",
                 "'; drop table bronze; --", "\u2028\u202e"):
        yield f"J33-J35 {text!r}", encode(event(page=text, session_id=text)), ROW
        yield f"J33-J35 {text!r}, bad", encode(event(page=text, event_ts=text)), "bad_timestamp"
        yield f"J33-J35 key {text!r}", encode({**event(), text: text}), ROW
    ours = dict.fromkeys(("kafka_offset", "ingested_at", "rescued_data", "failure_reason"), "x")
    yield "J36 our own columns", encode({**event(), **ours}), ROW


CASES = [*classes(), *syntax_cases()]


@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    """(state, truth, what the run said, offset -> reason or "row") after one run over all."""
    records = [Record(value) for _, value, _ in CASES]
    topic = [batch(first, records[first:first + 50]) for first in range(0, len(records), 50)]
    with HostileBroker("clickstream-events", {0: topic}) as broker:
        state = State(tmp_path_factory.mktemp("json"), broker.bootstrap,
                      limits={"max_offsets_per_batch": 300})
        output = state.run_once(timeout=120).output
        truth = Truth.read(broker.bootstrap)
    good, dead = state.rows()
    found = {row["kafka_offset"]: ROW for row in good}
    found.update((row["kafka_offset"], row["failure_reason"]) for row in dead)
    return state, truth, output, found


@pytest.mark.parametrize("number", range(len(CASES)), ids=[name for name, _, _ in CASES])
def test_value(ingested, number):
    _, value, outcome = CASES[number]
    kind, decoded = oracle.decode(value)
    assert (ROW if kind == "row" else decoded) == outcome, "the oracle disagrees with the list"
    assert ingested[3][number] == outcome


def test_every_value_is_as_the_oracle_reads_it(ingested):
    state, truth, _, _ = ingested
    assert len(truth.records) == len(CASES)
    assert_invariants(state, truth)


def test_payloads_do_not_reach_the_log(ingested):
    output = ingested[2]
    assert CANARY not in output and "\x1b" not in output
    assert len(output.splitlines()) < 40, "a line for each bad record would flood the journal"


def test_a_lower_limit_of_size_is_kept_to_the_byte(tmp_path):
    at_limit = encode(event(page="p" * (65_536 - len(encode(event(page=""))))))
    assert len(at_limit) == 65_536
    values = [at_limit, at_limit[:-1] + b" }", GOOD]
    with HostileBroker("clickstream-events", {0: [batch(0, values)]}) as broker:
        state = State(tmp_path, broker.bootstrap, limits={"max_value": "64KiB"})
        state.run_once()
    good, dead = state.rows()
    assert [row["kafka_offset"] for row in good] == [0, 2]
    assert [row["failure_reason"] for row in dead] == ["too_large"]
    assert dead[0]["raw_value"] == values[1]
