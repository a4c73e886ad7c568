"""Words for tests that run as root inside a throw-away systemd: units, journal, apt."""

import json
import re
from pathlib import Path

from broker import wait_until
from support import CLEAN, execute


def run(*command, expect=CLEAN, **options):
    """What a program said; its exit code has to be `expect` unless that is None."""
    outcome = execute([str(word) for word in command], **options)
    assert expect is None or outcome.code == expect, \
        f"{command} ended with {outcome.code}:\n{outcome.output}"
    return outcome.output


def show(name, unit):
    """One property of a unit."""
    return run("systemctl", "show", "-P", name, unit).strip()


def wait_for(state, unit):
    wait_until(lambda: show("ActiveState", unit) == state, f"{unit} {state}")


def drop_in(unit, name, text):
    """Writes a drop-in; without a text, removes it."""
    path = Path(f"/etc/systemd/system/{unit}.d/{name}")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text) if text else path.unlink()
    run("systemctl", "daemon-reload")


def journal(*matches):
    """The journal's entries with these fields, as dictionaries."""
    run("journalctl", "--sync")
    return [json.loads(line) for line in
            run("journalctl", "--no-pager", "--output=json", *matches).splitlines()
            if line.startswith("{")]


def messages_since(cursor, unit, code=None):
    """What the unit, and systemd about it, have written behind an entry; only lines of `code`."""
    # Not as a match: journalctl skips the first match when the cursor's own entry is none.
    return [entry["MESSAGE"] for entry in journal("-u", unit, f"--after-cursor={cursor}")
            if code in (None, entry.get("SHOPMETRICS_CODE"))]


def newest_entry():
    """A place in the journal for `messages_since`."""
    return journal("--lines=1")[0]["__CURSOR"]


def apt(*arguments):
    """apt-get as a person uses it who keeps the own configuration; what it said."""
    return run("apt-get", "--yes", "--no-install-recommends",
               "-o", "Dpkg::Options::=--force-confold", *arguments,
               environment={"DEBIAN_FRONTEND": "noninteractive"})


def status_of(pid):
    """The facts of /proc/PID/status."""
    return dict(re.findall(r"^(\w+):\t(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M))
