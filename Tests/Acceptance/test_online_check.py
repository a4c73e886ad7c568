"""`--check-config --online`: what a run would find, without one."""

from hostile_broker import HostileBroker, plain_login
from hostile_cases import good
from support import BAD_CONFIGURATION, CLEAN, DAMAGED_STATE, KAFKA_UNAVAILABLE, State, execute

TOPIC = "clickstream-events"


def check(state, *more):
    return execute([*state.command(), "--check-config", *more])


def online(state):
    """The check, which must leave everything as it was."""
    before = state.tree() if state.directory.exists() else None
    outcome = check(state, "--online")
    assert (state.tree() if state.directory.exists() else None) == before
    return outcome


def open_state(scratch, brokers, **kafka):
    return State(scratch, brokers, kafka={"connect_timeout": "1s", **kafka})


def test_it_says_what_there_is_to_read(scratch):
    with HostileBroker(TOPIC, {0: [good(5)], 1: [good(0, 3)]}, cluster_id="cluster-a") as broker:
        state = open_state(scratch, broker.bootstrap)
        outcome = online(state)
        assert outcome.code == CLEAN, outcome.output
        for words in (f"brokers    {broker.bootstrap}, in clear text", "cluster    cluster-a",
                      f"topic      {TOPIC}, 2 partitions",
                      "0: holds 5 up to 15, next is 5, 10 to read",
                      "1: holds 0 up to 3, next is 0, 3 to read", "to read    13 offsets",
                      "is not there yet"):
            assert words in outcome.output, outcome.output
        state.run_once()
        broker.partitions[1].append(good(3, 4))
        outcome = online(state)
        assert "1: holds 0 up to 7, next is 3, 4 to read" in outcome.output, outcome.output
        assert f"disk       {state.directory}: " in outcome.output


def test_brokers_that_cannot_be_used(scratch):
    outcome = online(open_state(scratch, "127.0.0.1:9"))
    assert outcome.code == KAFKA_UNAVAILABLE
    assert "[KAFKA_UNAVAILABLE]" in outcome.output and "127.0.0.1:9 refused" in outcome.output


def test_a_login_that_is_refused(scratch):
    with HostileBroker(TOPIC, {0: []}, sasl={"PLAIN": plain_login("shop", "right")}) as broker:
        security = {"protocol": "sasl_plaintext", "mechanism": "PLAIN", "username": "shop",
                    "password": "canary-7f3a"}
        outcome = online(open_state(scratch, broker.bootstrap, security=security))
        assert outcome.code == KAFKA_UNAVAILABLE and "[KAFKA_AUTHENTICATION]" in outcome.output
        assert "canary-7f3a" not in outcome.output


def test_a_topic_that_no_longer_fits_the_checkpoint(scratch):
    with HostileBroker(TOPIC, {0: [good(0)]}) as broker:
        state = open_state(scratch, broker.bootstrap)
        state.run_once()
        broker.partitions = {0: [good(40)]}
        outcome = online(state)
        assert outcome.code == DAMAGED_STATE
        assert f"[KAFKA_DATA_LOSS] {TOPIC}/0: need offset 10, the broker starts at 40" \
            in outcome.output, outcome.output
        broker.partitions, broker.cluster_id = {0: [good(0)]}, "cluster-b"
        outcome = online(state)
        assert outcome.code == DAMAGED_STATE and "[WRONG_CLUSTER]" in outcome.output


def test_a_disk_that_is_too_full(scratch):
    with HostileBroker(TOPIC, {0: [good(0)]}) as broker:
        state = open_state(scratch, broker.bootstrap)
        state.run_once()
        state.configure(storage={"min_free": "1TiB"})
        assert "[LOW_DISK]" in online(state).output


def test_a_wrong_file_is_not_taken_to_the_brokers(scratch):
    with HostileBroker(TOPIC, {0: []}) as broker:
        state = open_state(scratch, broker.bootstrap, stall_timeout="soon")
        assert online(state).code == BAD_CONFIGURATION
        assert not broker.requests


def test_the_check_without_brokers_knows_of_scram_and_old_libraries(scratch):
    security = {"protocol": "sasl_plaintext", "mechanism": "SCRAM-SHA-256", "username": "shop",
                "password": "canary-7f3a"}
    outcome = check(open_state(scratch, "127.0.0.1:9", security=security))
    assert outcome.code == CLEAN
    version = execute([open_state(scratch, "x:1").command()[0], "--version"]).output
    is_old = "librdkafka 2.0." in version or "librdkafka 2.3." in version
    assert ("2.6.1 or newer" in outcome.output) == is_old, outcome.output
