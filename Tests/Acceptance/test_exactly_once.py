"""Exactly once: several runs, events that keep coming, interruptions, changed settings."""

import signal
import subprocess
import threading
import time

from broker import wait_until
from events import encode, event, mixed
from invariants import assert_idle_run_writes_nothing, assert_invariants
from support import BAD_CONFIGURATION, CLEAN, LOCKED


def test_several_runs_hold_every_record_once(state, broker):
    for run in range(4):
        broker.produce(mixed(330, seed=run, start=1000 * run))
        state.run_once()
        assert_invariants(state, broker.truth())
    assert state.batches()[-1] >= 12, "each run has several batches of at most a hundred offsets"


def test_a_run_ends_at_the_offsets_of_its_start(state, broker):
    """availableNow: what arrives during a run waits for the next one."""
    broker.produce(mixed(3000))
    state.configure(limits={"max_offsets_per_batch": 50})
    done = threading.Event()

    def keep_producing():
        number = 10_000
        while not done.is_set():
            broker.produce(mixed(20, seed=number, start=number))
            number += 20

    producer = threading.Thread(target=keep_producing)
    producer.start()
    try:
        state.run_once()
    finally:
        done.set()
        producer.join()
    state.run_once()
    assert_invariants(state, broker.truth())


def test_an_idle_run_writes_nothing(state, broker):
    broker.produce(mixed(150))
    state.run_once()
    assert_idle_run_writes_nothing(state)
    assert_idle_run_writes_nothing(state)


def test_an_empty_topic_leaves_no_tables(state):
    state.run_once()
    assert not state.bronze.exists() and not state.batches()


def test_dead_letters_alone_are_a_batch(state, broker):
    broker.produce([(0, b"k", b"not json", 0, [("h", b"1")]), (1, None, None, 0, None)])
    outcome = state.run_once()
    assert "2 dead" in outcome.output
    assert_invariants(state, broker.truth())


def test_a_second_daemon_ends_at_once_and_names_the_first(state, broker):
    broker.produce(mixed(10))
    first = state.start()
    try:
        wait_until(lambda: state.batches("commits"), "the first batch")
        began = time.monotonic()
        outcome = state.run_once(expect=LOCKED)
        assert time.monotonic() - began < 1
        assert str(first.pid) in outcome.output
    finally:
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=5) == CLEAN


def test_the_daemon_stops_within_five_seconds_and_loses_nothing(state, broker):
    state.configure(limits={"max_offsets_per_batch": 20}, schedule={"every": "1s"})
    broker.produce(mixed(2000))
    daemon = state.start()
    wait_until(lambda: len(state.batches("commits")) > 3, "a few batches")
    began = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(timeout=10) == CLEAN
    assert time.monotonic() - began < 5
    state.run_once()
    assert_invariants(state, broker.truth())


def test_kills_at_any_time_with_settings_that_change(state, broker):
    """Random moments; `test_interrupted.py` aims at chosen ones."""
    broker.produce(mixed(3000, bad_share=0.1))
    for attempt in range(6):
        daemon = state.start("run", "--once")
        try:
            daemon.wait(timeout=0.02 + 0.013 * attempt)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        state.configure(limits={"max_offsets_per_batch": 100 + 70 * attempt})
    state.run_once()
    assert_invariants(state, broker.truth())


def test_a_declared_column_is_added_between_runs(state, broker):
    def send(first):
        broker.produce([(n % 3, b"k", encode(event(n, campaign=f"c{n}")), 0, None)
                        for n in range(first, first + 50)])

    send(0)
    state.run_once()
    text = state.config.read_text()
    state.config.write_text(text + '[[columns]]\nname = "campaign"\nfield = "campaign"\n'
                                   'type = "string"\n')
    send(100)
    state.run_once()
    rows, _ = state.rows()
    before = [row for row in rows if int(row["event_id"][-12:]) < 100]
    after = [row for row in rows if int(row["event_id"][-12:]) >= 100]
    assert len(before) == len(after) == 50
    assert all(row["campaign"] is None and '"campaign"' in row["rescued_data"] for row in before)
    assert all(row["campaign"] == f"c{int(row['event_id'][-12:])}" and row["rescued_data"] is None
               for row in after)


def test_another_topic_is_refused_with_both_names(state, broker):
    broker.produce(mixed(10))
    state.run_once()
    before = state.tree()
    state.configure(kafka={"topic": "other"})
    outcome = state.run_once(expect=BAD_CONFIGURATION)
    assert "clickstream-events" in outcome.output and "other" in outcome.output
    assert state.tree() == before


def test_log_checkpoints_come_every_so_many_commits(state, broker):
    state.configure(limits={"max_offsets_per_batch": 10}, delta={"checkpoint_interval": 5})
    broker.produce(mixed(200))
    state.run_once()
    names = [path.name for path in (state.bronze / "_delta_log").iterdir()]
    assert "_last_checkpoint" in names
    assert sum(name.endswith(".checkpoint.parquet") for name in names) >= 3
    assert_invariants(state, broker.truth())
