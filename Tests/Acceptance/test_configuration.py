"""Configurations that cannot be: exit 78, the place in the file, the reason, nothing written."""

import os
import re

import pytest
from events import mixed
from support import BAD_CONFIGURATION, CLEAN, State, binary, execute

MINIMAL = '[kafka]\nbrokers = ["127.0.0.1:1"]\n'


@pytest.fixture
def check(scratch):
    """Writes a file and runs the daemon on it; gives what it said after the exit code was 78."""
    path = scratch / "shopmetrics.toml"

    def refused(content, *expected, mode=0o640):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        text = refusal(path)
        for part in expected:
            assert part in text, text
        return text

    refused.path = path
    refused.state = scratch / "state"
    return refused


def refusal(path):
    outcome = execute([str(binary("shopmetricsd")), "--config", str(path), "run", "--once"])
    assert outcome.code == BAD_CONFIGURATION, outcome
    assert str(path) in outcome.output and "nothing was changed" in outcome.output
    return outcome.output


def test_C1_a_missing_file(check):
    assert "No such file" in refusal(check.path)


def test_C2_a_directory(scratch):
    assert "not a regular file" in refusal(scratch)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_C3_an_unreadable_file(check):
    check(MINIMAL, "Permission denied", mode=0o000)


def test_C4_an_empty_file_lacks_the_brokers(check):
    check("", "kafka.brokers")


def test_C5_not_utf8(check):
    check(MINIMAL.encode() + b'topic = "\xff"\n', ":3:", "UTF-8")


def test_C6_byte_order_mark_and_crlf_are_accepted(check, scratch):
    text = f'{MINIMAL}[storage]\nstate_directory = "{scratch}/state"\n'.replace("\n", "\r\n")
    check.path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    check.path.chmod(0o640)
    outcome = execute([str(binary("shopmetricsd")), "--config", str(check.path), "--check-config"])
    assert outcome.code == CLEAN, outcome


# id -> (lines behind the two minimal ones, the place of the error, what the text must hold)
LINES = {
    "C7 syntax": ("topic = \n", "3:", ()),
    "C8 unknown key": ('topik = "a"\n', "3:1", ('did you mean "topic"',)),
    "C8 unknown table": ("[kafcka]\n", "3:", ("kafka",)),
    "C9 key twice": ('topic = "a"\ntopic = "b"\n', "4:", ()),
    "C9 table twice": ("[log]\n[log]\n", "4:", ()),
    "C10 wrong type": ("topic = 7\n", "3:9", ("kafka.topic is 7",)),
    "C11 out of range": ("[limits]\nmax_offsets_per_batch = 0\n", "4:25", ("1",)),
    "C12 bad duration": ('connect_timeout = "soon"\n', "3:19", ("30s",)),
    "C12 bad size": ('[limits]\nmax_value = "16 parsecs"\n', "4:13", ()),
    "C13 bad schedule": ('[schedule]\nevery = "0s"\n', "4:9", ()),
    "C14 relative path": ('[storage]\nstate_directory = "var/lib"\n', "4:19", ("absolute",)),
    "C15 not a directory": ('[storage]\nstate_directory = "/etc/passwd"\n', "4:19", ()),
    "C20 owned property": ('[kafka.librdkafka]\n"check.crcs" = false\n', "4:", ("check.crcs",)),
    "C20 owned reset": ('[kafka.librdkafka]\n"auto.offset.reset" = "latest"\n', "4:", ()),
    "C20 owned commits": ('[kafka.librdkafka]\n"enable.auto.commit" = true\n', "4:", ()),
    "C20 unknown property": ('[kafka.librdkafka]\n"no.such" = "x"\n', "4:", ("no.such",)),
}


@pytest.mark.parametrize("name", LINES)
def test_lines(check, name):
    lines, place, expected = LINES[name]
    text = check(MINIMAL + lines, *expected)
    assert re.search(rf"{re.escape(str(check.path))}:{re.escape(place)}", text), text


def test_all_errors_come_at_once(check):
    text = check('[kafka]\nbrokers = 1\ntopik = "a"\n[log]\nlevel = "loud"\n[x]\n', "4 errors")
    assert [line for line in (2, 3, 5, 6) if f"{check.path}:{line}:" not in text] == []


def test_C15_a_link_and_a_directory_for_everyone(check, scratch):
    target = scratch / "target"
    target.mkdir()
    (scratch / "link").symlink_to(target)
    check(f'{MINIMAL}[storage]\nstate_directory = "{scratch}/link"\n', ":4:19", "link")
    target.chmod(0o777)
    check(f'{MINIMAL}[storage]\nstate_directory = "{target}"\n', ":4:19", "chmod")


def test_C18_a_secret_in_a_file_that_others_read(check):
    secret = ('[kafka.security]\nprotocol = "sasl_ssl"\nmechanism = "PLAIN"\nusername = "u"\n'
              'password = "canary"\n')
    text = check(MINIMAL + secret, "chmod", mode=0o644)
    assert "canary" not in text


def test_C19_a_credential_that_is_absent(check):
    check(f'{MINIMAL}[kafka.security]\nprotocol = "sasl_ssl"\nmechanism = "PLAIN"\n'
          'username = "u"\npassword_credential = "kafka-password"\n', "kafka-password")


@pytest.mark.parametrize("content", [
    b"x = " + b"[" * 10_000 + b"]" * 10_000, b"a." * 10_000 + b"b = 1", b"#" * 10_000_000,
], ids=["arrays", "dots", "ten-megabytes"])
def test_C21_nesting_and_size(check, content):
    check(MINIMAL.encode() + content + b"\n")


def test_C22_another_topic_for_an_existing_checkpoint(scratch, broker):
    state = State(scratch, broker.brokers)
    broker.produce(mixed(10))
    state.run_once()
    before = state.tree()
    state.configure(kafka={"topic": "other"})
    output = state.run_once(expect=BAD_CONFIGURATION).output
    assert "clickstream-events" in output and "other" in output
    assert state.tree() == before


def test_check_config_says_so_without_writing(check, scratch):
    check.path.write_text(f'{MINIMAL}[storage]\nstate_directory = "{scratch}/state"\n')
    check.path.chmod(0o640)
    outcome = execute([str(binary("shopmetricsd")), "--config", str(check.path), "--check-config"])
    assert outcome.code == CLEAN and not check.state.exists()
