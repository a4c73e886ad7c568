"""A batch cut off at a chosen moment, then other settings, then the restart.

What was committed first decides: a changed limit, schema or address cannot split, repeat or lose
what the interrupted batch holds.
"""

import pytest
from broker import EmbeddedBroker
from events import mixed
from invariants import assert_idle_run_writes_nothing, assert_invariants
from support import KILLED, State, binary, build_tracer

# Where the third batch is cut off: the call and the file it is about to change.
MOMENTS = {
    "before its offsets are logged": ("link", "/checkpoints/clickstream_bronze/offsets/2"),
    "in the middle of its data": ("write", "/bronze/clickstream_raw/clickstream_bronze-00000002-"),
    "before its commit": ("link", "/bronze/clickstream_raw/_delta_log/"),
    "between the two tables": ("link", "/bronze/clickstream_dead_letter/_delta_log/"),
    "before the commit log": ("link", "/checkpoints/clickstream_bronze/commits/2"),
}
CHANGES = {
    "smaller batches": {"limits": {"max_offsets_per_batch": 7}},
    "one large batch": {"limits": {"max_offsets_per_batch": 100_000}},
    "a lower limit of size": {"limits": {"max_value": "1KiB"}},
    "a lower limit of depth": {"limits": {"max_json_depth": 8}},
    "another codec": {"storage": {"compression": "none"}},
    "another address of the broker": {"kafka": {"brokers": None}},
    "a declared column": {"columns": None},
}


@pytest.fixture(scope="module")
def topic():
    broker = EmbeddedBroker(binary("embedded-broker"))
    broker.produce(mixed(600, bad_share=0.1))
    yield broker, broker.truth()
    broker.close()


@pytest.fixture(scope="module")
def points(topic, tmp_path_factory):
    """The tracer, and every (name, call, path) of an undisturbed run."""
    directory = tmp_path_factory.mktemp("tracer")
    tracer = build_tracer(directory)
    state = open_state(directory / "recorded", topic[0])
    assert traced(tracer, state).code == 0
    lines = (state.root / "points").read_text().splitlines()
    fields = [line.split(" ", 4) for line in lines]
    return tracer, [(":".join(f[1:4]), f[2], f[4]) for f in fields]


def open_state(directory, broker):
    state = State(directory, broker.brokers, limits={"max_offsets_per_batch": 100})
    state.directory.mkdir()
    return state


def traced(tracer, state, *options):
    return state.run_once(expect=None, wrapper=[
        str(tracer), "--under", str(state.directory), "--log", str(state.root / "points"),
        *options, "--"])


def choose(points, moment):
    """The name of the moment's point: the third of those that all batches pass."""
    call, part = MOMENTS[moment]
    found = [name for name, its_call, path in points if its_call.startswith(call) and part in path]
    assert found, f"no point is a {call} of {part}"
    return found[min(2, len(found) - 1) if "_delta_log" in part else 0]


def change(state, name):
    settings = CHANGES[name]
    if "columns" in settings:
        state.settings["columns"] = [{"name": "referrer", "field": "referrer", "type": "string"}]
        state.configure()
    elif "kafka" in settings:
        port = state.settings["kafka"]["brokers"][0].rsplit(":", 1)[1]
        state.configure(kafka={"brokers": [f"localhost:{port}"]})
    else:
        state.configure(**settings)


@pytest.mark.parametrize("changed", CHANGES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_restart_has_other_settings(scratch, topic, points, moment, changed):
    broker, truth = topic
    tracer, names = points
    state = open_state(scratch, broker)
    assert traced(tracer, state, "--kill", choose(names, moment)).code == KILLED
    change(state, changed)
    state.run_once()
    assert_invariants(state, truth)
    assert_idle_run_writes_nothing(state)


def unsynced_names(points, directory):
    """The syncs of the directory that follow right after a file got its name in it."""
    linked = False
    for name, call, path in points:
        if call.startswith("link"):
            linked = path.startswith(f"{directory}/")
        elif call == "fsync" and path == directory and linked:
            linked = False
            yield name


@pytest.mark.parametrize("directory", [
    "/checkpoints/clickstream_bronze/offsets", "/bronze/clickstream_raw/_delta_log",
    "/checkpoints/clickstream_bronze/commits"])
def test_the_restart_makes_durable_what_it_builds_on(scratch, topic, points, directory):
    """A power cut may follow a kill: later files must not need what the kill left unsynced."""
    tracer, recorded = points
    state = open_state(scratch, topic[0])
    point = list(unsynced_names(recorded, directory))[1]
    assert traced(tracer, state, "--kill", point).code == KILLED
    assert traced(tracer, state).code == 0
    calls = [line.split(" ", 4)[2::2] for line in (state.root / "points").read_text().splitlines()]
    first_name = next(i for i, (call, _) in enumerate(calls) if call.startswith(("link", "rename")))
    assert ["fsync", directory] in calls[:first_name]
    assert_invariants(state, topic[1])
