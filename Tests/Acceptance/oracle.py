"""The decode rules of click events once more, in plain Python, to hold the decoder to.

Written from the rules, not from the Swift code. Python's json module judges every value and, by
`_cross_check`, the syntax of every text; what it does not tell (which fault comes first, source
texts, lone surrogates, depth) is worked out here.

    decode(value: bytes | None) -> ("row", dict) | ("dead", reason)

As a program: one base64 value a line (`-` for null) in, one JSON outcome a line out.
"""

import base64
import datetime
import json
import re
import sys

sys.setrecursionlimit(10_000)

FIELDS = ["event_id", "customer_id", "product_id", "event_type", "session_id", "page", "event_ts"]
IDS = {"event_id", "customer_id", "product_id", "session_id"}
REQUIRED = ["event_id", "event_type", "session_id", "page", "event_ts"]

SPACE = re.compile(r"[ \t\n\r]*")
BODY = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)')
SCALAR = re.compile(
    r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)"
    r"(?=[ \t\n\r,\]}]|\Z)")
INTEGER = re.compile(r"(?!-0\Z)-?[0-9]+\Z")
TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))")
EPOCH = datetime.datetime(1970, 1, 1)
FIRST = (datetime.datetime(1, 1, 1) - EPOCH) // datetime.timedelta(microseconds=1)
LAST = (datetime.datetime.max - EPOCH) // datetime.timedelta(microseconds=1)


class Fault(Exception):
    """args: reason, position"""


def timestamp(text):
    """Microseconds since 1970, or None."""
    match = TIMESTAMP.fullmatch(text)
    if not match:
        return None
    try:
        civil = datetime.datetime(*(int(part) for part in match.groups()[:6]))
    except ValueError:
        return None
    hours, minutes = int(match[9] or 0), int(match[10] or 0)
    if hours > 23 or minutes > 59:
        return None
    offset = (hours * 60 + minutes) * (-60 if match[8] == "-" else 60)
    seconds = (civil - EPOCH) // datetime.timedelta(seconds=1) - offset
    instant = seconds * 1_000_000 + int(((match[7] or "") + "000000")[:6])
    return instant if FIRST <= instant <= LAST else None


def _surrogate_fault(text, body, start, end):
    """Position of the first lone surrogate of the string body at text[start:end], or None."""
    high = None  # position of a high surrogate that waits for its other half
    for escape in re.finditer(r"\\(?:u(....)|.)", body, re.DOTALL):
        code = int(escape[1] or "0", 16)
        is_low = 0xDC00 <= code <= 0xDFFF
        if high is not None:
            if escape.start() != high + 6 or not is_low:
                return start + high
            high = None
        elif is_low:
            return start + escape.start()
        elif 0xD800 <= code <= 0xDBFF:
            high = escape.start()
    if high is None:
        return None
    if start + high + 6 == end:  # undecided, if the text ends here or in a cut or bad escape
        rest = text[end:end + 2]
        if rest in ("", "\\", "\\u"):
            return None
    return start + high


def string(text, at):
    """Position behind the string that begins at `at`."""
    match = BODY.match(text, at)
    body, end = match[1], match.end()
    faults = []
    try:
        body.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        faults.append(at + 1 + error.start)
    faults.append(_surrogate_fault(text, body, at + 1, end))
    faults = [fault for fault in faults if fault is not None]
    if faults:
        raise Fault("invalid_utf8", min(faults))
    if text[end:end + 1] != '"':
        raise Fault("invalid_json", end)
    return end + 1


def space(text, at):
    return SPACE.match(text, at).end()


def expect(text, at, byte):
    if text[at:at + 1] != byte:
        raise Fault("invalid_json", at)
    return space(text, at + 1)


def value(text, at, depth, limit):
    """Position behind the value that begins at `at`, inside `depth` containers."""
    first = text[at:at + 1]
    if first == '"':
        return string(text, at)
    if first in ("{", "["):
        if depth >= limit:
            raise Fault("too_deep", at)
        end = "}" if first == "{" else "]"
        at = space(text, at + 1)
        if text[at:at + 1] == end:
            return at + 1
        while True:
            if first == "{":
                at = expect(text, space(text, key(text, at)), ":")
            at = space(text, value(text, at, depth + 1, limit))
            if text[at:at + 1] == end:
                return at + 1
            at = expect(text, at, ",")
    match = SCALAR.match(text, at)
    if not match:
        raise Fault("invalid_json", at)
    return match.end()


def key(text, at):
    if text[at:at + 1] != '"':
        raise Fault("invalid_json", at)
    return string(text, at)


def unicode(raw):
    return raw.encode("latin-1").decode("utf-8")


def typed(name, raw):
    """(value, reason or None) of the well-formed value `raw` of a column's field."""
    if raw == "null":
        return None, None
    if raw[0] == '"':
        text = json.loads(unicode(raw))
        if name != "event_ts":
            return text, None
        instant = timestamp(text)
        return instant, None if instant is not None else "bad_timestamp"
    if name == "event_ts" and raw[0] in "-0123456789":
        return None, "bad_timestamp"
    if name in IDS and INTEGER.match(raw):
        return raw, None
    return None, "wrong_type"


def members(text, limit, row, rescued, faults):
    """Reads the whole text into `row`, `rescued` and `faults` (field -> (position, reason))."""
    at = space(text, 0)
    if text[at:at + 1] != "{":
        if text[at:at + 1] != "[":
            value(text, at, 0, limit)
        raise Fault("not_an_object", at)
    at = space(text, at + 1)
    done = text[at:at + 1] == "}"
    while not done:
        start = at
        at = key(text, at)
        raw_key, name = text[start:at], json.loads(unicode(text[start:at]))
        at = start = expect(text, space(text, at), ":")
        if name in FIELDS and text[at:at + 1] in ("{", "["):
            faults[name] = (at, "wrong_type")  # evident before the end of the value is read
            at = value(text, at, 1, limit)
        elif name in FIELDS:
            at = value(text, at, 1, limit)
            faults.pop(name, None)
            row[name], reason = typed(name, text[start:at])
            if reason:
                faults[name] = (start, reason)
        else:
            at = value(text, at, 1, limit)
            rescued.pop(name, None)  # the last one counts, at its own place
            rescued[name] = unicode(raw_key) + ":" + unicode(text[start:at])
        at = space(text, at)
        done = text[at:at + 1] == "}"
        if not done:
            at = expect(text, at, ",")
    at = space(text, at + 1)
    if at != len(text):
        raise Fault("invalid_json", at)


def _cross_check(payload, is_json):
    """The json module must agree on what is JSON (it takes lone surrogates and limits depth)."""
    def refuse(constant):
        raise ValueError(constant)
    try:
        json.loads(payload.decode(), parse_constant=refuse, parse_int=str, parse_float=str)
        agrees = is_json
    except RecursionError:
        agrees = True
    except ValueError:
        agrees = not is_json
    assert agrees, payload


def decode(payload, max_bytes=16 << 20, max_depth=1024):
    if payload is None:
        return "dead", "null_value"
    if len(payload) > max_bytes:
        return "dead", "too_large"
    row, rescued, faults = dict.fromkeys(FIELDS), {}, {}
    try:
        members(payload.decode("latin-1"), max_depth, row, rescued, faults)
    except Fault as fault:
        if faults:
            return "dead", min(faults.values())[1]
        if fault.args[0] in ("invalid_json", "invalid_utf8"):
            if fault.args[0] == "invalid_json":
                _cross_check(payload, False)
        return "dead", fault.args[0]
    _cross_check(payload, True)
    if faults:
        return "dead", min(faults.values())[1]
    if any(row[name] is None for name in REQUIRED):
        return "dead", "missing_field"
    row["rescued_data"] = "{" + ",".join(rescued.values()) + "}" if rescued else None
    return "row", row


if __name__ == "__main__":
    for line in sys.stdin:
        line = line.strip()
        print(json.dumps(decode(None if line == "-" else base64.b64decode(line))))
