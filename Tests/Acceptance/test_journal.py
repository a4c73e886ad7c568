"""A real systemd's journal: one entry per event, explained, and nothing that a record forged."""

import json
import os
import re
import subprocess

import pytest
from support import ROOT, binary

TESTBED = os.environ.get("SHOPMETRICS_TESTBED")
CANNOT = 77  # the testbed's own word for a machine that lacks something

pytestmark = pytest.mark.skipif(
    not TESTBED,
    reason="SKIPPED: SHOPMETRICS_TESTBED is not set, so there is no systemd to test with")

CANARY = "forged-canary"

# What would change the journal if it got there as a line of text, as a field, or on a terminal.
HOSTILE = [text.encode() + CANARY.encode() for text in (
    '{"event_id":"', "\n<0>", "\nMESSAGE=", "\nPRIORITY=0\nMESSAGE=", '{"page":"\\n<0>',
    '{"event_ts":"\\u001b]0;', '{"event_ts":"\\n<0>emergency ', "\x00", "\x1b[2J", "\u2028<0>")]

SCRIPT = r"""
set -eu
install "$DAEMON" /usr/sbin/shopmetricsd
cp "$ROOT/deploy/shopmetricsd.service" /etc/systemd/system/
cp "$ROOT/deploy/shopmetricsd.sysusers" /usr/lib/sysusers.d/shopmetrics.conf
systemd-sysusers 2>/dev/null
"$DOCS" "$ROOT/deploy/man" /tmp/docs
cp /tmp/docs/shopmetrics.catalog /usr/lib/systemd/catalog/
journalctl --update-catalog
mkfifo /tmp/hold
"$BROKER" --port-file /tmp/address </tmp/hold >/dev/null & exec 9>/tmp/hold
until [ -s /tmp/address ]; do sleep 0.1; done
printf '[kafka]\nborkers = 1\n[schedule]\nevery = "5 minutes"\n' >/etc/shopmetrics.toml
chgrp shopmetrics /etc/shopmetrics.toml; chmod 640 /etc/shopmetrics.toml
systemctl daemon-reload
! systemctl start shopmetricsd 2>/dev/null
printf '[kafka]\nbrokers = ["%s"]\nconnect_timeout = "1s"\n[schedule]\nevery = "1s"\n' \
  "$(cat /tmp/address)" >/etc/shopmetrics.toml
"$PYTHON" -c '
import ast, os, confluent_kafka
producer = confluent_kafka.Producer({"bootstrap.servers": open("/tmp/address").read().strip()})
for text in ast.literal_eval(os.environ["HOSTILE"]):
    producer.produce("clickstream-events", text, text, headers=[("h", text)])
assert producer.flush(20) == 0'
systemctl start shopmetricsd
logged() { journalctl -u shopmetricsd -q "SHOPMETRICS_CODE=$1" | grep -q .; }
for _ in $(seq 200); do logged RUN_OK && break; sleep 0.1; done
printf nonsense >>/etc/shopmetrics.toml
kill -HUP "$(systemctl show -P MainPID shopmetricsd)"
for _ in $(seq 100); do logged RELOAD_REFUSED && break; sleep 0.1; done
exec 9>&-
for _ in $(seq 200); do logged KAFKA_UNAVAILABLE && break; sleep 0.1; done
systemctl stop shopmetricsd
journalctl --sync
journalctl -u shopmetricsd -o json _COMM=shopmetricsd >"$OUT/json"
journalctl -u shopmetricsd -x --no-pager _COMM=shopmetricsd >"$OUT/explained"
"""


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """What the service wrote in one boot: a bad configuration, hostile records, no broker."""
    out = tmp_path_factory.mktemp("journal")
    outcome = subprocess.run(
        [f"{TESTBED}/with-systemd", "--net", "private", "--timeout", "120", "--bind", str(out),
         "--", "bash", "-c", SCRIPT],
        capture_output=True, text=True, timeout=150,
        env={**os.environ, "ROOT": str(ROOT), "DAEMON": str(binary("shopmetricsd")),
             "DOCS": str(binary("shopmetrics-docs")), "BROKER": str(binary("embedded-broker")),
             "PYTHON": os.environ.get("SHOPMETRICS_PYTHON", "python3"), "OUT": str(out),
             "HOSTILE": repr(HOSTILE)})
    if outcome.returncode == CANNOT:
        pytest.skip(f"SKIPPED: {outcome.stderr.strip()}")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    entries = [json.loads(line) for line in (out / "json").read_text().splitlines()]
    return entries, (out / "explained").read_text()


def of(entries, code):
    return [entry for entry in entries if entry.get("SHOPMETRICS_CODE") == code]


def test_nothing_of_a_record_is_in_the_journal(journal):
    entries, _ = journal
    # journalctl shows a value that is not printable text as numbers.
    values = [bytes(value) if isinstance(value, list) else str(value).encode()
              for entry in entries for value in entry.values()]
    assert len(entries) > 5
    assert not [value for value in values if CANARY.encode() in value]
    messages = [entry["MESSAGE"] for entry in entries]
    assert all(re.fullmatch(r"[^\x00-\x1f\x7f]+", message) for message in messages)
    # Nor is anything of our own that had to be escaped, such as a line break.
    assert not [message for message in messages if "\\u{" in message]


def test_a_run_over_hostile_records_is_one_line(journal):
    entries, _ = journal
    runs = of(entries, "RUN_OK")
    assert len(runs) == 1 and runs[0]["PRIORITY"] == "5"
    assert f"{len(HOSTILE)} records in 1 batch, {len(HOSTILE)} dead" in runs[0]["MESSAGE"]
    assert {entry["PRIORITY"] for entry in entries} <= {"3", "4", "5", "6"}


def test_each_error_of_the_configuration_is_one_entry(journal):
    entries, _ = journal
    errors = of(entries, "CONFIGURATION_INVALID")
    assert {entry["PRIORITY"] for entry in errors} == {"3"}
    texts = [entry["MESSAGE"] for entry in errors]
    assert sum("/etc/shopmetrics.toml:2:1: error: kafka.borkers" in text for text in texts) == 1
    assert sum("/etc/shopmetrics.toml:4:9: error: schedule.every" in text for text in texts) == 1
    refused = of(entries, "RELOAD_REFUSED")
    assert refused and "/etc/shopmetrics.toml:6:" in " ".join(entry["MESSAGE"] for entry in refused)


def test_broker_trouble_is_one_error_per_run(journal):
    entries, _ = journal
    failures = of(entries, "KAFKA_UNAVAILABLE")
    assert failures and all(entry["PRIORITY"] == "3" for entry in failures)
    runs = [entry["SHOPMETRICS_RUN"] for entry in failures]
    assert len(set(runs)) == len(runs)


def test_journalctl_explains_every_line_with_a_code(journal):
    entries, explained = journal
    coded = {entry["SHOPMETRICS_CODE"]: entry for entry in entries if "SHOPMETRICS_CODE" in entry}
    assert {"STARTING", "READY", "RUN_OK", "STOPPED", "CONFIGURATION_INVALID"} <= set(coded)
    for code, entry in coded.items():
        assert re.fullmatch("[0-9a-f]{32}", entry["MESSAGE_ID"]), code
        assert re.search(rf"Subject: .*\[{code}\]$", explained, re.M), code
    assert explained.count("What to do: ") >= len([e for e in entries if "MESSAGE_ID" in e])
