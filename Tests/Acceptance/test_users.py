"""Who may look and who may change: root, the service's user, and members of its group."""

import os
import shutil
import subprocess

import pytest
from events import mixed
from support import BAD_CONFIGURATION, CLEAN, IO_ERROR, binary, execute

SERVICE, GROUP, MEMBER = 64_001, 64_002, 64_003

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="SKIPPED: only root can act for other users")


@pytest.fixture
def owned(state, broker):
    """A state that belongs to the service's user, with rows, and a login by a credential."""
    broker.produce(mixed(60))
    state.run_once()
    state.root.chmod(0o755)
    # Other users may not get to where the programs were built.
    for name in "shopmetricsd", "shopmetricsctl":
        shutil.copy(binary(name), state.root)
    state.directory.chmod(0o750)
    for path in [state.config, state.directory, *state.directory.rglob("*")]:
        os.chown(path, SERVICE, GROUP)
    os.chown(state.config, 0, GROUP)
    return state


def tool_of(user, state, *arguments):
    ended = subprocess.run(
        [state.root / "shopmetricsctl", "--config", state.config, *arguments], user=user, group=user,
        extra_groups=[GROUP], capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("command", [
    ["status"], ["runs"], ["tables"], ["checkpoint", "show"], ["verify"], ["verify", "--deep"],
    ["dead-letters", "list"], ["dead-letters", "retry", "--all"], ["silver", "rebuild"], ["lag"],
])
def test_a_member_of_the_group_can_look(owned, command):
    before = owned.tree()
    code, output = tool_of(MEMBER, owned, *command)
    assert code == CLEAN, output
    assert owned.tree() == before


@pytest.mark.parametrize("command", [
    ["dead-letters", "retry", "--all", "--yes"], ["silver", "rebuild", "--yes"],
    ["checkpoint", "reset", "--to", "earliest", "--yes"],
])
def test_a_member_of_the_group_cannot_change_anything(owned, command):
    before = owned.tree()
    code, output = tool_of(MEMBER, owned, *command)
    assert code == IO_ERROR and "EACCES" in output, output
    assert owned.tree() == before


def test_the_service_still_needs_to_write(owned):
    ended = subprocess.run(
        [owned.root / "shopmetricsd", "--config", owned.config, "run", "--once"], user=MEMBER, group=MEMBER, extra_groups=[GROUP],
        capture_output=True, text=True, timeout=60)
    assert ended.returncode == BAD_CONFIGURATION and "not writable" in ended.stderr, ended.stderr


def test_looking_needs_none_of_the_services_credentials(owned):
    owned.configure(kafka={"security": {
        "protocol": "sasl_plaintext", "mechanism": "PLAIN", "username": "shop",
        "password_credential": "kafka-password"}})
    assert owned.run_once(expect=BAD_CONFIGURATION).output.count("kafka-password")
    for command in ["status"], ["tables"], ["verify"], ["checkpoint", "show"]:
        outcome = owned.tool(*command)
        assert outcome.code == CLEAN, outcome.output
        assert "kafka-password" not in outcome.output
    outcome = owned.tool("lag", timeout=90)
    assert outcome.code != CLEAN and "note: kafka.security.password_credential" in outcome.output


def test_a_run_of_roots_leaves_the_service_its_files(owned, broker):
    broker.produce(mixed(60, seed=2, start=60))
    assert execute(owned.command("run", "--once")).code == CLEAN
    strangers = [path for path in owned.directory.rglob("*") if path.stat().st_uid != SERVICE]
    assert not strangers
