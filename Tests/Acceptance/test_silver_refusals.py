"""What Silver refuses, by name and with the way out, and without a change to any file of it."""

import json
import shutil

import pytest
import silver_bronze
from deltalake import DeltaTable
from silver_generator import DAY, HOUR, MINUTE
from silver_inspection import assert_silver
from silver_shop import LONG_AGO, Shop, click
from silver_tables import checkpoint_path, events_path, sessions_path
from support import BAD_CONFIGURATION, CLEAN, DAMAGED_STATE
from test_silver_runs import forget_commits, visits

REBUILD = "shopmetricsctl silver rebuild"


@pytest.fixture
def shop(scratch, broker):
    """Three versions of Bronze that Silver has seen."""
    shop = Shop(scratch, broker.brokers)
    for number in range(3):
        shop.write(*visits(2, LONG_AGO + number * DAY))
    shop.run()
    return shop


def refused(shop, *expected, code=None):
    """The run ends badly, says what it must, and leaves Silver as it was, twice."""
    before = shop.silver_tree()
    for _ in range(2):
        outcome = shop.state.run_once(expect=code)
        assert outcome.code not in (CLEAN, 1) and outcome.code > 0, outcome.output
        for text in expected:
            assert str(text) in outcome.output, outcome.output
        assert shop.silver_tree() == before
    return outcome.output


# -- another gap -----------------------------------------------------------------------------


def test_another_gap_is_refused_with_both_values_and_the_way_out(shop):
    shop.state.configure(silver={"session_gap": "1h"})
    output = refused(shop, "SESSION_GAP_CHANGED", REBUILD, sessions_path(shop.state),
                     code=BAD_CONFIGURATION)
    assert "1800" in output and "3600" in output, output


def test_the_old_gap_goes_on_as_if_nothing_had_been(shop):
    shop.state.configure(silver={"session_gap": "1h"})
    refused(shop, code=BAD_CONFIGURATION)
    shop.state.configure(silver={"session_gap": "30min"})
    shop.write(click("c", LONG_AGO))
    shop.run()


def test_another_lateness_is_no_reason_to_refuse(shop):
    shop.state.configure(silver={"allowed_lateness": "1d"})
    shop.write(click("c", LONG_AGO))
    shop.run()
    shop.state.configure(silver={"allowed_lateness": "0s"})
    shop.write(click("c", LONG_AGO + MINUTE))
    shop.run()


def test_a_rebuild_takes_the_new_gap(shop):
    clicks = [click("c", LONG_AGO + number * 45 * MINUTE) for number in range(3)]
    shop.write(*clicks)
    shop.run()
    assert len(shop.sessions("c")) == 3
    shop.state.configure(silver={"session_gap": "1h"})
    outcome = shop.state.tool("silver", "rebuild", "--yes")
    assert outcome.code == CLEAN, outcome.output
    shop.state.run_once()
    assert_silver(shop.state)
    assert len(shop.sessions("c")) == 1


# -- another Bronze --------------------------------------------------------------------------


def test_a_recreated_bronze_is_refused(shop):
    shutil.rmtree(shop.state.bronze)
    for number in range(5):
        shop.write(*visits(2, LONG_AGO + number * DAY))
    refused(shop, "BRONZE_RECREATED", shop.state.bronze, REBUILD)


def test_rows_deleted_from_bronze_are_refused(shop):
    DeltaTable(shop.state.bronze).delete("customer_id = 'v-0'")
    output = refused(shop, "BRONZE_REWRITTEN", shop.state.bronze, REBUILD)
    assert str(DeltaTable(shop.state.bronze).version()) in output, "the version is named"


def test_rows_changed_in_bronze_are_refused_behind_good_versions(shop):
    """The versions before the bad one are still taken, each in a batch of its own or not at all."""
    shop.write(click("good", LONG_AGO))
    DeltaTable(shop.state.bronze).update(predicate="customer_id = 'v-1'",
                                         updates={"event_type": "'search'"})
    for _ in range(2):
        outcome = shop.state.run_once(expect=None)
        assert outcome.code != CLEAN and "BRONZE_REWRITTEN" in outcome.output
    shop.state.tool("silver", "rebuild", "--yes")
    shop.state.run_once()
    assert_silver(shop.state)


def test_an_overwritten_bronze_is_refused(shop):
    silver_bronze.write_deltalake(
        shop.state.bronze, silver_bronze.bronze_table([click("c", LONG_AGO)]), mode="overwrite")
    refused(shop, "BRONZE_REWRITTEN")


def test_a_gap_in_bronze_s_log_is_refused(shop):
    """Cleaned by another program beyond what Silver has read."""
    for number in range(4):
        shop.write(click("c", LONG_AGO + number * HOUR))
    table = DeltaTable(shop.state.bronze)
    forget_commits(shop.state.bronze, before=table.version())
    refused(shop, "BRONZE_LOG_GAP", shop.state.bronze, REBUILD)


def test_a_missing_file_of_bronze_is_refused_and_its_return_heals(shop):
    before = set(shop.state.bronze.glob("*.parquet"))
    shop.write(click("c", LONG_AGO))
    (file,) = set(shop.state.bronze.glob("*.parquet")) - before
    shutil.move(file, shop.state.root / "away")
    tables = sessions_path(shop.state), events_path(shop.state)
    before = [DeltaTable(path).version() for path in tables]
    outcome = shop.state.run_once(expect=None)
    assert outcome.code not in (CLEAN, 1) and file.name in outcome.output, outcome.output
    assert [DeltaTable(path).version() for path in tables] == before
    shutil.move(shop.state.root / "away", file)
    shop.run()


@pytest.mark.parametrize("column", ["event_id", "event_ts", "session_id", "event_type",
                                    "ingested_at", "kafka_partition", "kafka_offset"])
def test_a_null_where_bronze_has_none_is_refused_with_its_place(shop, column):
    shop.write(click("c", LONG_AGO), {**click("d", LONG_AGO), column: None})
    version = DeltaTable(sessions_path(shop.state)).version()
    outcome = shop.state.run_once(expect=None)
    assert outcome.code not in (CLEAN, 1), outcome.output
    assert column in outcome.output and ".parquet" in outcome.output, outcome.output
    assert DeltaTable(sessions_path(shop.state)).version() == version


def test_a_damaged_file_of_bronze_is_refused_with_its_name(shop):
    before = set(shop.state.bronze.glob("*.parquet"))
    shop.write(*visits(50, LONG_AGO + 9 * DAY))
    (file,) = set(shop.state.bronze.glob("*.parquet")) - before
    data = bytearray(file.read_bytes())
    data[4:len(data) // 2] = bytes(len(data) // 2 - 4)
    file.write_bytes(data)
    outcome = shop.state.run_once(expect=None)
    assert outcome.code not in (CLEAN, 1) and file.name in outcome.output, outcome.output


# -- Silver's own files ----------------------------------------------------------------------


def test_a_checkpoint_that_is_gone_is_refused(shop):
    shutil.rmtree(checkpoint_path(shop.state))
    refused(shop, "CHECKPOINT_MISSING", checkpoint_path(shop.state), REBUILD, code=DAMAGED_STATE)


def test_the_checkpoint_of_another_query_is_refused(shop):
    path = checkpoint_path(shop.state) / "metadata"
    path.write_text('{"id":"11111111-2222-4333-8444-555555555555"}')
    path.with_name(".metadata.crc").unlink()
    refused(shop, code=DAMAGED_STATE)


def test_a_flipped_byte_in_the_newest_offsets_is_refused(shop):
    refused(shop, flipped(shop, "offsets"), code=DAMAGED_STATE)


@pytest.mark.parametrize("folder", ["offsets", "commits"])
def test_a_flipped_byte_in_the_checkpoint_is_found_by_verify(shop, folder):
    assert shop.state.tool("verify").code == CLEAN
    path = flipped(shop, folder)
    outcome = shop.state.tool("verify")
    assert outcome.code == DAMAGED_STATE and str(path) in outcome.output, outcome.output


def flipped(shop, folder):
    newest = max((checkpoint_path(shop.state) / folder).glob("[0-9]*"), key=lambda p: int(p.name))
    data = bytearray(newest.read_bytes())
    data[-3] ^= 1
    newest.write_bytes(data)
    return newest


CHANGES = {
    "of another table": {"reservoirId": "11111111-2222-4333-8444-555555555555"},
    "of another version of the format": {"sourceVersion": 2},
    "ahead of Bronze": {"reservoirVersion": 99},
    "that is no number": {"reservoirVersion": "2"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_offset_is_refused(shop, change):
    newest = max((checkpoint_path(shop.state) / "offsets").glob("[0-9]*"),
                 key=lambda path: int(path.name))
    version, metadata, source = newest.read_text().split("\n")
    source = json.dumps({**json.loads(source), **CHANGES[change]}, separators=(",", ":"))
    newest.write_text("\n".join([version, metadata, source]))
    newest.with_name(f".{newest.name}.crc").unlink()
    refused(shop)


@pytest.mark.parametrize("table", [sessions_path, events_path])
def test_a_table_of_silver_that_is_gone_is_refused(shop, table):
    shutil.rmtree(table(shop.state))
    refused(shop, REBUILD)


def test_a_session_row_of_another_program_that_contradicts_itself_is_refused(shop):
    """The visitor is told from the row; one that does not fit is named, not guessed."""
    DeltaTable(sessions_path(shop.state)).update(
        predicate="customer_id = 'v-0'", updates={"session_id": "'nonsense'"})
    shop.write(click("v-0", LONG_AGO + 2 * MINUTE))
    outcome = shop.state.run_once(expect=None)
    assert outcome.code not in (CLEAN, 1) and "session_id" in outcome.output, outcome.output
    assert "nonsense" not in outcome.output, "what customers wrote stays out of the log"


def test_the_file_of_a_session_that_is_needed_and_gone_is_named(shop):
    for path in sessions_path(shop.state).glob("is_final=true/*.parquet"):
        path.unlink()
    shop.write(click("v-0", LONG_AGO + 2 * MINUTE))
    outcome = shop.state.run_once(expect=None)
    assert outcome.code not in (CLEAN, 1) and ".parquet" in outcome.output, outcome.output
