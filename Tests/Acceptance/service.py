"""The resident daemon under test, with all that it says."""

import os
import re
import subprocess

from broker import PATIENCE, wait_until
from support import CLEAN

RUN = re.compile(r"\brun (\d+) ok")


class Service:
    """A daemon on a state; a context that stops it, which must go well.

    `wrapper` is a program in front of it that passes SIGTERM on; the other options are Popen's.
    """

    def __init__(self, state, wrapper=(), environment=None, **options):
        self.state, self.text = state, state.root / "said"
        self.text.touch()
        with open(self.text, "a") as output:
            self.process = subprocess.Popen(
                [*wrapper, *state.command()], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}, **options)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.process.terminate()
                code = self.process.wait(PATIENCE)
                assert code == CLEAN, f"the service ended with {code}:\n{self.said[-5000:]}"
        finally:
            self.process.kill()
            self.process.wait()

    @property
    def said(self):
        """All that it has written so far."""
        return self.text.read_text()

    def wait_until(self, condition, what):
        """Fails at once when the service ends instead."""
        def holds():
            assert self.process.poll() is None, f"ended, waiting for {what}:\n{self.said[-5000:]}"
            return condition()
        return wait_until(holds, what)

    def line(self, *parts):
        """The first line that holds all the parts, as soon as there is one."""
        return self.wait_until(
            lambda: next((line for line in self.said.splitlines()
                          if all(part in line for part in parts)), None), f"a line with {parts}")

    def wait_until_all_is_in(self, truth):
        def is_in():
            batches = self.state.batches("commits")
            return batches and self.state.logged_offsets(batches[-1])[1] == truth.ends
        self.wait_until(is_in, "every record in the tables")

    def run_count(self):
        """How many runs have ended well, at the log's level "debug"."""
        return max((int(number) for number in RUN.findall(self.said)), default=0)
