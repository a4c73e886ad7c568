"""A backlog of clean events from Bronze to Silver, beside what others need for the sessions."""

import shutil

from harness import replace, row
from silver_tables import BRONZE, OFF, event_total, session_totals


def fill_bronze(bench, name, *options):
    """A state whose Bronze holds the topic and whose Silver is empty; how many events it has."""
    topic = bench.work / f"topic-{name}"
    meta = bench.generate(topic, *options)
    shutil.rmtree(bench.state, ignore_errors=True)
    with bench.serving(topic) as address:
        bench.run_once(address, silver=OFF)
    replace(bench.state, bench.work / f"bronze-{name}")
    return topic, meta["valid"]


def silver_run(bench, name, topic):
    """Silver alone: Kafka has nothing that Bronze has not."""
    replace(bench.work / f"bronze-{name}", bench.state)
    with bench.serving(topic) as address:
        return bench.run_once(address)


def backlog(bench, events, count):
    topic, valid = fill_bronze(bench, "in-order", "--events", events, "--late", 0)
    bronze = bench.work / "bronze-in-order" / BRONZE
    out, table = bench.work / "sessions.parquet", bench.work / "reference"
    ours, peers = [], {}
    for _ in range(count):
        ours.append(silver_run(bench, "in-order", topic))
        for engine in ("polars", "duckdb"):
            run = bench.python("sessions_peer.py", engine, bronze, out)
            peers.setdefault((engine, "sessions alone, from scratch"), []).append(run)
            for path in (table, bench.work / "reference.version"):
                shutil.rmtree(path, ignore_errors=True)
                path.unlink(missing_ok=True)
            run = bench.python("reference_silver.py", engine, bronze, table)
            peers.setdefault((engine, "reference's method"), []).append(run)
    print(f"\nBronze to Silver, a backlog of {events:,} in-order events, medians")
    cpu, _ = row("shopmetricsd, both tables", ours, valid)
    for (engine, what), runs in peers.items():
        other, _ = row(f"{engine}, {what}", runs, valid)
        imports = runs[-1].result.get("import_cpu")
        note = f", {imports} s of its CPU for imports" if imports else ""
        print(f"  CPU: ours is {cpu / other:.2f} times that{note}")
    check(bench, valid, peers)
    late_topic, late_valid = fill_bronze(bench, "late", "--events", events)
    runs = [silver_run(bench, "late", late_topic) for _ in range(count)]
    row("the same, 1 % of them minutes late", runs, late_valid)


def check(bench, valid, peers):
    """Nobody may be fast by leaving something out."""
    totals = session_totals(bench.state)
    expected = peers["polars", "sessions alone, from scratch"][-1].result
    assert totals["events"] == event_total(bench.state) == expected["events"] == valid, totals
    assert totals["sessions"] == expected["sessions"], (totals, expected)
    other = peers["duckdb", "sessions alone, from scratch"][-1].result
    assert other["sessions"] == expected["sessions"], other
    print(f"  {totals['sessions']:,} sessions by all three")
