"""What `make docs` writes, held by the programs that read it: man, the shells, journald."""

import contextlib
import os
import pty
import re
import select
import shutil
import subprocess
import time

import polars
import pytest
from broker import EmbeddedBroker
from deltalake import DeltaTable
from events import mixed
from silver_tables import duckdb_with_delta
from support import ROOT, State, binary

PAGES = ("shopmetricsd.8", "shopmetricsctl.8", "shopmetrics-tables.7", "shopmetrics.toml.5")


def needs(program):
    return pytest.mark.skipif(
        not shutil.which(program), reason=f"SKIPPED: {program} is not installed here")


@pytest.fixture(scope="module")
def docs(tmp_path_factory):
    """The documentation, made by the program that `make docs` builds."""
    output = tmp_path_factory.mktemp("docs")
    subprocess.run([binary("shopmetrics-docs"), ROOT / "deploy/man", output], check=True)
    return output


def read(page):
    """A page as a reader sees it, on lines so long that no word is broken."""
    environment = {**os.environ, "MANWIDTH": "5000", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}
    shown = subprocess.run(
        ["man", "--no-hyphenation", "--no-justification", "-l", page], capture_output=True,
        text=True, check=True, env=environment).stdout
    return re.sub(r".\x08", "", shown)


def catalog(docs):
    """The catalog's entries: id -> text."""
    blocks = re.split(r"^-- ", (docs / "shopmetrics.catalog").read_text(), flags=re.M)[1:]
    return {block[:32]: block[33:] for block in blocks}


# --- manuals


@needs("man")
@pytest.mark.parametrize("page", PAGES)
def test_a_manual_is_set_without_a_warning(docs, page):
    outcome = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", docs / "man" / page],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert outcome.returncode == 0 and not outcome.stderr


@needs("mandoc")
@pytest.mark.parametrize("page", PAGES)
def test_a_manual_is_correct_mdoc(docs, page):
    outcome = subprocess.run(
        ["mandoc", "-Tlint", "-Wwarning", docs / "man" / page], capture_output=True, text=True)
    assert outcome.returncode == 0 and not outcome.stdout


@needs("man")
def test_every_code_is_explained_in_the_manual(docs):
    page = read(docs / "man/shopmetricsd.8")
    catalog = (docs / "shopmetrics.catalog").read_text()
    codes = re.findall(r"^Subject: .*\[([A-Z_]+)\]$", catalog, re.M)
    assert len(codes) > 50
    assert not [code for code in codes if not re.search(rf"^ +{code}\b", page, re.M)]


@needs("man")
def test_every_exit_status_is_explained_in_the_manual(docs):
    source = (ROOT / "Sources/Pipeline/PipelineError.swift").read_text()
    numbers = re.findall(r"^  case \w+ = (\d+)$", source, re.M)
    assert len(numbers) > 5
    section = read(docs / "man/shopmetricsd.8").split("EXIT STATUS")[1].split("\nJOURNAL")[0]
    assert not [number for number in numbers if not re.search(rf"^ +{number} ", section, re.M)]


@needs("man")
def test_every_reason_of_a_dead_letter_is_explained_in_the_manual(docs):
    source = (ROOT / "Sources/Clickstream/DeadLetter.swift").read_text()
    reasons = re.findall(r'^  case \w+ = "(\w+)"$', source, re.M)
    assert len(reasons) > 8
    page = read(docs / "man/shopmetrics-tables.7")
    assert not [reason for reason in reasons if not re.search(rf"^ +{reason}\b", page, re.M)]


@needs("man")
def test_every_field_of_the_journal_is_explained_in_the_manual(docs):
    fields = {"lost_lines"}
    for folder in ("Pipeline", "shopmetricsd"):
        for source in (ROOT / "Sources" / folder).rglob("*.swift"):
            for call in re.findall(r'\[\s*\("(?:code|batch)", [^\]]*\]', source.read_text()):
                fields |= set(re.findall(r'\("([a-z_]+)", ', call))
    page = read(docs / "man/shopmetricsd.8")
    assert "code" in fields
    assert not [name for name in fields if f"SHOPMETRICS_{name.upper()}" not in page]


@needs("man")
@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_a_manual_is_one_that_the_programs_take(docs, page):
    # Before that the synopsis has placeholders for words.
    text = read(docs / "man" / page).split("\nDESCRIPTION\n", 1)[1]
    lines = text.replace("\\\n", " ").splitlines()
    commands = {line.strip() for line in lines
                if re.match(r" +shopmetrics(d|ctl) [^()]*[^.()]$", line)}
    commands = {line for line in commands if not re.search(r"[\[{]|[A-Z]{3}|—|  ", line)}
    for command in commands:
        program, *words = command.split("&&")[0].split()
        # With --help the line is parsed, and nothing is done.
        outcome = subprocess.run(
            [binary(program), *words, "--help"], capture_output=True, text=True)
        assert outcome.returncode == 0, f"{command}: {outcome.stderr}"
    assert commands or not page.endswith("8")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A state directory with sessions and dead letters."""
    with contextlib.closing(EmbeddedBroker(binary("embedded-broker"))) as broker:
        broker.produce(mixed(2000, bad_share=0.1))
        state = State(tmp_path_factory.mktemp("tables"), broker.brokers)
        state.run_once()
    return state.directory


def example(docs, label, tables):
    """The example of shopmetrics-tables(7) below a label, for the tables of this test."""
    source = (docs / "man/shopmetrics-tables.7").read_text()
    text = re.search(rf"^{label}.*?:\n\.Bd [^\n]*\n(.*?)\n\.Ed", source, re.M | re.S)[1]
    sessions = tables / "silver/clickstream_sessions"
    return re.sub(r"\bS\b", str(sessions), text).replace("/var/lib/shopmetrics", str(tables))


def test_the_examples_for_readers_work(docs, tables):
    connection = duckdb_with_delta()
    days = connection.sql(example(docs, "DuckDB", tables).replace("INSTALL delta; LOAD delta;", ""))
    count = sum(row[1] for row in days.fetchall())
    assert count > 10
    names = {"pl": polars, "DeltaTable": DeltaTable}
    assert len(eval(example(docs, "Polars", tables), names)) > 0
    assert 0 < len(eval(example(docs, "Python with deltalake", tables), names)) <= count
    reasons = connection.sql(example(docs, "The dead letters of a day", tables)).fetchall()
    assert sum(row[1] for row in reasons) > 100


# --- completions


def bash_offers(docs, *words):
    """What bash offers behind these words, the last of them the one that is typed."""
    script = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
"_$1" && printf '%s\n' "${COMPREPLY[@]}"
"""
    outcome = subprocess.run(
        ["bash", "-c", script, "bash", docs / "completions/bash" / words[0], *words],
        capture_output=True, text=True, cwd=docs)
    assert outcome.returncode == 0 and not outcome.stderr
    return outcome.stdout.split()


def help_of(program, *command):
    outcome = subprocess.run(
        [binary(program), *command, "--help"], capture_output=True, text=True, check=True)
    return outcome.stdout


def command_rows():
    """The commands of shopmetricsctl, from its help."""
    section = help_of("shopmetricsctl").split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\S+(?: \S+)?)  +\S", section, re.M)


def test_bash_offers_every_command(docs):
    rows = command_rows()
    assert len(rows) > 4
    first = list(dict.fromkeys(row.split()[0] for row in rows))
    assert bash_offers(docs, "shopmetricsctl", "") == first
    for group in {row.split()[0] for row in rows if " " in row}:
        second = [row.split()[1] for row in rows if row.startswith(group + " ")]
        assert bash_offers(docs, "shopmetricsctl", group, "") == second


def test_bash_offers_a_commands_own_options_and_no_others(docs):
    for row in command_rows():
        text = help_of("shopmetricsctl", *row.split())
        known = set(re.findall(r"--[a-z-]+", text.split("\n\n")[0]))
        known |= set(re.findall(r"^ +(--[a-z-]+)", text, re.M))
        assert set(bash_offers(docs, "shopmetricsctl", *row.split(), "--")) == known, row


def test_bash_offers_files_where_a_file_is_meant(docs):
    for words in (("--config", "shopm"), ("--config", "=", "shopm"), ("--check-config", "shopm")):
        assert bash_offers(docs, "shopmetricsd", *words) == ["shopmetrics.catalog"]
    assert bash_offers(docs, "shopmetricsctl", "produce", "--rate", "") == []


@needs("fish")
def test_fish_offers_the_same_as_bash(docs):
    def offers(*words):
        script = f"source {docs}/completions/fish/{words[0]}.fish; complete -C '{' '.join(words)}'"
        outcome = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True)
        return {line.split("\t")[0] for line in outcome.stdout.splitlines()}

    assert offers("shopmetricsctl", "") == set(bash_offers(docs, "shopmetricsctl", ""))
    for row in command_rows():
        expected = set(bash_offers(docs, "shopmetricsctl", *row.split(), "--"))
        assert offers("shopmetricsctl", *row.split(), "--") == expected, row


@needs("zsh")
def test_zsh_completes_commands_options_and_files(docs):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(docs)
        os.execvp("zsh", ["zsh", "-f", "-i"])

    def wait_for(text):
        seen, end = "", time.monotonic() + 20
        while text not in seen and time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                seen += os.read(terminal, 4096).decode(errors="replace")
        assert text in seen, seen

    try:
        os.write(terminal, f"fpath=({docs}/completions/zsh $fpath); autoload -Uz compinit; "
                 f"compinit -u -d {docs}/zcompdump; unsetopt zle_bracketed_paste; "
                 "print RE''ADY\n".encode())
        wait_for("READY")
        for typed, completed in (
                ("shopmetricsctl checkp\t", "shopmetricsctl checkpoint "),
                ("shopmetricsctl silver reb\t", "shopmetricsctl silver rebuild "),
                ("shopmetricsctl silver rebuild --y\t", "shopmetricsctl silver rebuild --yes"),
                ("shopmetricsd --config shopm\t", "shopmetricsd --config shopmetrics.catalog"),
                ("shopmetricsd --config=shopm\t", "shopmetricsd --config=shopmetrics.catalog")):
            os.write(terminal, typed.encode())
            wait_for(completed[len(typed) - 1:].strip())
            os.write(terminal, b"\x15")
    finally:
        os.write(terminal, b"\x15exit\n")
        os.close(terminal)
        os.waitpid(pid, 0)


# --- the journal's catalog


@needs("journalctl")
def test_journald_takes_the_catalog(docs, tmp_path):
    (tmp_path / "usr/lib/systemd/catalog").mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    shutil.copy(docs / "shopmetrics.catalog", tmp_path / "usr/lib/systemd/catalog")
    root = f"--root={tmp_path}"
    outcome = subprocess.run(
        ["journalctl", root, "--update-catalog"], capture_output=True, text=True)
    assert outcome.returncode == 0 and not outcome.stderr
    entries = catalog(docs)
    shown = subprocess.run(
        ["journalctl", root, "--dump-catalog"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^-- ([0-9a-f]{32})$", shown, re.M)) == set(entries)
    for text in entries.values():
        assert text.strip() in shown
