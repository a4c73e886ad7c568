"""Record sets of Kafka, of every format, good or damaged on purpose (Kafka's message format)."""

import gzip
import struct
import zlib
from dataclasses import dataclass, field

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
DAY = 1_700_000_000_000  # milliseconds, in November 2023


# --- bytes -----------------------------------------------------------------------------------


def _crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC32C = _crc32c_table()


def crc32c(data):
    """Castagnoli's CRC, as record batches carry it (RFC 3720)."""
    table, crc = _CRC32C, 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(number):
    """Zigzag, seven bits a byte."""
    number = number << 1 ^ number >> 63
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def varbytes(data):
    return varint(-1) if data is None else varint(len(data)) + data


def string(text):
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text)) + text.encode()


def lenbytes(data):
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def compress(codec, data):
    if codec == "none":
        return data
    if codec == "gzip":
        return gzip.compress(data, 9, mtime=0)
    import pyarrow

    return pyarrow.compress(data, codec=codec, asbytes=True)


# --- records ---------------------------------------------------------------------------------


@dataclass
class Record:
    value: bytes | None
    key: bytes | None = None
    headers: list = field(default_factory=list)  # (name, bytes or None)
    offset_delta: int | None = None  # None: its place in the batch
    timestamp_delta: int = 0
    length: int | None = None  # None: the true one

    def encode(self, place):
        delta = place if self.offset_delta is None else self.offset_delta
        body = b"\0" + varint(self.timestamp_delta) + varint(delta)
        body += varbytes(self.key) + varbytes(self.value) + varint(len(self.headers))
        for name, value in self.headers:
            body += varbytes(name.encode()) + varbytes(value)
        return varint(len(body) if self.length is None else self.length) + body


@dataclass
class Batch:
    """Bytes of a log, and the offsets that they stand for: base up to, not including, end."""

    base: int
    end: int
    data: bytes
    newest: int = DAY  # milliseconds


def batch(
    base, records, *, codec="none", timestamp=DAY, append_time=False, producer=-1,
    transactional=False, control=False, last_delta=None, count=None, magic=2, codec_bits=None,
    payload=None, crc_flip=0, flip_at=None, cut=0,
):
    """A record batch, format 2.

    last_delta: offsets that it spans, minus one. count: number of records that it claims.
    codec_bits: the codec that it claims. payload: its records, ready made. crc_flip: bits turned
    in the checksum. flip_at: a byte of the batch that is turned. cut: bytes missing at the end.
    """
    records = [r if isinstance(r, Record) else Record(r) for r in records]
    if payload is None:
        payload = compress(codec, b"".join(r.encode(i) for i, r in enumerate(records)))
    attributes = CODECS[codec] if codec_bits is None else codec_bits
    attributes |= append_time << 3 | transactional << 4 | control << 5
    if last_delta is None:
        last_delta = max(
            [i if r.offset_delta is None else r.offset_delta for i, r in enumerate(records)] or [0])
    count = len(records) if count is None else count
    newest = timestamp + max([r.timestamp_delta for r in records] or [0])
    body = struct.pack(
        ">hiqqqhii", attributes, last_delta, timestamp, newest, producer,
        0 if producer >= 0 else -1, 0 if producer >= 0 else -1, count) + payload
    crc = crc32c(body) ^ crc_flip
    data = bytearray(
        struct.pack(">qiibI", base, 9 + len(body), 0, magic, crc) + body)
    if flip_at is not None:
        data[flip_at] ^= 0x01
    return Batch(base, base + last_delta + 1, bytes(data[: len(data) - cut]), newest)


def marker(base, producer, commit):
    """The control batch that ends a transaction."""
    record = Record(struct.pack(">hi", 0, 0), struct.pack(">hh", 0, int(commit)))
    return batch(base, [record], producer=producer, transactional=True, control=True)


def message_set(base, values, *, magic=1, codec="none", timestamp=DAY):
    """Messages of the formats 0 and 1, as producers before Kafka 0.11 wrote them."""

    def message(offset, value, attributes=0):
        body = struct.pack(">bb", magic, attributes)
        if magic == 1:
            body += struct.pack(">q", timestamp)
        body += lenbytes(None) + lenbytes(value)
        return struct.pack(">qiI", offset, 4 + len(body), zlib.crc32(body)) + body

    end = base + len(values)
    if codec == "none":
        data = b"".join(message(base + i, value) for i, value in enumerate(values))
        return Batch(base, end, data, timestamp)
    # The outer message has the last offset; format 1 counts the inner ones from 0.
    first = 0 if magic == 1 else base
    inner = b"".join(message(first + i, value) for i, value in enumerate(values))
    data = message(end - 1, compress(codec, inner), CODECS[codec])
    return Batch(base, end, data, timestamp)
