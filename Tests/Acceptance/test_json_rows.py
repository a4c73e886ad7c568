"""What the columns hold after odd and borderline JSON, and what the daemon says about it.

test_json.py has the outcome of every class; here are the values of the columns, written from the
decoding rules by hand, and the words of the programs, which never repeat a payload.
"""

import json
import re
from datetime import datetime, timezone

import pytest
from broker import EmbeddedBroker, produce
from events import BASE_MS, encode, event, with_raw
from invariants import assert_idle_run_writes_nothing, assert_invariants
from support import State, binary

MARK = "PAYLOAD7f3a"  # in every string of a payload that could show up in a log
MIB = 1 << 20
REQUIRED = ("event_id", "event_type", "session_id", "page", "event_ts")
GOOD = event(page="/" + MARK)
WHOLE = encode(GOOD)


def plus(name, token):
    """The complete event with one member more, whose value is the bytes `token`."""
    return WHOLE[:-1] + b', "' + name.encode() + b'": ' + token + b"}"


def without(name):
    return encode({key: value for key, value in GOOD.items() if key != name})


def nested(depth):
    """An event of so many containers one in the other, itself included."""
    return plus("x", b"[" * (depth - 1) + b"]" * (depth - 1))


def at(year, month, day, hour=0, minute=0, second=0, microsecond=0):
    return datetime(year, month, day, hour, minute, second, microsecond, timezone.utc)


def cases():
    """(class, value, what becomes of it: the reason of a dead letter, or columns of a row)"""
    yield from texts()
    yield from structure()
    yield from fields()
    yield from numbers()
    yield from timestamps()
    yield from strings()


def texts():
    yield "blanks around", b"\n" + WHOLE + b"\r\n ", {"page": GOOD["page"]}
    yield "a pair of surrogates", with_raw("page", rb'"\ud83d\ude00"'), {"page": "\U0001f600"}
    yield "NUL", with_raw("page", rb'"a\u0000b"'), {"page": "a\0b"}
    for wrong in (rb"\ud800", rb"\ud800\ud800", rb"\ud800x", rb"\ud800\n", rb"\udfff\ud800"):
        yield "surrogate", with_raw("page", b'"' + wrong + b'"'), "invalid_utf8"
    yield "surrogate in a name", WHOLE[:-1] + rb', "\ud800": 1}', "invalid_utf8"


def structure():
    yield "J14", nested(1023), {"page": GOOD["page"]}
    yield "J14", nested(1024), {"page": GOOD["page"]}
    yield "J14", nested(1025), "too_deep"
    yield "J14", nested(100_000), "too_deep"
    yield "J14", plus("x", b"[" * 100_000), "too_deep"
    yield "J14", with_raw("page", b"[" * 100_000), "wrong_type"
    yield "J15", plus("x", b'{"a":' * 1023 + b"1" + b"}" * 1023), {"page": GOOD["page"]}
    yield "J15", plus("x", b'{"a":' * 1024 + b"1" + b"}" * 1024), "too_deep"
    many = ",".join(f'"k{n}":{n}' for n in range(100_000))
    yield "J18", WHOLE[:-1] + b"," + many.encode() + b"}", {"rescued_data": "{" + many + "}"}


def fields():
    yield "J19", plus("page", b'"/last"'), {"page": "/last"}
    yield "J19", plus("page", json.dumps(GOOD["page"]).encode()), {"page": GOOD["page"]}
    yield "J19", plus("page", b"null"), "missing_field"
    yield "J19", plus("page", b"7"), "wrong_type"
    yield "J19", b'{"page": 7, ' + WHOLE[1:], {"page": GOOD["page"]}
    yield "J19", b'{"event_ts": "never", ' + WHOLE[1:], {"page": GOOD["page"]}
    yield "J19", plus("x", b'1, "y": 2, "x": 3'), {"rescued_data": '{"y":2,"x":3}'}
    yield "J20", plus("Page", b'"/other"'), {
        "page": GOOD["page"], "rescued_data": '{"Page":"/other"}'}
    yield "J20", without("page")[:-1] + b', "PAGE": "/other"}', "missing_field"
    yield "J20", plus("page ", b"1"), {"rescued_data": '{"page ":1}'}
    yield "J20", without("page")[:-1] + rb', "p\u0061ge": "/escaped"}', {"page": "/escaped"}
    for name in REQUIRED:
        yield "J21", without(name), "missing_field"
        yield "J23", with_raw(name, b"null"), "missing_field"
    yield "J21", b"{}", "missing_field"
    yield "J21", without("customer_id"), {"customer_id": None, "page": GOOD["page"]}
    yield "J22", without("product_id"), {"product_id": None}
    for name in ("customer_id", "product_id"):
        yield "J22", with_raw(name, b"null"), {name: None}
        yield "J22", with_raw(name, b'""'), {name: ""}
        for token in (b"true", b"{}", b"[]", b"1.5", b"1e3"):
            yield "J27", with_raw(name, token), "wrong_type"
    for name in ("page", "event_type"):
        for token in (b"1", b"true", b"[]", b'{"a": 1}'):
            yield "J27", with_raw(name, token), "wrong_type"
    own = ("kafka_topic", "kafka_partition", "kafka_offset", "kafka_timestamp", "ingested_at",
           "rescued_data", "raw_value", "failure_reason")
    for name in own:
        yield "J36", plus(name, b"-1"), {"rescued_data": '{"%s":-1}' % name}
    # The first fault in the order of bytes names the reason; what is missing comes last.
    yield "order", with_raw("page", b"7, x"), "wrong_type"
    yield "order", plus("x", b'"\xff", "page": 7'), "invalid_utf8"
    yield "order", b'{"event_ts": "never", "page": 7}', "bad_timestamp"
    yield "order", b'{"page": 7}', "wrong_type"


def numbers():
    yield "J24", with_raw("customer_id", b'"1042"'), {"customer_id": "1042"}
    yield "J24", with_raw("customer_id", b"1042"), {"customer_id": "1042"}
    for token in (b"1.0", b"1e3", b"1E0", b"true", b"false", b"[1]"):
        yield "J24", with_raw("customer_id", token), "wrong_type"
    for number in (2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63, -(2**63) - 1, 10**400):
        yield "J25", with_raw("customer_id", str(number).encode()), {"customer_id": str(number)}
    yield "J25", with_raw("customer_id", b"1e400"), "wrong_type"
    yield "J25", plus("x", b"1e400"), {"rescued_data": '{"x":1e400}'}
    yield "J26", with_raw("customer_id", b"-0"), "wrong_type"
    yield "J26", with_raw("customer_id", b"0"), {"customer_id": "0"}
    yield "J26", plus("x", b"-0"), {"rescued_data": '{"x":-0}'}
    for name in ("event_id", "product_id", "session_id"):
        yield "J25", with_raw(name, b"9223372036854775808"), {name: "9223372036854775808"}


def timestamps():
    def ts(text, expected):
        return with_raw("event_ts", json.dumps(text).encode()), expected

    second = at(2026, 2, 1, 10, 20, 30)
    for text in ("Z", ".0Z", ".000Z", ".000000Z", ".000000000Z", ".0000009Z", "+00:00", "-00:00"):
        yield "J28", *ts("2026-02-01T10:20:30" + text, {"event_ts": second})
    yield "J28", *ts("2026-02-01 10:20:30Z", {"event_ts": second})
    yield "J28", *ts("2026-02-01T15:50:30+05:30", {"event_ts": second})
    yield "J28", *ts("2026-01-31T22:20:30-12:00", {"event_ts": second})
    for fraction, microsecond in ((".1", 100_000), (".123", 123_000), (".123456", 123_456),
                                  (".123456789", 123_456), (".999999999", 999_999)):
        expected = {"event_ts": second.replace(microsecond=microsecond)}
        yield "J28", *ts(f"2026-02-01T10:20:30{fraction}Z", expected)
    for token in (b"1769904000", b"1769904000000", b"1.5", b"-0"):
        yield "J30", with_raw("event_ts", token), "bad_timestamp"
    for token in (b"true", b"{}", b"[]"):
        yield "J30", with_raw("event_ts", token), "wrong_type"
    yield "J30", *ts("2024-02-29T00:00:00Z", {"event_ts": at(2024, 2, 29)})
    yield "J30", *ts("1582-10-10T00:00:00Z", {"event_ts": at(1582, 10, 10)})
    yield "J31", *ts("0001-01-01T00:00:00Z", {"event_ts": at(1, 1, 1)})
    yield "J31", *ts("1969-12-31T23:59:59.999999Z",
                     {"event_ts": at(1969, 12, 31, 23, 59, 59, 999_999)})
    yield "J31", *ts("2999-01-01T00:00:00Z", {"event_ts": at(2999, 1, 1)})
    yield "J31", *ts("9999-12-31T23:59:59.999999Z",
                     {"event_ts": at(9999, 12, 31, 23, 59, 59, 999_999)})


def strings():
    for kind in ("wishlist", "", "PAGE_VIEW", "é"):
        yield "J32", with_raw("event_type", json.dumps(kind).encode()), {"event_type": kind}
    for text in (f"\x1b[31m{MARK}\x1b[0m", f"a\n{MARK}\r\n<0>{MARK}", f"\x07\x08{MARK}\x7f\x9b",
                 f"\u202e{MARK}\u2028\u2029\u0085", f"\x1b]0;{MARK}\x07"):
        yield "J33", with_raw("page", json.dumps(text).encode()), {"page": text}
        yield "J33", with_raw("event_ts", json.dumps(text).encode()), "bad_timestamp"
        yield "J33", plus(json.dumps(text)[1:-1], b"1"), {"page": GOOD["page"]}
        yield "J33", with_raw("page", b'"' + text.encode() + b'"'), \
            "invalid_json" if min(text) < " " else {"page": text}
    for text in (f"MESSAGE={MARK}", f"<0>{MARK}", f"PRIORITY=0\nMESSAGE={MARK}", f"READY=1 {MARK}"):
        quoted = json.dumps(text)
        yield "J34", with_raw("page", quoted.encode()), {"page": text}
        yield "J34", plus(quoted[1:-1], quoted.encode()), {
            "rescued_data": "{" + quoted + ":" + quoted + "}"}
        yield "J34", with_raw("event_ts", quoted.encode()), "bad_timestamp"
    for text in ("../../etc/passwd", "/dev/null", "'; drop table bronze; --", "%s%n", "$(reboot)",
                 "`id`", "=1+1", "null", "None", "NaN", "\\", '"', "_delta_log", "a" * 40_000):
        yield "J35", with_raw("session_id", json.dumps(text).encode()), {"session_id": text}


CASES = list(cases())


@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    """All cases in one topic after one run: the state, the truth, what was said."""
    broker = EmbeddedBroker(binary("embedded-broker"))
    try:
        produce(broker.brokers, [
            (number % 3, name.encode(), value, BASE_MS + number, [("mark", MARK.encode())])
            for number, (name, value, _) in enumerate(CASES)], **{"message.max.bytes": 4 * MIB})
        state = State(tmp_path_factory.mktemp("json"), broker.brokers,
                      limits={"max_offsets_per_batch": 200})
        outcome = state.run_once()
        yield state, broker.truth(), outcome.output
    finally:
        broker.close()


def assert_declared(state, cases, partitions):
    rows, letters = state.rows()
    found = {(row["kafka_partition"], row["kafka_offset"]): row for row in rows + letters}
    assert len(rows) + len(letters) == len(found) == len(cases)
    wrong = []
    for number, (name, value, expected) in enumerate(cases):
        row = found[number % partitions, number // partitions]
        if not is_declared(row, name, value, expected):
            wrong.append(f"{name} {str(value)[-120:]}: {str(expected)[:120]}, "
                         f"found {str(row.get('failure_reason', row))[:400]}")
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def is_declared(row, name, value, expected):
    if isinstance(expected, str):
        return (row.get("failure_reason") == expected and row["failure_detail"]
                and row["raw_value"] == value and row["raw_key"] == name.encode())
    return "failure_reason" not in row and all(
        row[column] == wanted and type(row[column]) is type(wanted)
        for column, wanted in expected.items())


def test_each_case_has_the_outcome_that_the_table_declares(ingested):
    state, _, _ = ingested
    assert_declared(state, CASES, partitions=3)


def test_the_oracle_says_the_same_of_every_record(ingested):
    state, truth, _ = ingested
    assert_invariants(state, truth)
    assert_idle_run_writes_nothing(state)


def test_nothing_from_a_payload_is_in_what_the_daemon_says(ingested):
    state, _, output = ingested
    reports = [output, state.run_once().output]
    reports += [state.tool(*words).output for words in (("status",), ("verify",))]
    for text in reports:
        assert MARK not in text
        assert not re.search(r"[^\n\x20-\x7e…–—]", text), text
    line = re.compile(r"\d\d:\d\d:\d\d (silver )?(checkpoint|batch \d+|run ok): ")
    assert all(line.match(said) for said in output.splitlines()), output


def test_the_report_counts_each_reason(ingested):
    _, _, output = ingested
    reasons = [expected for _, _, expected in CASES if isinstance(expected, str)]
    assert f"{len(reasons)} dead (" in output
    for reason in set(reasons):
        assert f"{reason} {reasons.count(reason)}" in output
