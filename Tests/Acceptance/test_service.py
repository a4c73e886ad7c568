"""The resident daemon as its operators and systemd see it: its socket, its states, its signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from broker import TOPIC, Truth, wait_until
from control import (
    Gate, Notifications, ask, connect, read_all, send, socket_path, status, wait_for, wait_for_run)
from events import encode, event, mixed
from hostile_broker import FETCH, LIST_OFFSETS, METADATA, HostileBroker
from hostile_cases import good
from invariants import assert_invariants
from service import Service
from support import BAD_CONFIGURATION, CLEAN, KAFKA_UNAVAILABLE, LOCKED, State, compile_c

ATTENTION = 1
RARELY = {"schedule": {"every": "1h"}, "log": {"level": "debug"}}
AT_ONCE = 2  # seconds, on a busy machine


@pytest.fixture
def idle(state, broker):
    """A daemon that has taken a hundred records and has an hour until its next run."""
    state.configure(**RARELY)
    broker.produce(mixed(100))
    with Service(state) as daemon:
        wait_for(state, lambda found: found["state"] == "idle" and found["runs"], "the first run")
        yield daemon


@pytest.fixture
def stuck(scratch):
    """A daemon in the middle of its first batch, whose broker answers when `release` is called."""
    with HostileBroker(TOPIC, {0: [good(0), good(10)]}, silent=(FETCH,)) as broker:
        state = State(scratch, broker.bootstrap, **RARELY)
        with Service(state) as daemon:
            wait_for(state, is_reading, "the first fetch")

            def release():
                port = broker.port
                broker.silent = ()
                broker.stop()
                broker.start(port)
            daemon.release = release
            daemon.broker = broker
            yield daemon


def is_reading(found):
    progress = found["run"] and found["run"]["progress"]
    return progress and progress["phase"] == "getBatch"


# -- what it says of itself


def test_status_comes_from_the_daemon_and_without_it_from_the_files(idle):
    state = idle.state
    found = json.loads(state.tool("status", "--json").output)
    service = found["service"]
    assert found["daemonPid"] == service["pid"] == idle.process.pid
    assert (service["state"], service["consecutiveFailures"]) == ("idle", 0)
    (run,) = service["runs"]
    assert (run["number"], run["outcome"], run["good"] + run["dead"]) == (1, "ok", 100)
    assert service["lastSuccessMs"] == run["startedMs"] + run["milliseconds"]
    wait = service["nextRunMs"] - run["startedMs"]
    assert 3590_000 < wait <= 3600_000
    assert sum(service["plannedEnds"].values()) == 100
    text = state.tool("status").output
    assert f"running (pid {idle.process.pid}" in text and "state     idle; run 1 ok at " in text

    idle.process.terminate()
    assert idle.process.wait(5) == CLEAN
    assert not os.path.exists(socket_path(state))
    down = json.loads(state.tool("status", "--json").output)
    assert down["daemonPid"] is None and down["service"] is None
    assert down["accounting"] == found["accounting"]
    assert "daemon    not running" in state.tool("status").output


def test_status_can_be_looked_on_at(idle):
    watcher = subprocess.Popen(
        idle.state.tool_command("status", "--watch", "--json"), stdout=subprocess.PIPE, text=True)
    first, second = (json.loads(watcher.stdout.readline()) for _ in range(2))
    assert first["service"]["nowMs"] < second["service"]["nowMs"]
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(5) == CLEAN


def test_runs_come_from_the_daemon_and_without_it_from_the_checkpoint(idle, broker):
    state = idle.state
    broker.produce(mixed(30, seed=2, start=100))
    assert state.tool("run", "--wait").code == CLEAN
    records = [run["good"] + run["dead"] for run in
               json.loads(state.tool("runs", "--json").output)["runs"]]
    assert records == [100, 30]
    idle.process.terminate()
    idle.process.wait(5)
    batches = json.loads(state.tool("runs", "--json").output)["batches"]
    assert [batch["offsets"] for batch in batches] == [100, 30]
    assert all(batch["committed"] for batch in batches)
    assert "not running" in state.tool("runs").output


# -- orders


def test_in_a_pause_only_asked_for_runs_start(state, broker):
    state.configure(schedule={"every": "1s"})
    with Service(state) as daemon:
        wait_for_run(state, 1)
        assert state.tool("pause").code == CLEAN
        paused = wait_for(state, lambda found: found["state"] == "paused", "the pause")
        assert paused["nextRunMs"] is None
        broker.produce(mixed(50))
        time.sleep(1.5)  # a scheduled run would have been due
        assert len(status(state)["runs"]) == len(paused["runs"])
        outcome = state.tool("run", "--wait")
        assert outcome.code == CLEAN and "50 records" in outcome.output, outcome.output
        assert status(state)["state"] == "paused"
        number = len(status(state)["runs"])
        assert state.tool("resume").code == CLEAN
        wait_for_run(state, number + 1)
        assert daemon.said.count("paused by user") == daemon.said.count("resumed by user") == 1


def test_a_run_asked_for_during_a_run_comes_behind_it_and_only_once(stuck):
    state = stuck.state
    assert [ask(state, "run")["run"] for _ in range(3)] == [2, 2, 2]
    assert status(state)["run"]["number"] == 1
    stuck.release()
    assert wait_for_run(state, 2)["outcome"] == "ok"
    assert ask(state, "run")["run"] == 3
    assert [run["number"] for run in wait_for(
        state, lambda found: len(found["runs"]) == 3, "run 3")["runs"]] == [1, 2, 3]


def test_a_run_that_fails_is_said_by_its_exit_status(state, broker):
    state.configure(kafka={"connect_timeout": "1s"}, **RARELY)
    with Service(state) as daemon:
        wait_for_run(state, 1)
        broker.close()
        outcome = state.tool("run", "--wait")
        assert outcome.code == KAFKA_UNAVAILABLE and "[KAFKA_UNAVAILABLE]" in outcome.output
        found = wait_for(state, lambda found: found["state"] == "waiting", "the wait")
        assert found["consecutiveFailures"] >= 1
        assert found["runs"][-1]["error"]["code"] == "KAFKA_UNAVAILABLE"
        # It comes again by itself, long before the hour is over.
        wait_for(state, lambda found: found["consecutiveFailures"] >= 2, "the next try")
        assert "failing " in state.tool("status").output
        assert daemon.process.poll() is None


@pytest.mark.parametrize("command", ["run", "pause", "resume"])
def test_an_order_without_a_daemon_says_so(state, command):
    outcome = state.tool(command)
    assert outcome.code == KAFKA_UNAVAILABLE
    assert "[DAEMON_NOT_RUNNING]" in outcome.output and socket_path(state) in outcome.output


# -- lag


def test_lag_is_the_same_from_the_daemon_and_without_it(idle, broker):
    state = idle.state
    before = time.time() * 1000
    broker.produce([(partition, b"k", encode(event()), 0, None) for partition in (0, 0, 2)])
    outcome = state.tool("lag", "--json")
    assert outcome.code == CLEAN
    found = json.loads(outcome.output)
    assert [partition["lag"] for partition in found["partitions"]] == [2, 0, 1]
    assert found["lag"] == 3 and found["recordsPerSecond"] > 0 and found["remainingMs"] >= 0
    oldest = [partition["oldestWaitingMs"] for partition in found["partitions"]]
    assert oldest[1] is None and before - 1000 < oldest[0] <= oldest[2] < before + 30_000
    idle.process.terminate()
    idle.process.wait(5)
    alone = json.loads(state.tool("lag", "--json").output)
    assert alone["partitions"] == found["partitions"] and alone["recordsPerSecond"] is None
    assert "3 waiting" in state.tool("lag").output


def test_lag_before_the_first_batch_counts_from_the_configured_start(state, broker):
    broker.produce(mixed(40))
    assert json.loads(state.tool("lag", "--json").output)["lag"] == 40
    state.configure(kafka={"starting_offsets": "latest"})
    assert json.loads(state.tool("lag", "--json").output)["lag"] == 0


def test_lag_names_a_partition_that_stands_still(scratch):
    with HostileBroker(TOPIC, {0: [good(0), good(10)], 1: [good(0)]}) as broker:
        state = State(scratch, broker.bootstrap, **RARELY)
        with Service(state):
            wait_for_run(state, 1)
            broker.partitions[0] = [good(30)]
            for outcome in state.tool("lag", "--json"), state.tool("lag"):
                assert outcome.code == ATTENTION, outcome.output
            found = json.loads(state.tool("lag", "--json").output)["partitions"]
            assert [partition["code"] for partition in found] == ["KAFKA_DATA_LOSS", None]
            assert "partition 0 is stopped [KAFKA_DATA_LOSS]" in state.tool("lag").output


def test_lag_without_brokers_is_their_failure(idle, broker):
    broker.close()
    idle.state.configure(kafka={"connect_timeout": "1s"})
    idle.process.send_signal(signal.SIGHUP)
    idle.line("reloaded")
    outcome = idle.state.tool("lag")
    assert outcome.code == KAFKA_UNAVAILABLE and "[KAFKA_UNAVAILABLE]" in outcome.output


# -- who may ask, and how


def test_the_socket_is_for_the_owner_and_the_group_whatever_the_umask(state):
    old = os.umask(0o077)
    try:
        with Service(state):
            wait_for_run(state, 1)
            assert os.stat(socket_path(state)).st_mode & 0o777 == 0o660
    finally:
        os.umask(old)


@pytest.mark.skipif(os.geteuid() != 0, reason="SKIPPED: only root can ask as somebody else")
def test_another_user_may_ask_and_may_not_order(idle, scratch):
    state = idle.state
    for directory in (scratch, state.directory):
        directory.chmod(0o755)
    os.chmod(socket_path(state), 0o666)  # as a member of the group would find it
    program = f"""
import os, socket
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for command in ("pause", "run", "resume", "status"):
    client = socket.socket(socket.AF_UNIX)
    client.connect({socket_path(state)!r})
    client.sendall(b'{{"command":"' + command.encode() + b'"}}\\n')
    print(client.makefile().read().strip())
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                            check=True).stdout
    *refused, allowed = map(json.loads, output.splitlines())
    for answer in refused:
        assert answer["error"]["code"] == "CONTROL_FORBIDDEN"
        assert "65534" in answer["error"]["message"]
    assert allowed["status"]["paused"] is False
    assert [run["number"] for run in status(state)["runs"]] == [1]


def test_many_who_ask_silent_brokers_wait_for_one_answer(scratch):
    with HostileBroker(TOPIC, {0: [good(0)]}, silent=(METADATA,)) as broker:
        state = State(scratch, broker.bootstrap, kafka={"connect_timeout": "1s"},
                      schedule={"every": "1h", "run_at_start": False})
        with Service(state) as daemon:
            daemon.line("ready")
            began = time.monotonic()
            clients = [connect(state) for _ in range(12)]
            for client in clients:
                client.sendall(b'{"command":"lag"}\n')
            answers = [json.loads(read_all(client)) for client in clients]
            assert all(answer["error"]["code"] == "KAFKA_UNAVAILABLE" for answer in answers)
            assert time.monotonic() - began < 8
            for client in clients:
                client.close()


@pytest.mark.parametrize("garbage", [
    b"\n", b"{}\n", b"status\n", b'{"command":"halt"}\n', b'{"command":7}\n', b"[" * 4000 + b"\n",
    b'{"command":"status"}x\n', bytes(range(256)) + b"\n", b"\xff" * 100,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_garbage_gets_an_answer_that_helps(idle, garbage):
    with connect(idle.state) as client:
        client.sendall(garbage)
        client.shutdown(socket.SHUT_WR)
        answer = json.loads(read_all(client))
    assert answer["error"]["code"] == "CONTROL_REQUEST"
    assert "status, lag, run, pause, resume" in answer["error"]["remedy"]
    assert status(idle.state)["state"] == "idle"


def test_a_request_without_end_is_cut_off(idle):
    assert send(idle.state, b'{"command":"' + b"x" * 5000) == b""
    assert status(idle.state)["state"] == "idle"


def test_clients_that_say_nothing_are_in_nobodys_way_for_long(idle):
    state = idle.state
    began = time.monotonic()
    silent = [connect(state) for _ in range(10)]
    for _ in range(20):
        assert status(state)["state"] == "idle"
    assert time.monotonic() - began < AT_ONCE
    # More than it serves at once: the others are turned away, and all of them after five seconds.
    silent += [connect(state) for _ in range(30)]
    silent[0].sendall(b'{"comm')
    began = time.monotonic()
    assert all(read_all(client) == b"" for client in silent)
    assert time.monotonic() - began < 7
    assert status(state)["state"] == "idle"
    assert json.loads(state.tool("status", "--json").output)["service"]


def test_an_answer_is_there_while_the_run_is_stuck(stuck):
    found = wait_for(stuck.state, lambda found: found["silentMs"] < 5000, "the status")
    assert found["state"] == "running" and found["run"]["progress"]["query"] == "bronze"
    assert "run 1, bronze batch 0, getBatch: 0 of 20" in stuck.state.tool("status").output


# -- what may be in the way of the socket


def test_a_socket_left_behind_is_replaced(state, broker):
    state.configure(**RARELY)
    broker.produce(mixed(20))
    with pytest.raises(AssertionError), Service(state) as daemon:
        wait_for_run(state, 1)
        daemon.process.kill()
        daemon.process.wait()
    assert os.path.exists(socket_path(state))
    with Service(state):
        wait_for_run(state, 1)


@pytest.mark.parametrize("kind", ["file", "listener", "long"])
def test_what_else_is_in_the_way_stays_and_the_runs_go_on(state, broker, scratch, kind):
    path = scratch / "occupied"
    if kind == "long":
        directory = scratch / ("x" * 100)
        path = directory / "control"
        state.configure(storage={"state_directory": str(directory)})
    else:
        state.configure(control={"socket": str(path)})
    if kind == "file":
        path.write_text("precious")
    if kind == "listener":
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(path))
        other.listen()
    broker.produce(mixed(20))
    with Service(state) as daemon:
        line = daemon.line("[CONTROL_SOCKET]")
        assert str(path) in line and "control.socket" in line
        daemon.line("run 1 ok")
    if kind == "file":
        assert path.read_text() == "precious"
    if kind == "listener":
        assert path.is_socket()


def test_a_second_daemon_is_refused_and_the_first_is_still_reached(idle):
    second = idle.state.start()
    output, _ = second.communicate(timeout=10)
    assert second.returncode == LOCKED and f"pid {idle.process.pid}" in output
    assert status(idle.state)["pid"] == idle.process.pid


# -- reload


def test_a_reload_is_in_force_from_the_next_run_on(idle, broker):
    state = idle.state
    state.configure(schedule={"every": "2s"}, limits={"max_offsets_per_batch": 10},
                    log={"level": "notice"})
    broker.produce(mixed(45, seed=3, start=100))
    idle.process.send_signal(signal.SIGHUP)
    idle.line("reloaded", str(state.config))
    run = wait_for_run(state, 2)
    assert (run["good"] + run["dead"], run["batches"]) == (45, 5)
    wait_for_run(state, 3)
    behind = idle.said[idle.said.index("reloaded"):]
    assert "run 2 ok" in behind and "batch 1:" not in behind and "run 3 ok" not in behind


def test_a_reload_during_a_run_leaves_that_run_its_settings(stuck):
    state = stuck.state
    state.configure(limits={"max_offsets_per_batch": 5})
    stuck.process.send_signal(signal.SIGHUP)
    stuck.line("reloaded")
    stuck.release()
    assert wait_for_run(state, 1)["batches"] == 1
    stuck.broker.partitions[0].append(good(20))
    assert ask(state, "run")["run"] == 2
    assert wait_for_run(state, 2)["batches"] == 2


@pytest.mark.parametrize("change, words", [
    ({"kafka": {"topic": "another"}}, ["kafka.topic", "clickstream-events", "another"]),
    ({"storage": {"state_directory": "/tmp/elsewhere"}}, ["storage.state_directory", "elsewhere"]),
    ({"control": {"socket": "/tmp/elsewhere/control"}}, ["control.socket", "elsewhere"]),
    ({"silver": {"session_gap": "5min"}}, ["silver.session_gap", "silver rebuild"]),
    ({"schedule": {"evry": "5s"}}, ["evry", "did you mean"]),
], ids=["topic", "directory", "socket", "gap", "typo"])
def test_a_refused_reload_says_why_and_changes_nothing(idle, change, words):
    state = idle.state
    good_settings = json.loads(json.dumps(state.settings))
    config = state.config
    state.configure(schedule={"every": "1s"}, **{key: value for key, value in change.items()
                                                 if key != "schedule"})
    if "schedule" in change:
        state.configure(schedule=change["schedule"])
    idle.process.send_signal(signal.SIGHUP)
    idle.line("reload refused, old settings stay")
    wait_until(lambda: all(word in idle.said for word in words), f"{words} in {idle.said}")
    state.settings = good_settings
    found = status(state)
    assert found["refusedReloadMs"] and len(found["runs"]) == 1
    assert 3000_000 < found["nextRunMs"] - found["nowMs"]
    state.configure()
    assert state.config == config
    idle.process.send_signal(signal.SIGHUP)
    idle.line("reloaded")
    assert status(state)["refusedReloadMs"] is None


def test_a_reload_that_does_not_fit_the_tables_is_withdrawn(idle, broker):
    state = idle.state
    good_settings = state.config.read_text()

    def declare(kind):
        state.config.write_text(
            f'{good_settings}\n[[columns]]\nname = "campaign"\ntype = "{kind}"\n')
        idle.process.send_signal(signal.SIGHUP)

    declare("string")
    idle.line("reloaded")
    ask(state, "run")
    broker.produce(mixed(20))
    assert wait_for_run(state, 2)["outcome"] == "ok"
    broker.produce(mixed(20))
    ask(state, "run")
    assert wait_for_run(state, 3)["outcome"] == "ok"
    declare("long")
    line = idle.line("reload refused, old settings stay", "[COLUMN_TYPE_CHANGED]")
    assert "campaign as long" in line
    assert wait_for(state, lambda found: found["refusedReloadMs"], "the refusal")
    ask(state, "run")
    assert wait_for_run(state, 4)["outcome"] == "ok"


def test_a_corrected_setting_is_tried_at_once(scratch, broker):
    state = State(scratch, "127.0.0.1:9", kafka={"connect_timeout": "1s"},
                  schedule={"every": "1h", "max_backoff": "1h"})
    broker.produce(mixed(20))
    with Service(state) as daemon:
        wait_for(state, lambda found: found["consecutiveFailures"] >= 2, "failures")
        state.configure(kafka={"brokers": [broker.brokers]})
        daemon.process.send_signal(signal.SIGHUP)
        line = daemon.line("ok: 20 records")
        assert "runs before it failed" in line
        assert wait_for(state, lambda found: found["state"] == "idle", "rest")[
            "consecutiveFailures"] == 0


# -- the disk


def test_no_run_starts_on_a_full_disk_and_the_next_one_does(state, broker):
    state.configure(storage={"min_free": "1TiB"}, **RARELY)
    broker.produce(mixed(20))
    outcome = state.run_once(expect=74)
    assert "[LOW_DISK]" in outcome.output and str(state.directory) in outcome.output
    assert "1,099,511,627,776" in outcome.output and "no run was started" in outcome.output
    assert not state.checkpoint.exists()
    with Service(state) as daemon:
        daemon.line("run 1 failed [LOW_DISK]")
        state.configure(storage={"min_free": "1MiB"})
        daemon.process.send_signal(signal.SIGHUP)
        daemon.line("run 2 ok: 20 records")
    assert_invariants(state, broker.truth())


@pytest.fixture(scope="module")
def gate_library(tmp_path_factory):
    return compile_c("Acceptance/gate.c", tmp_path_factory.mktemp("library") / "gate.so",
                     "-shared", "-fPIC")


@pytest.fixture
def gate(scratch, gate_library):
    return Gate(scratch, gate_library)


def test_a_disk_that_hangs_stops_the_watchdog_and_nothing_else(state, broker, scratch, gate):
    state.configure(**RARELY)
    systemd = Notifications(scratch)
    with Service(state, environment={**systemd.environment(watchdog_seconds=2),
                                     **gate.environment}) as daemon:
        wait_for_run(state, 1)
        fed = systemd.count("WATCHDOG=1")
        wait_until(lambda: systemd.count("WATCHDOG=1") > fed + 2, "food while idle")
        gate.shut()
        broker.produce(mixed(30))
        assert ask(state, "run")["run"] == 2
        found = wait_for(state, lambda found: found["silentMs"] > 2000, "the hang")
        fed = systemd.count("WATCHDOG=1")
        found = wait_for(state, lambda found: found["silentMs"] > 5500, "a long hang")
        assert systemd.count("WATCHDOG=1") == fed, "the watchdog was fed during the hang"
        wait_until(lambda: "; no progress for " in systemd.status, systemd.status)
        assert systemd.status.startswith("run 2, bronze batch 0, "), systemd.status
        assert found["state"] == "running"
        assert "; no progress for " in state.tool("status").output
        gate.open()
        assert wait_for_run(state, 2)["outcome"] == "ok"
        wait_until(lambda: systemd.count("WATCHDOG=1") > fed, "food afterwards")
        wait_until(lambda: systemd.status.startswith("idle; run 2 ok"), "the idle text")
        assert daemon.process.poll() is None
    assert_invariants(state, broker.truth())


# -- systemd's protocol, and the end


def test_waiting_for_silent_brokers_is_no_hang(scratch):
    systemd = Notifications(scratch)
    with HostileBroker(TOPIC, {0: [good(0)]}, silent=(METADATA,)) as broker:
        state = State(scratch, broker.bootstrap, kafka={"connect_timeout": "1min"}, **RARELY)
        with Service(state, environment=systemd.environment(watchdog_seconds=2)):
            wait_for(state, lambda found: found["silentMs"] > 3000, "a long wait")
            fed = systemd.count("WATCHDOG=1")
            wait_until(lambda: systemd.count("WATCHDOG=1") > fed + 1, "food during the wait")


def test_systemd_hears_of_readiness_reload_and_stop_in_order(state, scratch):
    state.configure(**RARELY)
    systemd = Notifications(scratch)
    with Service(state, environment=systemd.environment()) as daemon:
        wait_for_run(state, 1)
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: systemd.count("READY=1") == 2, "the end of the reload")
        state.config.write_text("[kafka\n")
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: systemd.count("READY=1") == 3, "the end of the refusal")
        wait_until(lambda: "was refused" in systemd.status, "the refusal in the status")
    order = [line for line in systemd.received
             if line in ("READY=1", "RELOADING=1", "STOPPING=1")]
    assert order == ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    assert not any(line.startswith("WATCHDOG=1") for line in systemd.received[:1])


def test_damage_found_at_the_start_is_no_readiness(state, broker, scratch):
    broker.produce(mixed(20))
    state.run_once()
    (state.checkpoint / "commits" / "0").unlink()
    (state.checkpoint / "offsets" / "0").write_text("torn")
    systemd = Notifications(scratch)
    daemon = state.start(env={**os.environ, **systemd.environment()})
    output, _ = daemon.communicate(timeout=20)
    assert daemon.returncode == 65 and "CHECKPOINT_DAMAGED" in output
    assert systemd.count("READY=1") == 0


@pytest.mark.parametrize("phase", ["connect", "plan", "read"])
def test_a_stop_takes_less_than_five_seconds_while_a_broker_is_silent(scratch, phase):
    silent = {"connect": METADATA, "plan": LIST_OFFSETS, "read": FETCH}[phase]
    with HostileBroker(TOPIC, {0: [good(0), good(10)]}, silent=(silent,)) as broker:
        asked = []
        broker.before = asked.append
        state = State(scratch, broker.bootstrap, **RARELY)
        with Service(state) as daemon:
            wait_until(lambda: silent in asked, "the question")
            began = time.monotonic()
            daemon.process.terminate()
            assert daemon.process.wait(10) == CLEAN
            assert time.monotonic() - began < 5
        assert not os.path.exists(socket_path(state))
        port = broker.port
        broker.silent = ()
        broker.stop()
        broker.start(port)
        state.run_once()
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))


def test_a_stop_takes_less_than_five_seconds_while_the_disk_hangs(state, broker, gate):
    state.configure(**RARELY)
    with Service(state, environment=gate.environment) as daemon:
        wait_for_run(state, 1)
        gate.shut()
        broker.produce(mixed(250))
        ask(state, "run")
        wait_for(state, lambda found: found["silentMs"] > 500, "the hang")
        began = time.monotonic()
        daemon.process.terminate()
        assert daemon.process.wait(10) == CLEAN
        assert 2 < time.monotonic() - began < 5
        assert "stopped without waiting any longer: stopping; run 2" in daemon.said
    gate.open()
    state.run_once()
    assert_invariants(state, broker.truth())


def test_a_stop_at_any_moment_is_quick_and_exact(state, broker):
    state.configure(schedule={"every": "1s"}, limits={"max_offsets_per_batch": 100})
    for number in range(5):
        with Service(state) as daemon:
            broker.produce(mixed(400, seed=number, start=400 * number))
            daemon.line("ready")
            time.sleep(0.08 * number)
            began = time.monotonic()
            daemon.process.terminate()
            assert daemon.process.wait(10) == CLEAN
            assert time.monotonic() - began < 5
    state.run_once()
    assert_invariants(state, broker.truth())


def test_a_wrong_configuration_is_no_start(state):
    state.config.write_text("[kafka]\n")
    daemon = state.start()
    output, _ = daemon.communicate(timeout=10)
    assert daemon.returncode == BAD_CONFIGURATION and "kafka.brokers" in output


def test_a_run_ends_behind_its_batch_when_its_time_is_over(scratch):
    partitions = {0: [good(10 * number) for number in range(12)]}
    with HostileBroker(TOPIC, partitions) as broker:
        state = State(scratch, broker.bootstrap, schedule={"every": "1h", "run_timeout": "10s"},
                      limits={"max_offsets_per_batch": 10}, log={"level": "debug"},
                      silver={"enabled": False},
                      # One batch of the broker's in each answer.
                      kafka={"stall_timeout": "30s",
                             "librdkafka": {"fetch.message.max.bytes": 1000}})
        fetched = []

        def slow(api):
            if api == FETCH and len(fetched) < 8:
                fetched.append(api)
                time.sleep(1.6)

        broker.before = slow
        with Service(state) as daemon:
            run = wait_for_run(state, 1)
            assert run["outcome"] == "stopped" and 0 < run["good"] + run["dead"] < 120, run
            assert 10_000 < run["milliseconds"] < 20_000
            daemon.line("run 1 stopped: ")
            ask(state, "run")
            assert wait_for_run(state, 2)["outcome"] == "ok"
        assert_invariants(state, Truth.read(broker.bootstrap, TOPIC))


def test_a_run_with_slow_brokers_commits_a_batch_all_the_same(scratch):
    with HostileBroker(TOPIC, {0: [good(0), good(10)]}) as broker:
        state = State(scratch, broker.bootstrap, schedule={"every": "1h", "run_timeout": "10s"},
                      limits={"max_offsets_per_batch": 10})
        broker.before = lambda api: time.sleep(5.2 if api == LIST_OFFSETS else 0)
        with Service(state):
            run = wait_for_run(state, 1)
        # Its time was over before the first record came.
        assert run["outcome"] == "stopped" and run["batches"] == 1, run
