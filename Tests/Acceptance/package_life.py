"""The life of the Debian package, from its installation to its purge; see test_package.py.

Runs as root inside a throw-away systemd. The tests go in the order of the file, and each takes up
what the one before has left: the same service, broker and tables.
"""

import os
import pwd
import random
import re
import shutil
import signal
import stat
import subprocess
import time
from importlib.resources import files
from pathlib import Path

import duckdb
import polars
import pytest
from broker import EmbeddedBroker, Truth, wait_until
from guest import (
    apt, drop_in, journal, messages_since, newest_entry, run, show, status_of, wait_for)
from invariants import assert_invariants
from real_kafka import RealKafka
from support import BAD_CONFIGURATION, CLEAN, ROOT, State, binary

PACKAGES = Path(os.environ["SHOPMETRICS_PACKAGES"])  # this.deb, and next.deb to upgrade to
SERVICE, RUN, TIMER = "shopmetricsd.service", "shopmetricsd-run.service", "shopmetricsd-run.timer"
STATE, CONFIGURATION = Path("/var/lib/shopmetrics"), Path("/etc/shopmetrics.toml")
EXAMPLES = Path("/usr/share/doc/shopmetricsd/examples")
KILLS = 10


class Shop:
    """The installed service's configuration and tables, and a broker for it."""

    def __init__(self):
        self.broker = EmbeddedBroker(binary("embedded-broker"))
        self.state = State(
            CONFIGURATION.parent, self.broker.brokers,
            directory=STATE, schedule={"every": "1s"},
            limits={"max_offsets_per_batch": 250})

    def load(self, events, rate="max"):
        return subprocess.Popen(
            ["shopmetricsctl", "produce", "--brokers", self.broker.brokers, "--rate", str(rate),
             "--events", str(events)], stdout=subprocess.DEVNULL)

    def ingest(self, events):
        assert self.load(events).wait() == CLEAN
        self.catch_up()

    def has(self, truth):
        batches = self.state.batches("commits")
        return batches and self.state.logged_offsets(batches[-1])[1] == truth.ends

    def catch_up(self):
        """Waits until the service has all that is in the topic, and gives that back."""
        truth = self.broker.truth()
        wait_until(lambda: self.has(truth), "everything in Bronze", 60)
        return truth

    def stop_and_check(self):
        """Stops the service behind all that there is; every invariant has to hold."""
        truth = self.catch_up()
        run("systemctl", "stop", SERVICE)
        assert show("Result", SERVICE) == "success"
        assert_invariants(self.state, truth)
        assert run("shopmetricsctl", "verify", "--deep").splitlines()[-1].startswith("sound: ")


@pytest.fixture(scope="module")
def shop():
    shop = Shop()
    yield shop
    shop.broker.close()


@pytest.fixture(scope="module")
def disk():
    """An ext4 of its own for the state directory, which can be frozen; else why not."""
    for number in range(8):
        run("mknod", f"/dev/loop{number}", "b", 7, number, expect=None)
    run("mknod", "/dev/loop-control", "c", 10, 237, expect=None)
    image = Path("/var/shop.img")
    image.touch()
    os.truncate(image, 512 << 20)
    said = run("mkfs.ext4", "-q", "-m", 0, image, expect=None)
    said += run("mount", "-o", "loop", image, STATE, expect=None)
    if not os.path.ismount(STATE):
        yield said.strip()
        return
    (STATE / "lost+found").rmdir()
    run("systemd-tmpfiles", "--create", "shopmetrics.conf")
    yield None
    run("umount", STATE)


def test_make_install_gives_the_service_what_it_needs_and_uninstall_takes_it_back():
    make = ["make", "-C", ROOT, f"RELEASE={binary('shopmetricsd').parent}"]
    run(*make, "install")
    assert (CONFIGURATION.group(), STATE.owner()) == ("shopmetrics", "shopmetrics")
    run("systemctl", "start", SERVICE)
    assert os.readlink(f"/proc/{show('MainPID', SERVICE)}/exe") == "/usr/local/sbin/shopmetricsd"
    run(*make, "uninstall")
    assert (show("LoadState", SERVICE), show("ActiveState", SERVICE)) == ("not-found", "inactive")
    CONFIGURATION.unlink()
    shutil.rmtree(STATE)


def test_an_installation_starts_and_enables_nothing():
    apt("install", PACKAGES / "this.deb")
    for unit in (SERVICE, TIMER):
        assert run("systemctl", "is-enabled", unit, expect=1).strip() == "disabled"
        assert show("ActiveState", unit) == "inactive"
    for path, owner, mode in [(CONFIGURATION, "root", 0o640), (STATE, "shopmetrics", 0o750)]:
        assert (path.owner(), path.group(), stat.S_IMODE(path.stat().st_mode)) == \
            (owner, "shopmetrics", mode)
    assert str(CONFIGURATION) in run("dpkg-query", "-W", "-f", "${Conffiles}", "shopmetricsd")


def test_program_and_package_have_the_same_version():
    package = run("dpkg-query", "-W", "-f", "${source:Upstream-Version}", "shopmetricsd")
    assert run("shopmetricsd", "--version").split()[1] == package


def test_systemd_finds_no_fault_with_the_units_and_their_manuals_are_there():
    assert run("systemd-analyze", "verify", "--man=no", SERVICE, RUN, TIMER) == ""
    named = {page for unit in (SERVICE, RUN, TIMER)
             for page in re.findall(r"man:(shop.*?)\((\d)\)", show("Documentation", unit))}
    assert named == {("shopmetricsd", "8"), ("shopmetrics.toml", "5")}
    for name, section in named:
        assert Path(f"/usr/share/man/man{section}/{name}.{section}.gz").exists(), name


def test_the_shipped_configuration_is_good_and_a_broken_one_is_refused():
    check = ["runuser", "-u", "shopmetrics", "--", "shopmetricsd", "--check-config"]
    run(*check)
    shipped = CONFIGURATION.read_text()
    CONFIGURATION.write_text(shipped.replace("[schedule]", "[shedule]"))
    said = run(*check, expect=BAD_CONFIGURATION)
    assert f"{CONFIGURATION}:" in said and '"schedule"' in said
    run("systemctl", "start", SERVICE, expect=1)
    CONFIGURATION.write_text(shipped)
    assert show("ExecMainStatus", SERVICE) == str(BAD_CONFIGURATION)
    assert (show("ActiveState", SERVICE), show("NRestarts", SERVICE)) == ("failed", "0")


def test_the_journal_says_why_it_did_not_start_and_explains_it():
    ours = ["-u", SERVICE, "SHOPMETRICS_CODE=CONFIGURATION_INVALID"]
    (entry,) = journal("-p", "err", *ours)
    assert '"schedule"' in entry["MESSAGE"]
    assert "systemctl start shopmetricsd" in run("journalctl", "--no-pager", "-x", *ours)


def test_the_service_is_ready_and_takes_what_comes(disk, shop):
    run("systemctl", "start", SERVICE)
    assert (show("ActiveState", SERVICE), show("SubState", SERVICE)) == ("active", "running")
    shop.ingest(2000)
    wait_until(lambda: re.match(r"idle; run .*; next \d\d:\d\d:\d\d", show("StatusText", SERVICE)),
               "a status text with the next run")


def test_the_journal_finds_lines_by_field():
    (batch,) = journal("-u", SERVICE, "SHOPMETRICS_TABLE=clickstream_raw", "SHOPMETRICS_BATCH=0")
    assert (batch["PRIORITY"], batch["_SYSTEMD_UNIT"]) == ("6", SERVICE)
    assert pwd.getpwuid(int(batch["_UID"])).pw_name == "shopmetrics"


def test_a_reload_takes_good_settings_over_and_keeps_the_old_ones_otherwise(shop):
    pid, before = show("MainPID", SERVICE), newest_entry()

    shop.state.configure(schedule={"every": "2s"})
    run("systemctl", "reload", SERVICE)
    wait_until(lambda: messages_since(before, SERVICE, "RELOADED"), "the reload's line")
    shop.state.configure(schedule={"every": "never"})
    run("systemctl", "reload", SERVICE, expect=1)
    assert any("schedule.every" in text for text in messages_since(before, SERVICE))
    # The unit checks the file before the signal; without that, the service has to.
    os.kill(int(pid), signal.SIGHUP)
    wait_until(lambda: messages_since(before, SERVICE, "RELOAD_REFUSED"), "the refusal's line")
    wait_for("active", SERVICE)
    shop.state.configure(schedule={"every": "1s"})
    run("systemctl", "reload", SERVICE)
    wait_for("active", SERVICE)
    assert show("MainPID", SERVICE) == pid


def test_the_sandbox_is_in_force_and_leaves_an_exposure_of_1_1_at_most():
    for unit in (SERVICE, RUN):
        run("systemd-analyze", "security", "--threshold=11", unit)
    facts = status_of(show("MainPID", SERVICE))
    assert int(facts["CapBnd"], 16) == int(facts["CapPrm"], 16) == 0
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")
    assert pwd.getpwuid(int(facts["Uid"].split()[0])).pw_name == "shopmetrics"


def test_operators_reach_the_service_in_its_sandbox():
    run("shopmetricsctl", "pause")
    wait_until(lambda: show("StatusText", SERVICE).startswith("paused"), "a pause")
    assert "paused" in run("shopmetricsctl", "status")
    run("shopmetricsctl", "resume")
    wait_until(lambda: show("StatusText", SERVICE).startswith("idle"), "the next run")


def test_a_stop_in_the_middle_of_a_run_takes_less_than_five_seconds(shop):
    run("systemctl", "stop", SERVICE)
    assert shop.load(8000).wait() == CLEAN
    batches = len(shop.state.batches("commits"))
    run("systemctl", "start", SERVICE)
    wait_until(lambda: len(shop.state.batches("commits")) > batches + 1, "a run under way")
    began = time.monotonic()
    run("systemctl", "stop", SERVICE)
    assert time.monotonic() - began < 5
    assert show("Result", SERVICE) == "success"
    assert not shop.has(shop.broker.truth()), "the run was over before the stop"
    run("systemctl", "start", SERVICE)
    shop.catch_up()


def test_kills_under_load_leave_every_record_once(shop):
    drop_in(SERVICE, "test.conf",
            "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=50ms\n")
    run("systemctl", "restart", SERVICE)
    load = shop.load(1_000_000, rate=500)
    chance = random.Random(int(os.environ.get("SHOPMETRICS_SEED", "1")))
    for kill in range(1, KILLS + 1):
        time.sleep(chance.uniform(0, 0.6))
        run("systemctl", "kill", "--signal=KILL", SERVICE)
        wait_until(lambda: show("NRestarts", SERVICE) == str(kill) and
                   show("ActiveState", SERVICE) == "active", f"start {kill}")
    load.terminate()
    load.wait()
    shop.stop_and_check()


def test_a_run_that_hangs_is_ended_by_the_watchdog_and_nothing_is_lost(disk, shop):
    if disk:
        pytest.skip(f"SKIPPED: there is no file system here to freeze: {disk}")
    drop_in(SERVICE, "test.conf",
            "[Unit]\nStartLimitIntervalSec=0\n"
            "[Service]\nWatchdogSec=3s\nTimeoutStopSec=1s\nRestartSec=100ms\n")
    run("systemctl", "start", SERVICE)
    first, before = show("MainPID", SERVICE), newest_entry()
    load = shop.load(1_000_000, rate=500)
    run("fsfreeze", "--freeze", STATE)
    try:
        # The process that hangs cannot die. systemd gives it up and starts another one beside
        # it, which must not touch what the first one may still write.
        wait_until(lambda: show("MainPID", SERVICE) not in ("0", first), "a second process")
        assert status_of(first)["State"].startswith("D")
    finally:
        run("fsfreeze", "--unfreeze", STATE)
        load.terminate()
        load.wait()
    shop.stop_and_check()
    assert any("Watchdog timeout" in text for text in messages_since(before, SERVICE))
    drop_in(SERVICE, "test.conf", None)


def test_the_queries_of_the_examples_find_the_tables():
    parts = (EXAMPLES / "queries.sql").read_text().split("-- ## ")[1:]
    queries = {part.split()[0]: re.sub("--.*", "", part.split("\n", 1)[1]) for part in parts}
    database = duckdb.connect()
    extension = next(files("duckdb_extension_delta").rglob("delta.duckdb_extension"))
    database.execute(f"LOAD '{extension}'")
    for query in filter(str.strip, queries["DuckDB"].split(";")):
        assert len(database.sql(query).pl()) > 0, query
    sessions = polars.scan_delta(str(STATE / "silver/clickstream_sessions"))
    with polars.SQLContext(sessions=sessions) as context:
        query = queries["Polars"].split(";")[0]
        assert context.execute(query).collect().columns == ["session_date", "sessions", "seconds"]


def test_the_drop_ins_of_the_examples_give_a_password_another_disk_and_more_memory(shop):
    kafka = RealKafka(secure=True)
    if not kafka.can_run:
        pytest.skip("SKIPPED: no real Kafka can run here")
    try:
        Path("/etc/shopmetrics").mkdir()
        authority = shutil.copy(kafka.facts["KAFKA_CA"], "/etc/shopmetrics")
        Path("/etc/credstore.encrypted").mkdir(exist_ok=True)
        subprocess.run(["systemd-creds", "encrypt", "--name=kafka-password", "-",
                        "/etc/credstore.encrypted/kafka-password"],
                       input=kafka.facts["KAFKA_PASSWORD"].encode(), check=True)
        run("install", "-d", "-o", "shopmetrics", "-g", "shopmetrics", "-m", "0750",
            "/srv/shopmetrics")
        for example in EXAMPLES.glob("*.conf"):
            drop_in(SERVICE, example.name, example.read_text())
        state = State(
            CONFIGURATION.parent, kafka.facts["KAFKA_SASL_SSL_BOOTSTRAP"],
            directory=Path("/srv/shopmetrics"), schedule={"every": "1s"})
        state.configure(kafka={"security": {
            "protocol": "sasl_ssl", "mechanism": "PLAIN", "ca_file": authority,
            "username": kafka.facts["KAFKA_USER"], "password_credential": "kafka-password"}})
        run("shopmetricsctl", "produce", "--brokers", kafka.brokers, "--rate", "max",
            "--events", 1000)
        run("systemctl", "start", SERVICE)
        wait_until(lambda: state.batches("commits"), "a batch of the brokers that want a password")
        assert show("MemoryMax", SERVICE) == str(2 << 30)
        run("systemctl", "stop", SERVICE)
        assert_invariants(state, Truth.read(kafka.brokers))
    finally:
        kafka.close()
        for example in EXAMPLES.glob("*.conf"):
            drop_in(SERVICE, example.name, None)
        shop.state.configure()


def test_timer_and_service_take_turns(shop):
    run("systemctl", "start", SERVICE)
    drop_in(TIMER, "test.conf", "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\n")
    run("systemctl", "start", TIMER)
    wait_for("inactive", SERVICE)
    assert show("Result", SERVICE) == "success"
    shop.ingest(1000)
    wait_until(lambda: show("Result", RUN) == "success", "a run that went well")
    run("systemctl", "start", SERVICE)
    assert (show("ActiveState", SERVICE), show("ActiveState", TIMER)) == ("active", "inactive")
    shop.ingest(1000)
    drop_in(TIMER, "test.conf", None)


def test_an_upgrade_restarts_once_and_keeps_what_was_decided(shop):
    run("systemctl", "enable", SERVICE)
    mine, pid, before = CONFIGURATION.read_text(), show("MainPID", SERVICE), newest_entry()
    load = shop.load(1_000_000, rate=1000)
    apt("install", PACKAGES / "next.deb")
    load.terminate()
    load.wait()
    assert show("ActiveState", SERVICE) == "active" and show("MainPID", SERVICE) != pid
    assert len(messages_since(before, SERVICE, "STARTING")) == 1
    assert CONFIGURATION.read_text() == mine and CONFIGURATION.group() == "shopmetrics"
    assert Path(f"{CONFIGURATION}.dpkg-dist").exists()
    assert run("systemctl", "is-enabled", SERVICE).strip() == "enabled"
    assert show("ActiveState", TIMER) == "inactive"
    shop.stop_and_check()
    apt("install", "--reinstall", PACKAGES / "next.deb")
    assert show("ActiveState", SERVICE) == "inactive"


def test_a_removal_stops_the_service_and_keeps_configuration_and_tables(shop):
    run("systemctl", "start", SERVICE)
    pid, before = show("MainPID", SERVICE), newest_entry()
    apt("remove", "shopmetricsd")
    assert len(messages_since(before, SERVICE, "STOPPED")) == 1
    assert not Path(f"/proc/{pid}").exists() and not Path("/usr/sbin/shopmetricsd").exists()
    assert CONFIGURATION.exists() and shop.state.batches("commits")


def test_a_purge_keeps_the_tables_and_a_new_installation_goes_on_with_them(shop):
    mine, tables = CONFIGURATION.read_text(), shop.state.tree()
    assert f"kept {STATE} with its tables" in apt("purge", "shopmetricsd")
    wanted = Path("/etc/systemd/system/multi-user.target.wants") / SERVICE
    assert not CONFIGURATION.exists() and not wanted.is_symlink()
    assert shop.state.tree() == tables
    apt("install", PACKAGES / "this.deb")
    CONFIGURATION.write_text(mine)
    run("systemctl", "start", SERVICE)
    shop.ingest(1000)
    shop.stop_and_check()
