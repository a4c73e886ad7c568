"""Click events for the tests: realistic ones from a seed, and bad ones for the dead letters."""

import json
import random
import uuid

BASE_MS = 1_769_904_000_000  # 2026-02-01T00:00:00Z

BAD_VALUES = [
    None, b"", b"  ", b"not json", b"[]", b"null", b'{"event_id": "e"', b"\xef\xbb\xbf{}",
    b'{"event_id": "\xff"}', b'{"event_id": "\\ud800", "x": 1}', b"{}",
]


def event(number=1, **changes):
    """A complete event as a dictionary; a change to None keeps the key with null."""
    fields = {
        "event_id": f"00000000-0000-4000-8000-{number:012}",
        "customer_id": str(number % 50),
        "product_id": None if number % 7 == 0 else str(number % 1000),
        "event_type": ("page_view", "add_to_cart", "purchase", "search")[number % 4],
        "session_id": f"s-{number % 50}",
        "page": "/category/books",
        "event_ts": f"2026-02-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
    }
    return {**fields, **changes}


def encode(fields):
    return json.dumps(fields, ensure_ascii=False).encode()


def with_raw(name, token):
    """A complete event in which one field's value is the bytes `token`, valid or not."""
    fields = event()
    fields.pop(name, None)
    return encode(fields)[:-1] + b', "' + name.encode() + b'": ' + token + b"}"


def mixed(count, seed=1, bad_share=0.05, partitions=3, start=0):
    """`count` records for `broker.produce`: mostly good, some bad, some odd, the same each time."""
    random_source = random.Random(seed)
    records = []
    for number in range(start, start + count):
        customer = str(random_source.randrange(1, 40))
        fields = event(number, customer_id=customer)
        fields["event_id"] = str(uuid.UUID(int=random_source.getrandbits(128), version=4))
        odd = random_source.random()
        headers = None
        if odd < bad_share:
            value = random_source.choice(BAD_VALUES)
            headers = [("trace", b"\x00\xff"), ("trace", None)]
        else:
            if odd < bad_share + 0.05:
                fields["customer_id"] = None
            elif odd < bad_share + 0.10:
                fields["campaign"] = {"id": number, "labels": ["ä", "\u2028", None]}
            elif odd < bad_share + 0.15:
                fields["event_ts"] = "2026-02-01T05:30:00.123456789+05:30"
            elif odd < bad_share + 0.20:
                fields["customer_id"], fields["product_id"] = number, 17
            value = encode(fields)
        key = None if fields["customer_id"] is None else customer.encode()
        records.append((number % partitions, key, value, BASE_MS + number, headers))
    return records
