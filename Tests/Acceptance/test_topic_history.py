"""Topics that are not what the checkpoint knew: each is named before anything is written."""

import pytest
from broker import TOPIC, Truth
from hostile_broker import FETCH, HostileBroker
from hostile_cases import events, good, good_log
from invariants import assert_idle_run_writes_nothing, assert_invariants
from kafka_records import batch
from support import CLEAN, DAMAGED_STATE, State, impatient_state


def test_another_cluster_behind_the_address_is_named_before_its_offsets(scratch):
    """Its log is shorter, which alone would look like lost records."""
    with HostileBroker(TOPIC, good_log(), cluster_id="cluster-a") as broker:
        state = impatient_state(scratch, broker)
        state.run_once()
        before = state.tree()
        broker.cluster_id, broker.partitions = "cluster-b", {0: [good(0, 2)], 1: [], 2: []}
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert "[WRONG_CLUSTER]" in outcome.output, outcome.output
        assert '"cluster-a"' in outcome.output and '"cluster-b"' in outcome.output
        assert state.tree() == before
        broker.cluster_id, broker.partitions = "cluster-a", good_log()
        assert_idle_run_writes_nothing(state)


@pytest.mark.parametrize("policy", ["stop", "continue"])
def test_a_new_partition_that_does_not_begin_at_0_has_lost_records(scratch, policy):
    with HostileBroker(TOPIC, good_log()) as broker:
        state = impatient_state(scratch, broker)
        state.run_once()
        broker.partitions = {**good_log(), 3: [good(40)]}
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert f"[KAFKA_DATA_LOSS] {TOPIC}/3 (a new partition): need offset 0, the broker starts " \
            "at 40, 40 records are gone" in outcome.output, outcome.output
        if policy == "stop":
            broker.partitions = {**good_log(), 3: [good(0)]}
            state.run_once()
            assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))
            return
        state.configure(loss={"on_missing_data": "continue"})
        state.run_once()
        rows, letters = state.rows()
        assert [row["kafka_offset"] for row in rows if row["kafka_partition"] == 3] == \
            list(range(40, 50))
        assert [(row["kafka_partition"], row["kafka_offset"], row["failure_reason"])
                for row in letters] == [(3, 0, "data_loss")]
        assert "0 to 39" in letters[0]["failure_detail"]
        assert state.tool("verify").code == CLEAN
        assert_idle_run_writes_nothing(state)


def test_a_partition_that_is_gone_is_named(scratch):
    with HostileBroker(TOPIC, good_log()) as broker:
        state = impatient_state(scratch, broker)
        state.run_once()
        before = state.tree()
        broker.partitions = {0: good_log()[0]}
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert f"[PARTITIONS_DELETED] {TOPIC}/1: the checkpoint is at offset 3" in outcome.output
        assert state.tree() == before
        broker.partitions = good_log()
        assert_idle_run_writes_nothing(state)


def test_a_log_that_shrinks_while_it_is_read_is_named(scratch):
    with HostileBroker(TOPIC, {0: [good(0), good(10)]}) as broker:
        def shrink(api):
            if api == FETCH:
                broker.partitions = {0: [good(0)]}

        broker.before = shrink
        state = impatient_state(scratch, broker)
        state.configure(kafka={"stall_timeout": "1s"})
        outcome = state.run_once(expect=DAMAGED_STATE)
        assert f"[LOG_TRUNCATED] {TOPIC}/0: no record from offset 10 on" in outcome.output
        assert "the broker's log now ends at 10" in outcome.output
        assert state.rows() == ([], [])
        broker.before = lambda api: None
        broker.partitions = {0: [good(0), good(10)]}
        state.configure(kafka={"stall_timeout": "10s"})
        state.run_once()
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))


@pytest.mark.parametrize("name", ["t" * 249, "shop.clicks_2026-v1", "_.-"])
def test_every_legal_name_of_a_topic_works(scratch, name):
    with HostileBroker(name, {0: [good(0)]}) as broker:
        state = State(scratch, broker.bootstrap, name)
        state.run_once()
        assert_invariants(state, Truth.read(broker.bootstrap, name))
        assert_idle_run_writes_nothing(state)


def others(base, count):
    """Records as good as those of `good`, and none of them the same."""
    return batch(base, events(base + 5000, count))


@pytest.mark.parametrize("recreated", [
    {0: [others(0, 60)], 1: [others(0, 60)], 2: [others(0, 60)]},
    {0: [good(0), others(10, 30)], 1: [good(0, 3)], 2: []},
], ids=["from the start", "in its last record only"])
def test_a_recreated_topic_that_has_grown_longer_is_named(scratch, recreated):
    with HostileBroker(TOPIC, good_log()) as broker:
        state = impatient_state(scratch, broker, max_offsets_per_batch=10)
        state.run_once()
        before = state.tree()
        broker.partitions = recreated
        for _ in range(2):
            outcome = state.run_once(expect=DAMAGED_STATE)
            assert "[TOPIC_RECREATED] partition" in outcome.output, outcome.output
            assert "another record than the one that was read from offset" in outcome.output
        assert state.tree() == before, "not even a batch was planned"
        broker.partitions = {**good_log(), 2: [good(0, 7)]}
        state.run_once()
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))
        assert_idle_run_writes_nothing(state)


def test_a_newest_record_that_is_gone_leaves_a_warning(scratch):
    with HostileBroker(TOPIC, {0: [good(0)]}) as broker:
        state = impatient_state(scratch, broker)
        state.run_once()
        # Retention took everything that was read, and nothing else.
        broker.partitions = {0: [good(10)]}
        outcome = state.run_once()
        assert outcome.output.count("continuity unproven") == 1, outcome.output
        assert "from partition 0," in outcome.output
        broker.partitions = {0: [good(10), good(20)]}
        assert "unproven" not in state.run_once().output
        # And compaction took the last one.
        broker.partitions = {0: [good(10), good(20, 9), good(31)]}
        assert "continuity unproven" in state.run_once().output
        assert sorted(row["kafka_offset"] for row in state.rows()[0]) == \
            [*range(30), *range(31, 41)]
        assert state.tool("verify").code == CLEAN
