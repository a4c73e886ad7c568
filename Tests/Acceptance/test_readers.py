"""What analysts use to read the tables: each reader must see the rows that the oracle expects."""

import datetime
from importlib.resources import files

import duckdb
import oracle
import polars
import pytest
from deltalake import DeltaTable
from events import BAD_VALUES, encode, event, mixed, with_raw
from invariants import assert_invariants, expected_row

UTC = datetime.timezone.utc

NASTY = [
    encode(event(1, event_ts="0001-01-01T00:00:00Z")),
    encode(event(2, event_ts="9999-12-31T23:59:59.999999Z")),
    encode(event(3, event_ts="1582-10-10T10:10:10.000001+14:00")),
    encode(event(4, page="ä" * 500, session_id="\u0000", customer_id="")),
    encode(event(5, page="", event_type="", product_id="\U0001F600")),
    encode(event(6, extra={"a": [1, 2.50, None, True]}, kafka_offset=7)),
    with_raw("customer_id", b"12345678901234567890123"),
    with_raw("page", b'"\\u00e9\\n\\ud83d\\ude00"'),
]


def by_deltalake(path):
    return DeltaTable(path).to_pyarrow_table().to_pylist()


def by_polars(path):
    return polars.read_delta(str(path)).to_arrow().to_pylist()


def by_duckdb(path):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"LOAD '{duckdb_extension()}'")
    query = connection.sql(f"FROM delta_scan('file://{path}')")
    return query.to_arrow_table().to_pylist()


def duckdb_extension():
    """The file of the extension as its PyPI package brings it."""
    package = files("duckdb_extension_delta")
    found = sorted(str(path) for path in package.rglob("delta.duckdb_extension"))
    assert found, f"{package} holds no extension"
    return found[0]


READERS = {"deltalake": by_deltalake, "polars": by_polars, "duckdb": by_duckdb}


def keyed(rows):
    return {(row["kafka_partition"], row["kafka_offset"]): row for row in rows}


def normal(value):
    """One spelling of a value for all readers: times in UTC, bytes as bytes."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value


def compare(path, reader, expected):
    rows = keyed(READERS[reader](path))
    assert rows.keys() == expected.keys()
    for place, wanted in expected.items():
        for name, value in wanted.items():
            assert normal(rows[place][name]) == value, (place, name)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A state with all kinds of records in several files and a log checkpoint."""
    from broker import EmbeddedBroker
    from support import State, binary

    broker = EmbeddedBroker(binary("embedded-broker"))
    state = State(tmp_path_factory.mktemp("readers"), broker.brokers,
                  limits={"max_offsets_per_batch": 100}, delta={"checkpoint_interval": 4})
    values = NASTY + BAD_VALUES
    broker.produce([(n % 3, b"key" if n % 2 else None, value, 0, None)
                    for n, value in enumerate(values)])
    broker.produce(mixed(700))
    state.run_once()
    yield state, broker.truth()
    broker.close()


@pytest.fixture(scope="module")
def expected(filled):
    state, truth = filled
    rows = {place: expected_row(record, "clickstream-events")
            for place, record in truth.records.items()}
    good = {place: row for place, row in rows.items() if "failure_reason" not in row}
    return good, {place: row for place, row in rows.items() if place not in good}


def test_our_own_replay_agrees(filled):
    assert_invariants(*filled)


@pytest.mark.parametrize("reader", READERS)
def test_every_value_of_bronze(filled, expected, reader):
    compare(filled[0].bronze, reader, expected[0])


@pytest.mark.parametrize("reader", READERS)
def test_every_value_of_the_dead_letters(filled, expected, reader):
    compare(filled[0].dead_letter, reader, expected[1])


def test_the_nasty_events_are_good_ones():
    assert [oracle.decode(value)[0] for value in NASTY] == ["row"] * len(NASTY)


def test_deltalake_sees_history_and_transaction(filled):
    state, _ = filled
    table = DeltaTable(state.bronze)
    assert table.transaction_version(state.query_id()) == state.batches()[-1]
    assert table.history(1)[0]["operation"] == "STREAMING UPDATE"
    assert table.protocol().min_reader_version == 1
    assert table.protocol().min_writer_version == 2


def test_column_comments_and_description_are_there(filled):
    table = DeltaTable(filled[0].bronze)
    assert table.metadata().name == "clickstream_raw"
    assert all(field.metadata.get("comment") for field in table.schema().fields)
