"""The inspection of Silver, shown damage: each of these it must see, and nothing in a whole one."""

import json
import shutil
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from broker import EmbeddedBroker
from delta_replay import replay
from silver_generator import HOUR, MINUTE
from silver_inspection import Memory, inspect
from silver_shop import LONG_AGO, Shop, click, now
from silver_tables import READERS, checkpoint_path, events_path, sessions_path
from support import CLEAN, DAMAGED_STATE, binary


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A state with final and open sessions in several batches."""
    broker = EmbeddedBroker(binary("embedded-broker"))
    shop = Shop(tmp_path_factory.mktemp("whole"), broker.brokers)
    for number in range(3):
        shop.tell(*(click(f"v-{step}", LONG_AGO + number * HOUR + step) for step in range(4)),
                  click("open", now() - number * MINUTE))
    yield shop.state
    broker.close()


@pytest.fixture
def state(whole, scratch):
    return whole.copy(scratch)


def a_file(table, partition=None):
    """The path of the largest live data file, of one partition."""
    files = replay(table).files
    names = [name for name in files if partition is None or f"is_final={partition}" in name]
    return table / max(names, key=lambda name: files[name]["size"])


def rewrite(state, path, change):
    """Other rows in a data file, with a log that says its right size and no statistics."""
    rows = change(pq.read_table(path, partitioning=None))
    pq.write_table(rows, path)
    for log in (path.parents[0] / "_delta_log", path.parents[1] / "_delta_log"):
        for commit in log.glob("*.json") if log.is_dir() else ():
            lines = [json.loads(line) for line in commit.read_text().splitlines()]
            for line in lines:
                if line.get("add", {}).get("path", "").endswith(path.name):
                    line["add"]["size"] = path.stat().st_size
                    line["add"]["stats"] = json.dumps({
                        "numRecords": len(rows), "nullCount": {}, "minValues": {},
                        "maxValues": {}})
            commit.write_text("".join(json.dumps(line) + "\n" for line in lines))


def with_column(name, change):
    def apply(rows):
        values = rows[name].to_pylist()
        column = pa.array([change(values[0]), *values[1:]], rows.schema.field(name).type)
        return rows.set_column(rows.schema.get_field_index(name), name, column)

    return apply


def later(value):
    return value + timedelta(microseconds=1)


def sessions_without_a_row(state):
    rewrite(state, a_file(sessions_path(state)), lambda rows: rows.slice(1))


def a_session_twice(state):
    rewrite(state, a_file(sessions_path(state)),
            lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]))


def a_wrong_count(state):
    rewrite(state, a_file(sessions_path(state)), with_column("event_count", lambda n: n + 1))


def a_wrong_time_of_update(state):
    rewrite(state, a_file(sessions_path(state)), with_column("updated_at", later))


def an_event_missing(state):
    rewrite(state, a_file(events_path(state)), lambda rows: rows.slice(1))


def an_event_changed(state):
    rewrite(state, a_file(events_path(state)), with_column("page", lambda page: page + "x"))


def a_final_row_among_the_open(state):
    path = a_file(sessions_path(state), "true")
    rewrite(state, path, lambda rows: rows)
    for commit in (sessions_path(state) / "_delta_log").glob("*.json"):
        text = commit.read_text()
        if path.name in text:
            lines = [json.loads(line) for line in text.splitlines()]
            for line in lines:
                if "add" in line and line["add"]["path"].endswith(path.name):
                    line["add"]["partitionValues"]["is_final"] = "false"
            commit.write_text("".join(json.dumps(line) + "\n" for line in lines))


def an_orphan(state):
    shutil.copy(a_file(events_path(state)), events_path(state) / "orphan.parquet")


def a_commit_twice(state):
    log = sessions_path(state) / "_delta_log"
    newest = max(log.glob("*.json"))
    (log / f"{int(newest.stem) + 1:020}.json").write_text(
        "".join(line + "\n" for line in newest.read_text().splitlines() if '"txn"' in line))


def edit(state, folder, old, new):
    path = max((checkpoint_path(state) / folder).glob("[0-9]*"), key=lambda p: int(p.name))
    body = path.read_text()
    assert old in body
    path.write_text(body.replace(old, new))


def a_watermark_ahead(state):
    edit(state, "commits", '"nextBatchWatermarkMs":', '"nextBatchWatermarkMs":9')


def an_offset_short(state):
    edit(state, "offsets", '"index":-1', '"index":0')


def a_commit_missing(state):
    max((checkpoint_path(state) / "commits").glob("[0-9]*"), key=lambda p: int(p.name)).unlink()


def a_flipped_byte(state):
    edit(state, "offsets", "v1", "v1 ")


def a_data_file_cut(state):
    path = a_file(events_path(state))
    path.write_bytes(path.read_bytes()[:-1])


def a_wrong_statistic(state):
    for commit in (events_path(state) / "_delta_log").glob("*.json"):
        commit.write_text(commit.read_text().replace('\\"numRecords\\":', '\\"numRecords\\":1'))


DAMAGES = {
    "P6": [sessions_without_a_row, a_session_twice, a_wrong_count, an_event_missing,
           an_event_changed],
    "updated_at": [a_wrong_time_of_update], "is_final": [a_final_row_among_the_open],
    "I8": [an_orphan], "P1": [a_commit_twice], "watermark": [a_watermark_ahead],
    "P3": [a_commit_missing], "P5": [an_offset_short], "I6": [a_wrong_statistic],
    "files": [a_flipped_byte, a_data_file_cut],
}
CASES = [(promise, damage) for promise, damages in DAMAGES.items() for damage in damages]


def test_a_whole_state_passes(state):
    assert inspect(state, Memory(), READERS) == []


@pytest.mark.parametrize("promise, damage", CASES, ids=[damage.__name__ for _, damage in CASES])
def test_the_inspection_sees(state, promise, damage):
    damage(state)
    found = inspect(state)
    assert any(text.startswith(f"{promise}:") for text in found), found[:5]


@pytest.mark.parametrize("change", ["changed rows keep their time", "equal rows get a new one"])
def test_the_inspection_remembers_when_a_row_was_written(state, change):
    memory = Memory()
    assert inspect(state, memory) == []
    for name, (content, final, time) in list(memory.rows.items()):
        if change.startswith("changed"):
            memory.rows[name] = (content[:-1] + (not content[-1],), final, time)
        else:
            memory.rows[name] = (content, final, time - 1)
    assert any(text.startswith("updated_at:") for text in inspect(state, memory))


def test_a_reader_that_sees_other_rows_is_noticed(state, monkeypatch):
    other = READERS["polars"]
    monkeypatch.setitem(READERS, "polars", lambda path: other(path).slice(1))
    assert any(text.startswith("P8: polars") for text in inspect(state, None, ["polars"]))


@pytest.mark.parametrize("damage", [*DAMAGES["P6"], *DAMAGES["is_final"], *DAMAGES["P5"],
                                    *DAMAGES["files"]], ids=lambda damage: damage.__name__)
def test_the_operator_s_deep_verification_sees(state, damage):
    assert state.tool("verify", "--deep").code == CLEAN
    damage(state)
    outcome = state.tool("verify", "--deep")
    assert outcome.code == DAMAGED_STATE, outcome.output
