"""The control socket and the notifications of a running daemon, as other programs see them."""

import json
import os
import socket
import threading

from broker import PATIENCE, wait_until


def socket_path(state):
    return state.settings.get("control", {}).get("socket", str(state.directory / "control"))


def connect(state):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    client.connect(socket_path(state))
    return client


def read_all(client):
    data = b""
    try:
        while part := client.recv(65536):
            data += part
    except ConnectionResetError:
        pass  # it left without reading all that was sent
    return data


def send(state, data):
    """What the daemon answers to raw bytes; empty when it just ends the connection."""
    with connect(state) as client:
        client.sendall(data)
        return read_all(client)


def ask(state, command):
    return json.loads(send(state, json.dumps({"command": command}).encode() + b"\n"))


def status(state):
    """The daemon's own account of itself; None while nobody listens."""
    try:
        return ask(state, "status")["status"]
    except (FileNotFoundError, ConnectionRefusedError):
        return None


def wait_for(state, condition, what, seconds=PATIENCE):
    """Waits until the daemon's status is such, and returns it."""
    def look():
        found = status(state)
        return found if found and condition(found) else None
    return wait_until(look, what, seconds)


def wait_for_run(state, number):
    """The record of the run, when it is over."""
    found = wait_for(state, lambda found: any(run["number"] == number for run in found["runs"]),
                     f"the end of run {number}")
    return next(run for run in found["runs"] if run["number"] == number)


class Notifications:
    """The end of $NOTIFY_SOCKET that systemd has: keeps every assignment that arrives."""

    def __init__(self, directory):
        self.path = directory / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.received = []
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        while message := self.socket.recv(65536):
            self.received += message.decode().splitlines()

    def environment(self, watchdog_seconds=None):
        watchdog = {} if watchdog_seconds is None else {
            "WATCHDOG_USEC": str(int(watchdog_seconds * 1_000_000))}
        return {"NOTIFY_SOCKET": str(self.path), **watchdog}

    def count(self, assignment):
        return self.received.count(assignment)

    @property
    def status(self):
        texts = [line for line in self.received if line.startswith("STATUS=")]
        return texts[-1].removeprefix("STATUS=") if texts else ""


class Gate:
    """Lets every sync of a file wait while it is shut, as a disk does that hangs."""

    def __init__(self, directory, library):
        self.path = directory / "gate"
        self.environment = {"LD_PRELOAD": str(library), "GATE_FILE": str(self.path)}

    def shut(self):
        self.path.touch()

    def open(self):
        os.unlink(self.path)
