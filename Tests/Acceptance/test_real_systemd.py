"""The unit file as shipped, under a real systemd: readiness, status, journal fields, kill, stop."""

import json
import os
import subprocess

import pytest
from support import ROOT, binary

TESTBED = os.environ.get("SHOPMETRICS_TESTBED")
CANNOT = 77  # the testbed's own word for a machine that lacks something

pytestmark = pytest.mark.skipif(
    not TESTBED,
    reason="SKIPPED: SHOPMETRICS_TESTBED is not set, so there is no systemd to test with")

SCRIPT = r"""
set -eu
install "$DAEMON" /usr/sbin/shopmetricsd
install "$TOOL" /usr/bin/shopmetricsctl
cp "$ROOT/deploy/shopmetricsd.service" /etc/systemd/system/
cp "$ROOT/deploy/shopmetricsd.sysusers" /usr/lib/sysusers.d/shopmetrics.conf
systemd-sysusers 2>/dev/null
mkfifo /tmp/hold
"$BROKER" --port-file /tmp/address </tmp/hold >/dev/null & exec 9>/tmp/hold
until [ -s /tmp/address ]; do sleep 0.1; done
printf '[kafka]\nbrokers = ["%s"]\n[schedule]\nevery = "1s"\n' "$(cat /tmp/address)" \
  >/etc/shopmetrics.toml
chgrp shopmetrics /etc/shopmetrics.toml
chmod 640 /etc/shopmetrics.toml
systemctl daemon-reload
systemctl start shopmetricsd
echo "started=$(systemctl show -P ActiveState shopmetricsd)"
shopmetricsctl produce --brokers "$(cat /tmp/address)" --rate max --events 3000 --seed 1 >/dev/null
for _ in $(seq 100); do
  systemctl show -P StatusText shopmetricsd | grep -q 'nothing new' &&
    [ -e /var/lib/shopmetrics/checkpoints/clickstream_bronze/commits/0 ] && break
  sleep 0.1
done
echo "status=$(systemctl show -P StatusText shopmetricsd)"
journalctl -u shopmetricsd -o json SHOPMETRICS_BATCH=0 | sed 's/^/entry=/' | head -1
systemctl reload shopmetricsd
echo "reloaded=$(systemctl show -P ActiveState shopmetricsd)"
kill -9 "$(systemctl show -P MainPID shopmetricsd)"
for _ in $(seq 150); do
  [ "$(systemctl show -P NRestarts shopmetricsd)" = 1 ] &&
    [ "$(systemctl show -P ActiveState shopmetricsd)" = active ] && break
  sleep 0.1
done
echo "restarted=$(systemctl show -P ActiveState shopmetricsd)"
shopmetricsctl verify >/tmp/verify && echo "verify=$(tail -1 /tmp/verify)"
began=$(date +%s)
systemctl stop shopmetricsd
echo "stopped=$(systemctl show -P Result shopmetricsd) after $(($(date +%s) - began)) s"
"""


def test_the_service_under_systemd():
    outcome = subprocess.run(
        [f"{TESTBED}/with-systemd", "--net", "private", "--timeout", "120",
         "--", "bash", "-c", SCRIPT],
        capture_output=True, text=True, timeout=150,
        env={**os.environ, "ROOT": str(ROOT), "DAEMON": str(binary("shopmetricsd")),
             "TOOL": str(binary("shopmetricsctl")), "BROKER": str(binary("embedded-broker"))})
    if outcome.returncode == CANNOT:
        pytest.skip(f"SKIPPED: {outcome.stderr.strip()}")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    found = dict(line.split("=", 1) for line in outcome.stdout.splitlines() if "=" in line)
    assert found["started"] == found["reloaded"] == found["restarted"] == "active"
    assert found["status"].startswith("idle; run ")
    entry = json.loads(found["entry"])
    assert entry["SHOPMETRICS_TABLE"] == "clickstream_raw" and entry["PRIORITY"] == "6"
    assert "batch 0: " in entry["MESSAGE"]
    assert found["verify"].startswith("sound: ")
    result, _, seconds, _ = found["stopped"].split()
    assert result == "success" and int(seconds) < 5
