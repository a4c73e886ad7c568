"""Silver in the service, which keeps sessions and caches in memory from one run to the next.

Each history is told version by version to a daemon that runs on, several at the same time; once
the last one is in, the daemon is stopped and everything inspected.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
import silver_bronze
from broker import PATIENCE, EmbeddedBroker, produce, wait_until
from delta_replay import replay
from silver_generator import generate
from silver_histories import open_state, record
from silver_inspection import inspect
from silver_shop import now
from silver_tables import logged_batches
from support import CLEAN, binary

SEEDS = range(5000, 5010)
MOST_VERSIONS = 12  # each takes a second, the schedule's


def tell(broker, seed, directory):
    """Sentences about what the service left; none when all is well."""
    history = generate(seed, now(), "foreign" if seed % 2 else "kafka", size=60)
    state = open_state(directory, history, broker.brokers, f"service-{seed}")
    state.configure(schedule={"every": "1s"}, log={"level": "error"})
    daemon = state.start()
    expected = 0
    try:
        for version in portions(history):
            expected += len(version)
            deliver(state, history, version)
            wait_until(lambda: daemon.poll() is not None or is_in(state, expected),
                       f"seed {seed}: {expected} events in Silver", 2 * PATIENCE)
            assert daemon.poll() is None, f"seed {seed}: {daemon.stdout.read()}"
    finally:
        daemon.terminate()
        output, _ = daemon.communicate(timeout=PATIENCE)
    if daemon.returncode != CLEAN:
        return [f"the service ended with {daemon.returncode}: {output}"]
    return inspect(state)


def portions(history):
    """The versions of all runs; the last one is what is left when they are many."""
    versions = [version for run in history.runs for version in run]
    rest = [row for version in versions[MOST_VERSIONS - 1:] for row in version]
    return [*versions[:MOST_VERSIONS - 1], *([rest] if rest else [])]


def deliver(state, history, version):
    if history.way == "foreign":
        silver_bronze.append(state.bronze, version)
    else:
        produce(state.settings["kafka"]["brokers"][0], [record(row) for row in version],
                state.settings["kafka"]["topic"])


def is_in(state, expected):
    """Whether all of Bronze, which has so many rows, is behind a committed batch of Silver."""
    try:
        bronze = replay(state.bronze)
        batches = logged_batches(state)
    except (OSError, AssertionError, ValueError):
        return False  # caught in the middle of a publication
    rows = sum(silver_bronze.row_count(add) for add in bronze.files.values()) if bronze else 0
    if rows < expected or not batches:
        return False
    newest = batches[max(batches)]
    return newest.next_watermark is not None and \
        newest.source["reservoirVersion"] == bronze.version + 1


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    broker = EmbeddedBroker(binary("embedded-broker"))
    with ThreadPoolExecutor(len(SEEDS)) as pool:
        jobs = {seed: pool.submit(tell, broker, seed, tmp_path_factory.mktemp(f"seed-{seed}"))
                for seed in SEEDS}
    yield jobs
    broker.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_service_that_runs_on_leaves_what_the_sql_says(found, seed):
    violations = found[seed].result()
    assert not violations, "\n".join(violations[:20])
