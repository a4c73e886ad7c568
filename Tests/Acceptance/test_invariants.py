"""The checks themselves: each damage done on purpose to a good state must be found by name."""

import json
import shutil

import pytest
from broker import EmbeddedBroker
from events import mixed
from invariants import check_invariants
from support import State, binary


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """(state, truth) of several batches with letters, and not one violation."""
    broker = EmbeddedBroker(binary("embedded-broker"))
    state = State(tmp_path_factory.mktemp("good"), broker.brokers,
                  limits={"max_offsets_per_batch": 100})
    broker.produce(mixed(350, bad_share=0.2))
    state.run_once()
    truth = broker.truth()
    broker.close()
    assert check_invariants(state, truth) == []
    return state, truth


def commits(table):
    return sorted((table / "_delta_log").glob("*.json"))


def edit(table, change):
    """Rewrites the newest commit with what `change` makes of its actions."""
    path = commits(table)[-1]
    actions = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(action) + "\n" for action in change(actions)))


def adds(actions):
    return [action["add"] for action in actions if "add" in action]


def accounting(actions):
    return next(a["commitInfo"]["shopmetrics"] for a in actions if "commitInfo" in a)


def a_commit_is_lost(state):
    commits(state.bronze)[-1].unlink()


def a_commit_of_letters_is_lost(state):
    commits(state.dead_letter)[-1].unlink()


def a_batch_is_doubled(state):
    """The newest batch again, with copies of its files under other names."""
    last = commits(state.bronze)[-1]
    actions = [json.loads(line) for line in last.read_text().splitlines()]
    for add in adds(actions):
        shutil.copy(state.bronze / add["path"], state.bronze / f"again-{add['path']}")
        add["path"] = f"again-{add['path']}"
    again = last.with_name(f"{int(last.stem) + 1:020}.json")
    again.write_text("".join(json.dumps(action) + "\n" for action in actions))


def a_file_is_cut(state):
    path = sorted(state.bronze.glob("*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:-1])


def a_commit_is_torn(state):
    path = commits(state.bronze)[-1]
    path.write_bytes(path.read_bytes()[:-1])


def a_commit_in_the_middle_is_gone(state):
    commits(state.bronze)[1].unlink()


def statistics_lie(state):
    def change(actions):
        for add in adds(actions):
            statistics = json.loads(add["stats"])
            statistics["maxValues"]["kafka_offset"] += 1
            add["stats"] = json.dumps(statistics)
        return actions

    edit(state.bronze, change)


def the_accounting_lies(state):
    def change(actions):
        next(iter(accounting(actions)["partitions"].values()))["good"] += 1
        return actions

    edit(state.bronze, change)


def the_totals_lie(state):
    def change(actions):
        next(iter(accounting(actions)["partitions"].values()))["total"]["absent"] += 1
        return actions

    edit(state.bronze, change)


def letters_are_not_as_carried(state):
    def change(actions):
        for add in adds(actions):
            add["modificationTime"] += 1
        return actions

    edit(state.dead_letter, change)


def an_orphan_is_left(state):
    (state.bronze / "clickstream_bronze-00000099-x.zstd.parquet").write_bytes(b"PAR1")


def a_temporary_file_is_left(state):
    (state.checkpoint / "offsets" / ".7.x.tmp").write_bytes(b"v1")


def a_commit_file_is_missing(state):
    (state.checkpoint / "commits" / str(state.batches("commits")[-1])).unlink()


DAMAGES = [
    (a_commit_is_lost, "I1: "), (a_commit_of_letters_is_lost, "I1: "),
    (a_batch_is_doubled, "I1: "), (a_batch_is_doubled, "I5: "), (a_file_is_cut, "I6: "),
    (a_commit_is_torn, "I7: "), (a_commit_in_the_middle_is_gone, "I7: "),
    (statistics_lie, "I6: "), (the_accounting_lies, "I5: "), (the_totals_lie, "I4: "),
    (letters_are_not_as_carried, "I5: "), (an_orphan_is_left, "I8: "),
    (a_temporary_file_is_left, "I8: "), (a_commit_file_is_missing, "I5: "),
]


@pytest.mark.parametrize("damage, expected", DAMAGES,
                         ids=[f"{d.__name__} {e[:2]}" for d, e in DAMAGES])
def test_a_damage_is_found(good, tmp_path, damage, expected):
    state, truth = good[0].copy(tmp_path / "damaged"), good[1]
    damage(state)
    found = check_invariants(state, truth)
    assert [text for text in found if text.startswith(expected)], found
