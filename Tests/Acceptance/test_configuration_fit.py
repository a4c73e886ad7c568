"""Settings against the checkpoint and tables that are there: checked, and refused at a start."""

import json
import tomllib

import pytest
from events import mixed
from support import BAD_CONFIGURATION, CLEAN, DAMAGED_STATE, State, binary, execute

COLUMN = '[[columns]]\nname = "campaign"\ntype = "{}"\n'


def with_columns(state, kind):
    state.configure()
    with state.config.open("a") as file:
        file.write(COLUMN.format(kind))


def check(state, *more):
    return execute([*state.command("--check-config"), *more])


@pytest.fixture
def stored(scratch, broker):
    """A state of one run, with a declared column."""
    state = State(scratch / "first", broker.brokers)
    with_columns(state, "string")
    broker.produce(mixed(20))
    state.run_once()
    return state


def test_settings_that_fit_are_counted_and_the_position_is_told(stored):
    outcome = check(stored)
    assert outcome.code == CLEAN, outcome
    assert "ok, 3 settings changed from their defaults" in outcome.output
    assert "checkpoint: batch 0 is complete" in outcome.output
    answer = json.loads(check(stored, "--json").output)
    assert answer["ok"] and answer["changed"] == 3
    assert answer["checkpoint"] == "batch 0 is complete"


@pytest.mark.parametrize("change, code, found, given", [
    ({"kafka": {"topic": "other"}}, "TOPIC_CHANGED", '"clickstream-events"', '"other"'),
    ({"silver": {"session_gap": "10min"}}, "SESSION_GAP_CHANGED", "1800000 ms", "600000 ms"),
], ids=["topic", "session gap"])
def test_a_setting_that_the_state_contradicts(stored, change, code, found, given):
    before = stored.tree()
    stored.configure(**change)
    for outcome in (check(stored), stored.run_once(expect=None)):
        assert outcome.code == BAD_CONFIGURATION, outcome
        assert all(part in outcome.output for part in (code, found, given)), outcome.output
    (problem,) = json.loads(check(stored, "--json").output)["problems"]
    assert code in problem["message"]
    assert stored.tree() == before


def test_a_column_of_another_type(stored):
    before = stored.tree()
    with_columns(stored, "long")
    for outcome in (check(stored), stored.run_once(expect=None)):
        assert outcome.code == BAD_CONFIGURATION, outcome
        assert "COLUMN_TYPE_CHANGED" in outcome.output
        assert "as long" in outcome.output and "is string" in outcome.output
    assert stored.tree() == before


def test_a_checkpoint_of_another_query_is_called_that(stored):
    own = stored.query_id()
    other = "00000000-1111-2222-3333-444444444444"
    metadata = stored.checkpoint / "metadata"
    metadata.write_text(metadata.read_text().replace(own, other))
    (stored.checkpoint / ".metadata.crc").unlink()
    before = stored.tree()
    start = stored.run_once(expect=DAMAGED_STATE)
    for outcome in (start, check(stored)):
        assert all(part in outcome.output for part in ("QUERY_CHANGED", own, other)), outcome
    assert check(stored).code == CLEAN, "no setting is at fault"
    assert stored.tree() == before


def test_the_state_directory_can_be_moved_as_a_whole(stored, broker):
    broker.produce(mixed(5))
    stored.run_once()
    moved = stored.root / "elsewhere"
    stored.directory.rename(moved)
    stored.settings["storage"]["state_directory"] = str(moved)
    with_columns(stored, "string")
    assert "batch 1 is complete" in check(stored).output
    broker.produce(mixed(5))
    stored.run_once()
    assert "batch 2 is complete" in check(stored).output
    assert stored.tool("verify", "--deep").code == CLEAN


def settings(text):
    """The file's tables, without those in which nothing is set."""
    tables = tomllib.loads(text)
    kafka = {key: value for key, value in tables.pop("kafka").items() if value != {}}
    return kafka, {name: table for name, table in tables.items() if table != {}}


def test_the_dump_is_a_configuration_with_the_same_meaning(stored):
    outcome = execute(stored.command("--dump-config"))
    assert outcome.code == CLEAN, outcome
    assert settings(outcome.output) == settings(stored.config.read_text())
    assert f"# {stored.config}: 3 settings changed" in outcome.output
    copy = stored.root / "copy.toml"
    copy.write_text(outcome.output)
    again = execute([str(binary("shopmetricsd")), "--dump-config", str(copy)])
    assert again.output.replace(str(copy), str(stored.config)).splitlines()[0] \
        == outcome.output.splitlines()[0]
    dumped = json.loads(execute(stored.command("--dump-config", "--json")).output)
    values = {row["key"]: row["value"] for row in dumped["settings"]}
    assert values["kafka.brokers"] == stored.settings["kafka"]["brokers"]
    assert values["schedule.every"] == "5min"


def test_problems_as_json_have_their_places(scratch):
    path = scratch / "shopmetrics.toml"
    path.write_text('[kafka]\ntopic = 7\n')
    path.chmod(0o640)
    for option in ("--check-config", "--dump-config"):
        outcome = execute([str(binary("shopmetricsd")), option, str(path), "--json"])
        assert outcome.code == BAD_CONFIGURATION
        answer = json.loads(outcome.output)
        places = [(row.get("line"), row.get("column")) for row in answer["problems"]]
        assert answer["ok"] is False and places == [(2, 9), (None, None)]
