"""Disks that a test can fill, freeze and cut off; each needs root and is mounted below a directory.

`reason_against()` says why this machine cannot have them; a test skips with that sentence.
"""

import ctypes
import fcntl
import os
import struct
import subprocess
import tempfile
from pathlib import Path

EXT4_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING_THE_LOG = 2
CLONE_NEWNS = 0x20000


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


class LoopDisk:
    """An ext4 file system in a file; a context that unmounts it and removes both."""

    def __init__(self, directory, size="96M", options="defaults"):
        self.image, self.path = Path(directory) / "disk.img", Path(directory) / "disk"
        self.options = options
        self.path.mkdir()
        run("truncate", "-s", size, self.image)
        run("mkfs.ext4", "-q", "-m", "0", self.image)

    def __enter__(self):
        self.mount()
        return self

    def __exit__(self, *_):
        self.thaw(missing_ok=True)
        subprocess.run(["umount", "--lazy", self.path], capture_output=True)
        self.image.unlink()

    def mount(self):
        # Not a loop device by number: this one is detached by itself, whoever dies.
        run("mount", "-o", f"loop,{self.options}", self.image, self.path)

    def unmount(self):
        run("umount", self.path)

    def cut_power(self):
        """All that is not on the disk is lost, and every later write or sync is an EIO."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING_THE_LOG))
        finally:
            os.close(descriptor)

    def freeze(self):
        """Whoever writes from now on waits, deaf to every signal."""
        run("fsfreeze", "--freeze", self.path)

    def thaw(self, missing_ok=False):
        subprocess.run(["fsfreeze", "--unfreeze", self.path], check=not missing_ok,
                       capture_output=True)


class MemoryDisk:
    """A tmpfs of so many bytes or inodes; a context that unmounts it."""

    def __init__(self, directory, options):
        self.path = Path(directory) / "disk"
        self.path.mkdir()
        self.options = options

    def __enter__(self):
        run("mount", "-t", "tmpfs", "-o", self.options, "tmpfs", self.path)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.path], capture_output=True)

    def resize(self, options):
        run("mount", "-o", f"remount,{options}", self.path)


def keep_mounts_to_ourselves():
    """Gives this thread, and what it starts, mounts that no other program's namespace copies.

    A copy would keep a disk alive that was cut off and unmounted here.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace of its own")
    run("mount", "--make-rprivate", "/")


def reason_against():
    """Why this machine cannot mount and cut off a disk; `None` when it can, and is prepared."""
    if os.geteuid() != 0:
        return "only root can mount a disk"
    try:
        keep_mounts_to_ourselves()
        with tempfile.TemporaryDirectory(prefix="shopmetrics-disk-") as directory:
            with LoopDisk(directory, size="2M") as disk:
                disk.cut_power()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no ext4 on a loop device that can be cut off: {error}"
    return None
