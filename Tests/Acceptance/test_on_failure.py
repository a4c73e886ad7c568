"""Who is told when runs fail: the program and the webhook of [on_failure], and how often."""

import json
import os
import signal
import socket
import stat
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from broker import TOPIC, wait_until
from control import wait_for
from events import encode, event
from hostile_broker import FETCH, HostileBroker
from hostile_cases import good
from service import Service
from support import CLEAN, DAMAGED_STATE, State

SECRET_PATH = "/hook/canary-7f3a91"


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; answers as the test says."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.pause.wait(30)
        self.server.posts.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def receiver():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.posts, server.answers, server.pause = [], [], threading.Event()
    server.pause.set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.pause.set()
        server.shutdown()


@contextmanager
def service(state):
    daemon = state.start()
    try:
        yield daemon
    finally:
        if daemon.poll() is None:
            daemon.terminate()
        daemon.output, _ = daemon.communicate(timeout=30)


def hook(directory, body):
    path = directory / "hook"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def failing_state(scratch, **on_failure):
    """A daemon that cannot reach its brokers, and tries again at once."""
    return State(
        scratch, f"127.0.0.1:{closed_port()}", kafka={"connect_timeout": "1s"},
        schedule={"every": "1s", "max_backoff": "1s"}, on_failure=on_failure)


def test_a_program_gets_the_alert_once_and_with_clean_hands(scratch):
    log = scratch / "alerts"
    program = hook(
        scratch, f'{{ env; ls -l /proc/self/fd; cat; echo "[$1]"; echo ==; }} >> {log}')
    state = failing_state(scratch, exec=[program, "two words"], after=2)
    os.environ["SHOPMETRICS_CANARY"] = "not for hooks"
    try:
        with service(state) as daemon:
            wait_until(lambda: log.exists() and log.read_text().endswith("==\n"), "the alert")
            time.sleep(3)
            assert daemon.poll() is None
    finally:
        del os.environ["SHOPMETRICS_CANARY"]
    assert daemon.returncode == CLEAN
    text = log.read_text()
    assert text.count("==") == 1, text
    assert "SHOPMETRICS_EVENT=failing\n" in text
    assert "SHOPMETRICS_CODE=KAFKA_UNAVAILABLE\n" in text
    assert "[two words]" in text
    assert "canary" not in text.lower() and "NOTIFY_SOCKET" not in text
    document = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    assert document["consecutiveFailures"] == 2 and document["lastSuccessMs"] is None
    descriptors = [line for line in text.splitlines() if " -> " in line]
    # Standard input, the file, standard error, and the directory that ls reads.
    assert len(descriptors) == 4, descriptors


def test_a_webhook_gets_failing_and_recovered(scratch, broker):
    broker.produce([(0, b"k", encode(event(1)), 0, None)])
    with receiver() as server:
        address = f"http://127.0.0.1:{server.server_port}{SECRET_PATH}"
        state = State(
            scratch, f"127.0.0.1:{closed_port()}", kafka={"connect_timeout": "1s"},
            schedule={"every": "1s", "max_backoff": "1s"}, on_failure={"webhook": address})
        with service(state) as daemon:
            wait_until(lambda: len(server.posts) == 1, "the alert")
            state.configure(kafka={"brokers": [broker.brokers]})
            daemon.send_signal(signal.SIGHUP)
            wait_until(lambda: len(server.posts) == 2, "the end of it")
        path, kind, document = server.posts[0]
        assert (path, kind) == (SECRET_PATH, "application/json")
        assert document["event"] == "failing" and document["code"] == "KAFKA_UNAVAILABLE"
        assert document["text"].startswith("shopmetricsd on ")
        assert server.posts[1][2]["event"] == "recovered"
        assert server.posts[1][2]["consecutiveFailures"] == 0
    assert "canary" not in daemon.output, daemon.output


def test_an_address_is_no_pattern(scratch):
    with receiver() as server:
        path = f"{SECRET_PATH}-{{a,b}}-[x"
        address = f"http://127.0.0.1:{server.server_port}{path}"
        with service(failing_state(scratch, webhook=address)) as daemon:
            wait_until(lambda: server.posts, "the alert")
        assert [post[0] for post in server.posts] == [path]
        assert "canary" not in daemon.output


def test_the_address_is_in_no_command_line(scratch):
    with receiver() as server:
        server.pause.clear()
        address = f"http://127.0.0.1:{server.server_port}{SECRET_PATH}"
        with service(failing_state(scratch, webhook=address)) as daemon:
            def curls():
                return [line for line in command_lines() if line.startswith(b"curl\0")]
            seen = wait_until(curls, "curl")
            assert all(b"canary" not in line for line in command_lines()), seen
            server.pause.set()
            wait_until(lambda: server.posts, "the alert")
        assert daemon.returncode == CLEAN


def command_lines():
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"{entry.path}/cmdline", "rb") as file:
                    line = file.read()
                with open(f"{entry.path}/environ", "rb") as file:
                    yield line + file.read()
            except OSError:
                pass


def test_what_is_not_printable_is_escaped_and_the_document_stays_json(scratch):
    log = scratch / "alerts"
    state = State(
        scratch, "127.0.0.1:9", directory=scratch / "zero\u200bwidth",
        storage={"min_free": "1TiB"}, on_failure={"exec": [hook(scratch, f"cat >> {log}")]})
    with service(state):
        wait_until(lambda: log.exists() and log.read_text().endswith("\n"), "the alert")
    document = json.loads(log.read_text())
    assert document["code"] == "LOW_DISK" and "/zero\\u{200b}width " in document["text"]


def test_a_webhook_that_refuses_is_tried_again_and_then_named(scratch):
    with receiver() as server:
        server.answers = [503]
        address = f"http://127.0.0.1:{server.server_port}{SECRET_PATH}"
        with service(failing_state(scratch, webhook=address)):
            wait_until(lambda: len(server.posts) == 2, "the second try")
        server.answers = [404]
        server.posts.clear()
        with service(failing_state(scratch, webhook=address)) as daemon:
            wait_until(lambda: server.posts, "the try")
            time.sleep(1)
        assert "did not take the alert" in daemon.output and "404" in daemon.output
        assert "canary" not in daemon.output


@pytest.mark.parametrize("body, words", [
    ("echo broken pager >&2; exit 3", "exit status 3: broken pager"),
    ("kill -SEGV $$", "killed by signal 11"),
])
def test_a_program_that_fails_is_named(scratch, body, words):
    program = hook(scratch, body)
    with service(failing_state(scratch, exec=[program])) as daemon:
        line = next(line for line in daemon.stdout if "did not take the alert" in line)
    assert words in line and program in line


def test_a_stop_for_damage_is_told_before_the_end(scratch, broker, state):
    broker.produce([(0, b"k", encode(event(1)), 0, None)])
    state.run_once()
    log = scratch / "alerts"
    state.configure(
        schedule={"every": "1s"},
        on_failure={"exec": [hook(scratch, f"sleep 1; echo $SHOPMETRICS_EVENT >> {log}")]})
    with service(state) as daemon:
        wait_until(lambda: state.directory.joinpath("lock").exists(), "the start")
        (state.bronze / "_delta_log" / "00000000000000000001.json").write_text("{ torn")
        broker.produce([(0, b"k", encode(event(2)), 0, None)])
        wait_until(lambda: daemon.poll() is not None, "the end")
    assert daemon.returncode == DAMAGED_STATE
    assert log.read_text() == "stopped\n"


def test_a_stop_in_the_next_run_is_no_recovery(scratch):
    log = scratch / "alerts"
    with HostileBroker(TOPIC, {0: [good(0)]}, silent=(FETCH,)) as broker:
        state = State(
            scratch, broker.bootstrap, kafka={"stall_timeout": "2s"},
            schedule={"every": "1s", "max_backoff": "1s"},
            on_failure={"exec": [hook(scratch, f"echo $SHOPMETRICS_EVENT >> {log}")]})
        with Service(state) as daemon:
            wait_until(lambda: log.exists() and log.read_text(), "the alert")
            wait_for(state, lambda found: found["run"] and found["run"]["number"] > 1
                     and (found["run"]["progress"] or {}).get("phase") == "getBatch",
                     "the next try")
        assert "stopped: nothing new" in daemon.said
        assert "before it failed" not in daemon.said and "alert recovered" not in daemon.said
        assert log.read_text() == "failing\n"


def test_that_nothing_succeeds_is_told(scratch):
    log = scratch / "alerts"
    state = failing_state(
        scratch, exec=[hook(scratch, f"echo $SHOPMETRICS_EVENT >> {log}")], after=1000,
        no_success_for="2s")
    with service(state):
        wait_until(lambda: log.exists() and log.read_text(), "the alert")
    assert log.read_text() == "no_success\n"
