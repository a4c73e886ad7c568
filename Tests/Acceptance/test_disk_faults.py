"""Real disks that are full, read-only, limited or frozen under the working service.

Each fault is there while the service runs, is named by it, passes, and the same process goes on.
"""

import resource
import subprocess

import pytest
from broker import wait_until
from disks import LoopDisk, MemoryDisk, reason_against, run
from events import mixed
from invariants import assert_invariants
from service import Service
from support import LOCKED, State

REASON = reason_against()
needs_disks = pytest.mark.skipif(REASON is not None, reason=f"SKIPPED: {REASON}")
SETTINGS = {"schedule": {"every": "1s", "max_backoff": "1s"}, "storage": {"min_free": "0B"},
            "silver": {"enabled": False}, "limits": {"max_offsets_per_batch": 1000}}


def state_on(directory, broker, scratch):
    return State(scratch / "root", broker.brokers, directory=directory / "state", **SETTINGS)


def fill(disk, free):
    """Leaves so many bytes on a disk."""
    with open(disk.path / "filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
        filler.truncate(max(0, filler.tell() - free))


@needs_disks
@pytest.mark.parametrize(
    ("kind", "free"), [("tmpfs", 0), ("tmpfs", 4 << 10), ("tmpfs", 64 << 10), ("ext4", 0)])
def test_a_full_disk_heals_when_there_is_room_again(scratch, broker, kind, free):
    disk = MemoryDisk(scratch, "size=16m") if kind == "tmpfs" else LoopDisk(scratch, "16M")
    with disk:
        state = state_on(disk.path, broker, scratch)
        with Service(state) as daemon:
            broker.produce(mixed(3000))
            daemon.wait_until_all_is_in(broker.truth())
            fill(disk, free)
            broker.produce(mixed(6000, seed=2, start=3000))
            line = daemon.line("[DISK_FULL]", "ENOSPC", str(state.directory))
            assert f"`df -h {state.directory}" in line
            (disk.path / "filler").unlink()
            daemon.wait_until_all_is_in(broker.truth())
        assert_invariants(state, broker.truth())


@needs_disks
def test_a_disk_without_inodes_heals(scratch, broker):
    with MemoryDisk(scratch, "size=16m,nr_inodes=12") as disk:
        state = state_on(disk.path, broker, scratch)
        broker.produce(mixed(300))
        with Service(state) as daemon:
            assert "`df -i " in daemon.line("[DISK_FULL]", "ENOSPC", str(state.directory))
            disk.resize("nr_inodes=1000")
            daemon.wait_until_all_is_in(broker.truth())
        assert_invariants(state, broker.truth())


@needs_disks
@pytest.mark.parametrize("part", ["bronze", "checkpoints"])
def test_a_read_only_directory_heals_and_names_the_drop_in(scratch, broker, part):
    state = state_on(scratch, broker, scratch)
    directory = state.directory / part
    with Service(state) as daemon:
        broker.produce(mixed(300))
        daemon.wait_until_all_is_in(broker.truth())
        run("mount", "--bind", directory, directory)
        try:
            run("mount", "-o", "remount,ro,bind", directory)
            broker.produce(mixed(300, seed=2, start=300))
            line = daemon.line("[DISK_READ_ONLY]", "EROFS", str(directory))
            assert f"ReadWritePaths={directory}" in line and "no table was changed" in line
        finally:
            run("umount", directory)
        daemon.wait_until_all_is_in(broker.truth())
    assert_invariants(state, broker.truth())


def test_a_limit_of_file_size_is_an_error_not_a_signal(scratch, broker):
    state = state_on(scratch, broker, scratch)
    broker.produce(mixed(6000))
    small = (4096, resource.RLIM_INFINITY)
    with Service(state, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, small)) \
            as daemon:
        # Its own output may not grow beyond the limit, either: lines are few until then.
        assert "LimitFSIZE=" in daemon.line("[FILE_TOO_LARGE]", "EFBIG", str(state.directory))
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        daemon.wait_until_all_is_in(broker.truth())
    assert_invariants(state, broker.truth())


@needs_disks
def test_a_frozen_disk_lets_nobody_else_in_and_goes_on_when_it_thaws(scratch, broker):
    with LoopDisk(scratch, "32M") as disk:
        state = state_on(disk.path, broker, scratch)
        with Service(state) as daemon:
            broker.produce(mixed(300))
            daemon.wait_until_all_is_in(broker.truth())
            disk.freeze()
            broker.produce(mixed(300, seed=2, start=300))
            wait_until(lambda: is_waiting_for_the_disk(daemon.process.pid), "a writer that waits")
            second = state.run_once(expect=None, timeout=10)
            assert second.code == LOCKED and f"pid {daemon.process.pid}" in second.output
            disk.thaw()
            daemon.wait_until_all_is_in(broker.truth())
        assert_invariants(state, broker.truth())


def is_waiting_for_the_disk(pid):
    """Whether one of the process's threads is in uninterruptible sleep."""
    stats = (line.split(") ")[1][0] for line in subprocess.run(
        f"cat /proc/{pid}/task/*/stat", shell=True, capture_output=True,
        text=True).stdout.splitlines())
    return "D" in stats
