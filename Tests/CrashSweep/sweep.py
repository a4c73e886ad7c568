"""Kills the programs at every file-changing system call of their runs and checks what is left.

    sweep.py [--scenario bronze|silver|rebuild|retry|operations] [--sample N] [--seed S]
             [--workers W] [--twice] [--only NAME]

For each start state of a scenario a run is recorded (crashpoints.c): that names every point
(thread, call, ordinal). Then for each point: a copy of the same start state, a run that is killed
there, which must be seen to have died there; restarts until one ends with 0; and all invariants.
The broker and its data stay the same. `--twice` also kills the restart, at a point that the seed
chooses. The start states are described in the modules called ..._scenarios.py.

Exit: 0 when every point was hit and no invariant broken, else 1.
"""

import argparse
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent),
                str(Path(__file__).resolve().parent.parent / "Acceptance")]

from broker import EmbeddedBroker  # noqa: E402
from bronze_scenarios import BronzeSweep  # noqa: E402
from operations_scenarios import OperationsSweep  # noqa: E402
from retry_scenarios import RetrySweep  # noqa: E402
from silver_scenarios import RebuildSweep, SilverSweep  # noqa: E402
from support import binary  # noqa: E402

SWEEPS = {"bronze": BronzeSweep, "silver": SilverSweep, "rebuild": RebuildSweep,
          "retry": RetrySweep, "operations": OperationsSweep}


def call_and_folder(point):
    return point.scenario, point.call, Path(point.path).parent


def sampled(points, size, seed, kind=call_and_folder):
    """A seeded choice in which every kind of point is there at least once, if there is room."""
    if size is None or size >= len(points):
        return points
    source = random.Random(seed)
    shuffled = source.sample(points, len(points))
    kinds = {}
    for point in shuffled:
        kinds.setdefault(kind(point), point)
    first = list(kinds.values())[:size]
    return first + [p for p in shuffled if p not in first][:size - len(first)]


_check = None  # each worker's copy


def adopt(check):
    global _check
    _check = check


def work(point):
    return _check(point)


def in_parallel(check, points, workers):
    """The results of `check` for every point, in order."""
    # Not forked: the readers' threads would be missing in the copy.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, adopt, (check,)) as pool:
        return list(pool.map(work, points))


def report(results, seconds):
    for result in results:
        if not result.hit:
            print(f"MISSED   {result.point}")
        for violation in result.violations[:5]:
            print(f"VIOLATED {result.point}\n         {violation}")
    hit = sum(result.hit for result in results)
    violated = sum(bool(result.violations) for result in results)
    scenarios = Counter(result.point.scenario for result in results)
    print(", ".join(f"{name}: {count} points" for name, count in sorted(scenarios.items())))
    print(f"{len(results)} points, {hit} hit, {violated} violations, {seconds:.0f} s")
    return hit == len(results) and violated == 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", choices=SWEEPS, default="bronze")
    parser.add_argument("--sample", type=int, help="so many points instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--twice", action="store_true", help="kill the restart, too")
    parser.add_argument("--only", help="one of the scenarios")
    options = parser.parse_args()
    known = SWEEPS[options.scenario].SCENARIOS
    if options.only not in (None, *known):
        parser.error(f"--only wants one of {', '.join(known)}")
    return options


def main():
    options = parse()
    started = time.monotonic()
    broker = EmbeddedBroker(binary("embedded-broker"))
    directory = Path(tempfile.mkdtemp(prefix="shopmetrics-sweep-"))
    try:
        sweep = SWEEPS[options.scenario](directory, broker.brokers, options.seed)
        sweep.prepare(options.only)
        points = sampled(sweep.points, options.sample, options.seed)
        print(f"{len(sweep.points)} points recorded, {len(points)} to visit, "
              f"seed {options.seed}", flush=True)
        check = partial(sweep.kill_and_check, twice=options.twice)
        results = in_parallel(check, points, options.workers)
        return 0 if report(results, time.monotonic() - started) else 1
    finally:
        broker.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
