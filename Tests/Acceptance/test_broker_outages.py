"""Brokers that are away, come back, move or hand over while the daemon is at work."""

import shutil
import threading
import time

import pytest
from broker import PATIENCE, TOPIC, EmbeddedBroker, Truth, wait_until
from events import mixed
from hostile_broker import FETCH, LIST_OFFSETS, HostileBroker
from hostile_cases import good, good_log
from invariants import assert_idle_run_writes_nothing, assert_invariants
from support import CLEAN, KAFKA_UNAVAILABLE, State, binary, impatient_state


@pytest.mark.parametrize("brokers", [
    ["127.0.0.1:9"], ["no-such-host.invalid:9092"], ["[::1]:9"]], ids=["refused", "name", "ipv6"])
def test_an_address_without_a_broker_is_named(scratch, brokers):
    with HostileBroker(TOPIC, good_log()) as broker:
        state = impatient_state(scratch, broker)
        state.configure(kafka={"brokers": brokers, "connect_timeout": "1s"})
        outcome = state.run_once(expect=KAFKA_UNAVAILABLE)
        assert "[KAFKA_UNAVAILABLE]" in outcome.output and brokers[0] in outcome.output
        # One address that answers is enough.
        state.configure(kafka={"brokers": [*brokers, broker.bootstrap], "connect_timeout": "10s"})
        state.run_once()
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))


def test_a_node_that_comes_back_under_another_address_is_found(scratch):
    with HostileBroker(TOPIC, good_log()) as first, HostileBroker(TOPIC, good_log()) as second:
        first.address = ("127.0.0.1", 9)

        def move(api):
            if api == LIST_OFFSETS or len(first.requests) > 2:
                first.address = ("127.0.0.1", second.port)

        first.before = move
        state = impatient_state(scratch, first)
        state.run_once()
        assert any(api == FETCH for api, _ in second.requests)
        assert not any(api == FETCH for api, _ in first.requests)
        assert_invariants(state, Truth.read(second.bootstrap, TOPIC))


def test_a_broker_that_dies_in_the_middle_and_comes_back_only_costs_time(scratch):
    with HostileBroker(TOPIC, good_log()) as broker:
        port, fetches = broker.port, []

        def die(api):
            fetches.append(api == FETCH)
            if sum(fetches) == 2:
                broker.before = lambda api: None
                broker.stop()

        broker.before = die
        state = impatient_state(scratch, broker, max_offsets_per_batch=5)
        state.configure(kafka={"stall_timeout": "20s"})
        run = state.start("run", "--once")
        wait_until(lambda: broker._server is None, "the broker to die")
        time.sleep(0.3)
        broker.start(port)
        output, _ = run.communicate(timeout=20)
        assert run.returncode == CLEAN, output
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))


@pytest.fixture
def three_brokers():
    broker = EmbeddedBroker(binary("embedded-broker"), brokers=3)
    yield broker
    broker.close()


def test_leaders_that_move_all_the_time(three_brokers, scratch):
    three_brokers.produce(mixed(1_500))
    for node in 1, 2, 3:
        three_brokers.command("delay", node, 30)
    state = State(scratch, "", limits={"max_offsets_per_batch": 100}, kafka={
        "brokers": three_brokers.brokers.split(","), "stall_timeout": "20s"})
    run = state.start("run", "--once")
    turn = 0
    while run.poll() is None and turn < 20:
        for partition in range(3):
            three_brokers.command("leader", partition, 1 + (partition + turn) % 3)
        turn += 1
        time.sleep(0.1)
    assert turn > 1
    run.wait(PATIENCE)
    assert run.returncode == CLEAN, run.communicate()[0]
    run.communicate()
    assert_invariants(state, three_brokers.truth())
    assert_idle_run_writes_nothing(state)


def test_a_broker_that_goes_down_leaves_its_partitions_for_the_next_run(three_brokers, scratch):
    three_brokers.produce(mixed(900))
    for partition in range(3):
        three_brokers.command("leader", partition, partition + 1)
    three_brokers.command("down", 2)
    brokers = three_brokers.brokers.split(",")
    state = State(scratch, "", kafka={"brokers": brokers, "connect_timeout": "2s"})
    outcome = state.run_once(expect=KAFKA_UNAVAILABLE)
    assert f"{brokers[1]} refused the connection" in outcome.output, outcome.output
    assert state.rows() == ([], [])
    three_brokers.command("up", 2)
    state.configure(kafka={"connect_timeout": "10s"})
    state.run_once()
    assert_invariants(state, three_brokers.truth())


def test_a_resident_daemon_outlives_all_of_it_and_takes_up_renewed_files(scratch, certificates):
    """One process: an unknown authority, a dead broker, a missing topic, then good again."""
    with HostileBroker(TOPIC, good_log(), tls=certificates.good) as broker:
        state = State(scratch, broker.bootstrap, schedule={"every": "1s"},
                      kafka={"stall_timeout": "1s", "connect_timeout": "1s"})
        authority = scratch / "ca.pem"
        shutil.copy(certificates.foreign, authority)
        state.settings["kafka"]["security"] = {"protocol": "ssl", "ca_file": str(authority)}
        state.configure()
        daemon = state.start()
        try:
            lines = Lines(daemon.stdout)
            lines.wait_for("[KAFKA_TLS]")
            renewed = scratch / "renewed.pem"
            shutil.copy(certificates.ours, renewed)
            renewed.rename(authority)
            lines.wait_for(" ok: ")
            port, partitions = broker.port, broker.partitions
            broker.stop()
            lines.wait_for("refused the connection")
            broker.partitions = {}
            broker.start(port)
            lines.wait_for("[KAFKA_UNAVAILABLE] topic")
            broker.partitions = {**partitions, 2: [good(0, 7)]}
            lines.wait_for(" ok: 7 records")
            daemon.terminate()
            assert daemon.wait(10) == CLEAN
        finally:
            daemon.kill()
            daemon.wait()
        broker.tls = None
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))


class Lines:
    """What a process says, as it says it."""

    def __init__(self, stream):
        self.said, self.seen = [], 0
        threading.Thread(target=lambda: self.said.extend(stream), daemon=True).start()

    def wait_for(self, words):
        """Until a line after those waited for so far has the words."""
        def found():
            for at in range(self.seen, len(self.said)):
                if words in self.said[at]:
                    self.seen = at + 1
                    return True
            return False

        wait_until(found, f"{words!r} after {self.said[self.seen:]}", 15)
