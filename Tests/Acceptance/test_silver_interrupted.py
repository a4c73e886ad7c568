"""A batch of Silver cut off at a chosen moment, then other settings, then the restart.

What was logged and committed first decides: the same batch, the same watermark, the same rows.
"""

import pytest
from broker import EmbeddedBroker
from silver_generator import DAY, HOUR, MINUTE, SECOND
from silver_inspection import Memory, assert_silver
from silver_shop import LONG_AGO, Shop, click, now
from silver_tables import logged_batches
from support import CLEAN, KILLED, binary, build_tracer
from test_interrupted import traced

# Where the second batch of the run is cut off: the call and the file it is about to change.
MOMENTS = {
    "before its offsets are logged": ("link", "/checkpoints/clickstream_silver/offsets/2"),
    "in the middle of its events": ("write", "/clickstream_events/clickstream_silver-00000002-"),
    "in the middle of its sessions": ("write", "is_final=false/clickstream_silver-00000002-"),
    "before its commit": ("link", "/silver/clickstream_sessions/_delta_log/"),
    "between the two tables": ("link", "/silver/clickstream_events/_delta_log/"),
    "before the commit log": ("link", "/checkpoints/clickstream_silver/commits/2"),
}
CHANGES = {
    "no lateness": {"silver": {"allowed_lateness": "0s"}},
    "a week of lateness": {"silver": {"allowed_lateness": "7d"}},
    "smaller batches": {"silver": {"max_rows_per_batch": 1}},
    "one large batch": {"silver": {"max_rows_per_batch": 1_000_000}},
    "a small cache": {"silver": {"duplicate_cache_events": 1000}},
    "another codec": {"storage": {"compression": "none"}},
    "small files": {"storage": {"file_size": "1MiB", "row_group_size": "1MiB"}},
}


def waiting(root, brokers):
    """One batch in Silver; three more versions of Bronze wait, of which each is a batch."""
    shop = Shop(root, brokers, silver={"max_rows_per_batch": 1})
    visits = [click(f"v-{n}", LONG_AGO + n * HOUR + step) for n in range(4) for step in (0, MINUTE)]
    shop.write(*visits, *(click(f"o-{n}", now()) for n in range(4)))
    shop.run()
    for number in range(3):
        shop.write(visits[number], click(f"v-{number}", LONG_AGO + number * HOUR + 30 * MINUTE),
                   click(f"o-{number}", now() + number * SECOND), click(f"n-{number}", now()),
                   click("future", now() + (number + 1) * DAY))
    return shop.state


@pytest.fixture(scope="module")
def topic():
    broker = EmbeddedBroker(binary("embedded-broker"))
    yield broker
    broker.close()


@pytest.fixture(scope="module")
def recorded(topic, tmp_path_factory):
    """The tracer, the start state, and every (name, call, path) of an undisturbed run."""
    directory = tmp_path_factory.mktemp("tracer")
    tracer = build_tracer(directory)
    start = waiting(directory / "start", topic.brokers)
    state = start.copy(directory / "recorded")
    assert traced(tracer, state).code == CLEAN
    fields = [line.split(" ", 4) for line in (state.root / "points").read_text().splitlines()]
    return tracer, start, [(":".join(f[1:4]), f[2], f[4]) for f in fields]


def choose(points, moment):
    """The name of the moment's point; of the tables' commits the second, as all batches pass."""
    call, part = MOMENTS[moment]
    found = [name for name, its_call, path in points if its_call.startswith(call) and part in path]
    assert found, f"no point is a {call} of {part}"
    return found[1 if "_delta_log" in part else 0]


@pytest.mark.parametrize("changed", CHANGES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_restart_has_other_settings(scratch, recorded, moment, changed):
    tracer, start, points = recorded
    state = start.copy(scratch)
    assert traced(tracer, state, "--kill", choose(points, moment)).code == KILLED
    logged = {n: (b.timestamp, b.watermark, b.source) for n, b in logged_batches(state).items()}
    state.configure(**CHANGES[changed])
    state.run_once()
    after = logged_batches(state)
    assert all((after[n].timestamp, after[n].watermark, after[n].source) == what
               for n, what in logged.items()), "the plan of a logged batch is kept"
    assert_silver(state, Memory(judged=max(logged)))
