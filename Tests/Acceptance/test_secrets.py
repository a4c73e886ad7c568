"""Canaries: a password, a webhook's address, a key's password go where they must, nowhere else."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest
from broker import wait_until
from support import ROOT, State, binary, execute

PASSWORD, HOOK, KEY_PASSWORD = "canary-pass-51c0", "canary-hook-51c0", "canary-key-51c0"
CANARY = "canary-"

# What the program of [on_failure] sees of the daemon.
PROGRAM = """#!/bin/sh
{ cat; env; echo "$0 $*"; } > "$(dirname "$0")/told.new"
mv "$(dirname "$0")/told.new" "$(dirname "$0")/told"
"""


class Hook:
    """A web server that takes a request and keeps its first line."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.lines = []
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server.getsockname()[1]}/{HOOK}"

    def serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                self.lines.append(connection.recv(65536).decode().splitlines()[0])
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.server.close()


class CommandLines:
    """Every command line of the machine with a canary, looked for while the test runs."""

    def __init__(self):
        self.found = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.done.wait(0.002):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    text = path.read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if CANARY in text:
                    self.found.append(text)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def configured(scratch, brokers, hook, inline):
    """A state whose secrets are in the file, or in systemd's credentials."""
    program = scratch / "told.sh"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    credentials = scratch / "credentials"
    credentials.mkdir()
    for name, secret in (("kafka-password", PASSWORD), ("hook", hook.address)):
        (credentials / name).write_text(secret + "\n")
        (credentials / name).chmod(0o400)
    password = {"password": PASSWORD} if inline else {"password_credential": "kafka-password"}
    webhook = {"webhook": hook.address} if inline else {"webhook_credential": "hook"}
    state = State(scratch / "state-of-test", brokers)
    state.configure(
        kafka={"connect_timeout": "2s",
               "security": {"protocol": "sasl_plaintext", "mechanism": "PLAIN", "username": "u",
                            **password},
               "librdkafka": {"ssl.key.password": KEY_PASSWORD}},
        on_failure={"exec": [str(program), "argument"], **webhook},
        log={"level": "debug"}, schedule={"every": "2s", "max_backoff": "1s"})
    return state, {"CREDENTIALS_DIRECTORY": str(credentials)}


@pytest.mark.parametrize("inline", [True, False], ids=["file", "credentials"])
def test_secrets_are_shown_nowhere(scratch, broker, hook, inline):
    state, environment = configured(scratch, broker.brokers, hook, inline)
    told = scratch / "told"
    with CommandLines() as lines:
        daemon = state.start(env={**os.environ, **environment})
        try:
            wait_until(lambda: told.exists() and hook.lines, "both alerts")
            process = Path(f"/proc/{daemon.pid}")
            shown = [(process / name).read_bytes().decode() for name in ("cmdline", "environ")]
            for options in (("--check-config",), ("--dump-config",), ("--dump-config", "--json")):
                shown.append(execute(state.command(*options), environment=environment).output)
            for command in (("status",), ("status", "--json"), ("lag",), ("runs",),
                            ("checkpoint", "show", "--json"), ("verify",)):
                # The tool reads the same file; what it cannot do here it must refuse as quietly.
                shown.append(execute(tool(state, *command), environment=environment).output)
        finally:
            daemon.terminate()
            output, _ = daemon.communicate(timeout=30)
    assert "failed" in output, output
    for text in (output, told.read_text(), *shown):
        assert CANARY not in text, text
    (alert,) = [line for line in told.read_text().splitlines() if line.startswith("{")]
    assert json.loads(alert)["consecutiveFailures"] >= 1
    assert lines.found == []
    assert HOOK in hook.lines[0], "the secret was of use"
    assert '"***"' in shown[3] or "_credential = " in shown[3]
    for path in state.directory.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


def tool(state, *arguments):
    return [str(binary("shopmetricsctl")), "--config", str(state.config), *arguments]


def test_the_service_leaves_no_core_behind():
    unit = (ROOT / "deploy" / "shopmetricsd.service").read_text()
    assert "\nLimitCORE=0\n" in unit
