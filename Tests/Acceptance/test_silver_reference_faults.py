"""The sixteen ways in which the notebooks that this replaces get sessions wrong: S1 to S16.

They give a session the number that it has among its customer's sessions, merge by it, and find
what is new by the wall clock. Each test tells the story of one fault and what must come of it.
"""

import shutil

import pytest
from broker import wait_until
from delta_replay import replay
from deltalake import DeltaTable
from silver_generator import DAY, HOUR, MINUTE, SECOND
from silver_inspection import Memory, assert_silver
from silver_shop import LONG_AGO, Shop, click, clock, now
from silver_tables import checkpoint_path, logged_batches, sessions_path
from support import CLEAN

GAP = 30 * MINUTE


@pytest.fixture
def shop(scratch, broker):
    return Shop(scratch, broker.brokers)


@pytest.fixture(params=("closed", "open"))
def day(request, shop):
    """The beginning of a day whose sessions are final at once, or of one where all stay open."""
    if request.param == "closed":
        return LONG_AGO
    shop.state.configure(silver={"allowed_lateness": "7d"})
    return now() - 2 * DAY


def two_sessions(visitor, day):
    return [click(visitor, clock(time, day)) for time in ("10:00", "10:10", "12:00", "12:05")]


def test_S1_a_late_event_leaves_the_later_sessions_as_they_are(shop, day):
    shop.tell(*two_sessions("c", day))
    before = shop.sessions("c")
    shop.tell(click("c", clock("08:00", day)))
    assert shop.sessions("c")[1:] == before
    assert shop.spans("c")[0] == (clock("08:00", day), clock("08:00", day), 1)


def test_S2_a_session_that_grows_backwards_gets_a_new_start_and_date(shop):
    midnight = LONG_AGO + DAY
    shop.tell(click("c", midnight + 10 * MINUTE), click("c", midnight + 20 * MINUTE))
    shop.tell(click("c", midnight - 10 * MINUTE))
    (session,) = shop.sessions("c")
    assert session["first_event_ts"] == midnight - 10 * MINUTE
    assert session["session_date"] == LONG_AGO // DAY
    assert session["session_duration_secs"] == 30 * 60
    assert session["session_id"] == f"c-{midnight - 10 * MINUTE}"


def test_S3_an_event_between_two_sessions_leaves_one(shop, day):
    shop.tell(click("c", clock("10:00", day)), click("c", clock("10:31", day)))
    assert len(shop.sessions("c")) == 2
    shop.tell(click("c", clock("10:25", day)))
    assert shop.spans("c") == [(clock("10:00", day), clock("10:31", day), 3)]


def test_S3_a_late_visit_joins_a_chain_of_sessions(shop, day):
    times = [day + number * (GAP + MINUTE) for number in range(6)]
    shop.tell(*(click("c", time) for time in times))
    shop.tell(*(click("c", time + 15 * MINUTE) for time in times[:-1]))
    assert shop.spans("c") == [(times[0], times[-1], 11)]


def test_S4_an_event_of_2099_is_a_session_of_its_own(shop):
    in_2099 = 4_070_908_800 * SECOND
    shop.tell(click("c", in_2099))
    for number in range(3):
        shop.tell(click("c", now() - (6 - 2 * number) * HOUR))
    sessions = shop.sessions("c")
    assert len(sessions) == 4 and sessions[-1]["first_event_ts"] == in_2099
    assert not sessions[-1]["is_final"]
    assert all(batch.next_watermark * 1000 < now() for batch in shop.batches())


def test_S5_what_is_committed_while_a_run_works_is_read_by_the_next(shop):
    """Progress is the version that was read, not the newest one at the end of the work."""
    shop.state.configure(silver={"max_rows_per_batch": 1})
    for number in range(40):
        shop.write(click("c", LONG_AGO + number * HOUR))
    daemon = shop.state.start("run", "--once")
    wait_until(lambda: (checkpoint_path(shop.state) / "commits" / "1").exists(), "two batches")
    shop.write(click("late", LONG_AGO), click("c", LONG_AGO + 5 * MINUTE))
    daemon.communicate(timeout=60)
    assert daemon.returncode == CLEAN
    shop.run()
    assert len(shop.spans("late")) == 1 and len(shop.spans("c")) == 40


def test_S6_a_clock_that_goes_back_hides_nothing(shop):
    """`ingested_at > last` would step over all of these."""
    shop.write(click("a", LONG_AGO, ingested_at=LONG_AGO + DAY))
    shop.run()
    shop.write(click("b", LONG_AGO, ingested_at=LONG_AGO + DAY))
    shop.write(click("c", LONG_AGO, ingested_at=LONG_AGO + HOUR))
    shop.run()
    assert [len(shop.spans(visitor)) for visitor in "abc"] == [1, 1, 1]


def test_S7_a_repeated_event_counts_once(shop, day):
    first = click("c", clock("10:00", day), "purchase")
    shop.tell(first, first, click("c", clock("10:01", day)))
    shop.tell(first)
    shop.tell({**first, "event_type": "search", "page": "/other"})
    (session,) = shop.sessions("c")
    assert (session["event_count"], session["purchase_count"], session["search_count"]) == (2, 1, 0)
    assert len(shop.events()) == 2


def test_S8_the_watermark_is_logged_and_closes_sessions(shop):
    newest = now() // 1000 * 1000
    shop.tell(click("old", newest - 3 * HOUR), click("new", newest))
    states = {row["customer_id"]: row["is_final"] for row in shop.sessions()}
    assert states == {"old": True, "new": False}
    last = shop.batches()[-1]
    assert 0 < last.next_watermark <= now() // 1000 - 600_000
    shop.tell(click("old", newest - 3 * HOUR + MINUTE))
    assert shop.spans("old")[0][2] == 2, "later than the watermark is late, not lost"


def test_S9_a_run_reads_no_history(shop):
    """All that was read before is out of reach while an active customer's new events come."""
    shop.tell(*two_sessions("c", LONG_AGO), *two_sessions("d", LONG_AGO))
    away = shop.state.root / "away"
    away.mkdir()
    moved = [path for path in shop.state.bronze.glob("*.parquet")]
    moved += [path for path in sessions_path(shop.state).glob("is_final=true/*.parquet")]
    assert len(moved) >= 2
    for number, path in enumerate(moved):
        shutil.move(path, away / str(number))
    shop.send(click("c", now()), click("c", now() + SECOND))
    shop.state.run_once()
    for number, path in enumerate(moved):
        shutil.move(away / str(number), path)
    assert_silver(shop.state, shop.memory)
    assert len(shop.spans("c")) == 3


def test_S10_old_sessions_stay_when_old_events_are_deleted(shop):
    """Here the deletion is refused by name; there it renumbers what comes."""
    shop.write(*two_sessions("c", LONG_AGO))
    shop.run()
    before = shop.sessions()
    DeltaTable(shop.state.bronze).delete("event_ts < '2026-02-01T11:00:00Z'")
    shop.write(click("c", now()))
    outcome = shop.state.run_once(expect=None)
    assert outcome.code != CLEAN and "BRONZE_REWRITTEN" in outcome.output
    assert shop.sessions() == before


def test_S11_a_late_event_rewrites_only_the_file_of_its_time(shop):
    days = [LONG_AGO + number * DAY for number in range(6)]
    for day in days:
        shop.tell(*two_sessions("c", day), *two_sessions("d", day))
    before = final_files(shop)
    assert len(before) == 6
    shop.tell(click("c", clock("10:05", days[2])))
    gone = before - final_files(shop)
    assert len(gone) == 1, gone


def final_files(shop):
    files = replay(sessions_path(shop.state)).files
    return {path for path, add in files.items() if add["partitionValues"]["is_final"] == "true"}


def test_S12_only_a_changed_session_is_marked_as_changed(shop, day):
    shop.tell(*two_sessions("c", day))
    before = shop.sessions("c")
    shop.tell(click("c", clock("12:10", day)), click("c", clock("20:00", day)))
    after = shop.sessions("c")
    assert len(after) == 3 and after[0] == before[0]
    assert all(row["updated_at"] > before[1]["updated_at"] for row in after[1:])


@pytest.mark.parametrize("pause, count", [(GAP - 1, 1), (GAP, 1), (GAP + 1, 2), (GAP + SECOND, 2)])
def test_S13_the_gap_counts_in_microseconds(shop, day, pause, count):
    start = day + 999_999
    shop.tell(click("c", start), click("c", start + pause))
    assert len(shop.sessions("c")) == count
    shop.tell(click("d", start + pause))
    shop.tell(click("d", start))
    assert len(shop.sessions("d")) == count


def test_S13_events_of_one_instant_are_one_session_in_any_order(shop, day):
    clicks = [click("c", day, kind) for kind in ("purchase", "search", "page_view")]
    shop.tell(clicks[2], clicks[0])
    shop.tell(clicks[1])
    assert shop.spans("c") == [(day, day, 3)] and shop.sessions("c")[0]["converted"]


def test_S14_anonymous_visitors_products_and_searches_are_there(shop, day):
    shop.tell(
        click(None, clock("10:00", day), "search", session_id="browser", product_id="17"),
        click(None, clock("10:05", day), "add_to_cart", session_id="browser", product_id="18"))
    (session,) = shop.sessions("browser")
    assert session["customer_id"] is None
    assert (session["search_count"], session["add_to_cart_count"]) == (1, 1)
    assert {(e["session_id"], e["product_id"]) for e in shop.events()} == \
        {("browser", "17"), ("browser", "18")}


def test_S15_time_zones_of_the_host_change_nothing(shop):
    """Around the hour that New York has twice, in runs that take it for their zone, or another."""
    fold = 1_793_509_200 * SECOND  # 2026-11-01T05:00:00Z
    zones = ("America/New_York", "Pacific/Kiritimati", "Europe/London")
    for number, zone in enumerate(zones):
        shop.send(*(click("c", fold + number * 20 * MINUTE + step * HOUR) for step in range(3)))
        shop.run(environment={"TZ": zone})
    expected = [fold + 20 * MINUTE * number for number in range(9)]
    assert shop.spans("c") == [(expected[0], expected[-1], 9)]


def test_S16_lost_tables_come_back_for_customers_who_never_do(shop):
    shop.tell(*two_sessions("gone", LONG_AGO), *two_sessions("back", LONG_AGO))
    shop.tell(click("gone", clock("10:05")))
    expected = without_update_time(shop.sessions())
    shutil.rmtree(sessions_path(shop.state))
    outcome = shop.state.run_once(expect=None)
    assert outcome.code != CLEAN and "shopmetricsctl silver rebuild" in outcome.output
    rebuilt = shop.state.tool("silver", "rebuild", "--yes")
    assert rebuilt.code == CLEAN, rebuilt.output
    assert_silver(shop.state)
    shop.memory = Memory()
    shop.tell(click("new", now()))
    known = [row for row in shop.sessions() if row["customer_id"] != "new"]
    assert without_update_time(known) == expected, "final again, too"


def test_S16_a_new_checkpoint_and_new_tables_begin_at_the_beginning(shop):
    shop.tell(*two_sessions("gone", LONG_AGO))
    expected = without_update_time(shop.sessions())
    shutil.rmtree(shop.state.directory / "silver")
    shutil.rmtree(checkpoint_path(shop.state))
    shop.state.run_once()
    assert_silver(shop.state)
    assert without_update_time(shop.sessions()) == expected
    assert min(logged_batches(shop.state)) == 0


def without_update_time(rows):
    return sorted(({**row, "updated_at": None} for row in rows), key=lambda r: r["session_id"])
