"""Damaged or contradictory checkpoints: the daemon stops by name and writes nothing."""

import json
import shutil

import pytest
from events import mixed
from invariants import assert_invariants
from support import CLEAN, DAMAGED_STATE


@pytest.fixture
def complete(state, broker):
    """A state with several complete batches, and more events waiting."""
    broker.produce(mixed(450))
    state.run_once()
    broker.produce(mixed(100, seed=2, start=1000))
    return state


def refused(state, *expected):
    """The next start ends with 65, says what is expected, and leaves every byte alone."""
    before = state.tree()
    outcome = state.run_once(expect=DAMAGED_STATE)
    assert state.tree() == before
    for text in expected:
        assert str(text) in outcome.output, outcome.output
    assert "no table was changed" in outcome.output
    assert "shopmetricsctl" in outcome.output or "restore" in outcome.output.lower()
    return outcome.output


def newest(state):
    return state.batches()[-1]


def without_checksum(path):
    path.with_name(f".{path.name}.crc").unlink()


def rewrite(state, batch, change):
    """Changes the offsets of `offsets/batch` as an editor would, without its checksum."""
    path = state.checkpoint / "offsets" / str(batch)
    version, metadata, offsets = path.read_text().split("\n")
    body = json.loads(offsets)
    change(body)
    path.write_text("\n".join([version, metadata, json.dumps(body)]))
    without_checksum(path)
    return path


def test_F1_the_checkpoint_is_gone(complete):
    shutil.rmtree(complete.checkpoint)
    refused(complete, complete.checkpoint, "CHECKPOINT_MISSING", "row G")


def test_F2_metadata_is_gone(complete):
    (complete.checkpoint / "metadata").unlink()
    refused(complete, complete.checkpoint / "metadata", "expected", "found no such file")


def test_F3_metadata_is_damaged(complete):
    (complete.checkpoint / "metadata").write_text('{"id":"x')
    refused(complete, complete.checkpoint / "metadata", "expected", "found")


def test_F4_metadata_is_another_query_s(complete):
    path, own = complete.checkpoint / "metadata", complete.query_id()
    path.write_text('{"id":"11111111-2222-4333-8444-555555555555"}')
    without_checksum(path)
    refused(complete, "QUERY_CHANGED", "11111111-2222-4333-8444-555555555555", own)


def test_F5_a_batch_is_missing_in_the_middle(complete):
    (complete.checkpoint / "offsets" / "1").unlink()
    refused(complete, complete.checkpoint / "offsets", "batch 1")


def test_F6_commits_are_ahead_of_offsets(complete):
    last = newest(complete)
    (complete.checkpoint / "offsets" / str(last)).unlink()
    refused(complete, "row H", f"commits/: batch {last}")


@pytest.mark.parametrize("file", ["offsets/{}", "commits/{}", "sources/0/0"])
def test_F7_an_empty_file(complete, file):
    path = complete.checkpoint / file.format(newest(complete))
    path.write_bytes(b"")
    if file.startswith("commits"):
        # Which batches are committed is in the names; the content is the verifier's to check.
        assert "CHECKPOINT_DAMAGED" in complete.tool("verify").output
    else:
        refused(complete, path, "found")


@pytest.mark.parametrize("file", ["offsets/{}", "sources/0/0", "metadata"])
def test_F8_a_flipped_byte(complete, file):
    path = complete.checkpoint / file.format(newest(complete))
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    refused(complete, path, "CRC-32")


def test_F9_a_file_cut_short_without_its_checksum(complete):
    path = complete.checkpoint / "offsets" / str(newest(complete))
    raw = path.read_bytes()
    without_checksum(path)
    for length in (2, 3, 40, len(raw) - 20, len(raw) - 1):
        path.write_bytes(raw[:length])
        refused(complete, path, "expected", "found")


@pytest.mark.parametrize("file", ["offsets/{}"])
def test_F10_a_newer_format(complete, file):
    path = complete.checkpoint / file.format(newest(complete))
    path.write_text(path.read_text().replace("v1", "v2", 1))
    without_checksum(path)
    refused(complete, path, "expected v1", "spark.sql.streaming.")


def test_F11_strangers_are_ignored(complete, broker):
    for name in ("offsets/notes.txt", "offsets/3~", "offsets/.9.x.tmp", "commits/.swp", "README"):
        (complete.checkpoint / name).write_text("x")
    complete.run_once()
    for name in ("offsets/notes.txt", "offsets/3~", "offsets/.9.x.tmp", "commits/.swp", "README"):
        (complete.checkpoint / name).unlink()
    assert_invariants(complete, broker.truth())


def test_F12_offsets_that_go_back(complete):
    path = rewrite(complete, newest(complete),
                   lambda body: body["clickstream-events"].update({"0": 1}))
    refused(complete, path, "partition 0", "expected an offset from", "found 1")


def test_F13_a_partition_is_missing(complete):
    path = rewrite(complete, newest(complete), lambda body: body["clickstream-events"].pop("2"))
    refused(complete, path, "partition 2", "found nothing")


@pytest.mark.parametrize("offset", [-1, 2**70, 1.5, "7", None, True])
def test_F14_an_offset_that_is_none(complete, offset):
    path = rewrite(complete, newest(complete),
                   lambda body: body["clickstream-events"].update({"0": offset}))
    refused(complete, path, "partition 0", "expected an offset")


def test_F15_another_topic_inside(complete):
    def change(body):
        body["other"] = body.pop("clickstream-events")

    path = rewrite(complete, newest(complete), change)
    before = complete.tree()
    outcome = complete.run_once(expect=78)
    assert str(path) in outcome.output and '"other"' in outcome.output
    assert complete.tree() == before


def test_F16_two_files_for_one_batch(complete):
    shutil.copy(complete.checkpoint / "offsets" / "1", complete.checkpoint / "offsets" / "01")
    refused(complete, "offsets/01", "another spelling of batch 1")


def test_F17_a_directory_in_the_place_of_a_file(complete):
    path = complete.checkpoint / "offsets" / str(newest(complete))
    path.unlink()
    path.mkdir()
    before = complete.tree()
    outcome = complete.run_once(expect=None)
    assert outcome.code not in (CLEAN, -6, -11)
    assert str(path) in outcome.output and "EISDIR" in outcome.output
    assert complete.tree() == before


def test_F18_a_backup_of_last_week(complete, scratch):
    backup = scratch / "backup"
    shutil.copytree(complete.checkpoint, backup)
    complete.run_once()
    shutil.rmtree(complete.checkpoint)
    shutil.copytree(backup, complete.checkpoint)
    refused(complete, "row H", "the checkpoint is older than the tables")


@pytest.mark.parametrize("bad_share, row", [(0.0, "row E"), (0.5, "row I")])
def test_a_table_restored_to_an_older_version(state, broker, bad_share, row):
    broker.produce(mixed(80, bad_share=bad_share))
    state.run_once()
    sorted((state.bronze / "_delta_log").glob("*.json"))[-1].unlink()
    refused(state, row, "clickstream_raw")


def test_the_letters_lost_their_last_commit(state, broker):
    broker.produce(mixed(80, bad_share=0.5))
    state.run_once()
    sorted((state.dead_letter / "_delta_log").glob("*.json"))[-1].unlink()
    refused(state, "row J", "clickstream_dead_letter lost a committed batch")


def test_a_torn_newest_commit_is_named(complete):
    commit = sorted((complete.bronze / "_delta_log").glob("*.json"))[-1]
    lines = commit.read_bytes().splitlines(keepends=True)
    commit.write_bytes(b"".join(lines[:-1]))
    refused(complete, commit.name, "TABLE_TORN_COMMIT")


def test_verify_finds_what_a_start_does_not_read(complete):
    data = next(complete.bronze.glob("*.parquet"))
    raw = bytearray(data.read_bytes())
    raw[100] ^= 0xFF
    data.write_bytes(raw)
    outcome = complete.tool("verify")
    assert outcome.code == DAMAGED_STATE
    assert data.name in outcome.output
