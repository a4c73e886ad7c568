"""Programs that rewrite the Silver tables or Bronze at the worst moment of a batch."""

import json
import os
import shutil
import signal
import time

import pytest
from broker import EmbeddedBroker
from deltalake import DeltaTable
from silver_inspection import assert_silver
from silver_shop import HOUR, LONG_AGO, Shop, click, events_path, now, sessions_path
from support import KILLED, binary, build_tracer, execute


@pytest.fixture(scope="module")
def broker():
    broker = EmbeddedBroker(binary("embedded-broker"))
    yield broker
    broker.close()


@pytest.fixture
def shop(tmp_path, broker):
    return Shop(tmp_path, broker.brokers, topic=f"other-programs-{time.time_ns()}")


def compact(path):
    """What OPTIMIZE of another program does; the number of files that it took out."""
    return DeltaTable(str(path)).optimize.compact()["numFilesRemoved"]


@pytest.fixture(scope="module")
def tracer(tmp_path_factory):
    return build_tracer(tmp_path_factory.mktemp("tracer"))


def run(state):
    return state.command("run", "--once")


def rebuild(state):
    return [str(binary("shopmetricsctl")), "--config", str(state.config),
            "silver", "rebuild", "--yes"]


def traced(tracer, state, command, *options):
    return execute([str(tracer), "--under", str(state.directory), "--log",
                    str(state.root / "points"), *options, "--", *command(state)])


def kill(tracer, state, command, call, part):
    """Ends the command before its first such call on such a file; a copy tells which that is."""
    copy = state.copy(state.root / "recorded")
    assert traced(tracer, copy, command).code == 0
    fields = [line.split(" ", 4) for line in (copy.root / "points").read_text().splitlines()]
    found = [":".join(f[1:4]) for f in fields if f[2].startswith(call) and part in f[4]]
    assert found, f"no point is a {call} of {part}"
    shutil.rmtree(copy.root)
    assert traced(tracer, state, command, "--kill", found[0]).code == KILLED


def test_a_file_moved_between_both_commits_of_a_batch_is_not_taken_out_twice(shop, tracer):
    stored = click("anna", LONG_AGO, "purchase", event_id="double")
    shop.write(stored, *(click(f"v{i}", LONG_AGO + i * HOUR) for i in range(5)))
    shop.run()
    shop.write(*(click(f"w{i}", LONG_AGO + i * HOUR) for i in range(5)))
    shop.run()
    # Came in earlier than the stored one: its file is written again without that row.
    shop.write({**stored, "event_type": "search", "kafka_offset": 1_000_000,
                "ingested_at": stored["ingested_at"] - 1_000_000})
    kill(tracer, shop.state, run, "link", "/silver/clickstream_events/_delta_log/")
    assert compact(events_path(shop.state)) >= 2
    outcome = shop.state.run_once(expect=65)
    assert "TABLE_REWRITTEN" in outcome.output
    assert "shopmetricsctl silver rebuild --yes" in outcome.output
    assert len(shop.events()) == 11
    assert shop.state.tool("silver", "rebuild", "--yes").code == 0
    shop.state.run_once()
    assert_silver(shop.state)
    assert [row["search_count"] for row in shop.sessions("anna")] == [1]


def test_files_moved_in_the_middle_of_a_batch_do_not_double_rows(shop):
    for number in range(15):
        shop.write(*(click(f"v{number}-{i}", LONG_AGO + number * HOUR + i) for i in range(5)))
        shop.state.run_once()
    shop.write(*(click(f"z{i}", LONG_AGO + 50 * HOUR + i) for i in range(5)))
    path = events_path(shop.state)
    process = shop.state.start("run", "--once")
    while process.poll() is None:
        if any(name.startswith("clickstream_silver-00000015") for name in os.listdir(path)):
            process.send_signal(signal.SIGSTOP)
            break
    assert compact(path) == 15
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    # Whether the batch was given up or came too late for that, the next run is exact.
    shop.run()
    assert len(shop.events()) == 80


def test_a_rebuild_that_goes_on_reads_each_row_once(shop, tracer):
    shop.write(*(click(f"v{i}", LONG_AGO + i * HOUR) for i in range(5)))
    shop.run()
    kill(tracer, shop.state, rebuild, "write",
         "/silver/.rebuild/clickstream_events/clickstream_silver-00000000-")
    shop.write(*(click(f"x{i}", LONG_AGO + i * HOUR) for i in range(5)))
    shop.run()
    assert shop.state.tool("silver", "rebuild", "--yes").code == 0
    assert shop.state.tool("verify", "--deep").code == 0
    assert_silver(shop.state)


def test_the_tombstones_of_a_replayed_batch_are_of_today(shop, tracer):
    shop.write(*(click(f"v{i}", now()) for i in range(3)))
    shop.run()
    shop.write(click("v0", now()))
    kill(tracer, shop.state, run, "write", "/is_final=false/clickstream_silver-00000001-")
    restart = time.time_ns() // 1_000_000
    shop.run()
    log = sessions_path(shop.state) / "_delta_log"
    lines = [json.loads(line) for name in sorted(log.glob("*.json"))
             for line in name.read_text().splitlines()]
    times = [line["remove"]["deletionTimestamp"] for line in lines if "remove" in line]
    assert times and all(time >= restart for time in times)


def test_compactions_of_others_between_runs_are_taken_over(shop):
    for number in range(4):
        shop.write(*(click(f"v{number}-{i}", LONG_AGO + number * HOUR + i) for i in range(3)))
        shop.run()
    assert compact(sessions_path(shop.state)) >= 2
    assert compact(events_path(shop.state)) >= 2
    shop.write(click("v1-0", LONG_AGO + HOUR + 60_000_000), click("v2-0", LONG_AGO + 2 * HOUR))
    shop.state.run_once()
    assert len(shop.sessions()) == 12
    assert len(shop.events()) == 14
