"""The processes that `make up` starts on this machine, each with a log in the state folder.

They are ended in the other order; the end of one of them by itself is an error.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from driftline.errors import DriftlineError

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300.0  # a part that ends before is noticed at once
STOP_SECONDS = 10.0
BY_INTERRUPT = ("worker",)  # it ends its runs then, and tells its server


class PartError(DriftlineError):
    """A part cannot start, or has ended by itself."""


class Parts:
    """The parts that run, by name."""

    def __init__(self, stack: ExitStack, logs: Path) -> None:
        """End with the stack what is started here, and log to files of a folder."""
        self._stack, self._logs = stack, logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, list[str]] = {}

    def start(self, name: str, words: list[str]) -> None:
        """Start `python -m <words>`, to be ended with the others."""
        self._commands[name] = words
        self._launch(name)
        self._stack.callback(self.end, name)

    def restart(self, name: str) -> None:
        """End a part and start it again as it was."""
        self.end(name)
        self._launch(name)

    def await_answer(self, name: str, url: str) -> None:
        """Wait for a part's first answer."""
        give_up = time.monotonic() + START_SECONDS
        while not _answers(url):
            self.check()
            if time.monotonic() > give_up:
                message = f"{name}: no answer on {url} in {START_SECONDS:g} s; see {self.log(name)}"
                raise PartError(message)
            time.sleep(0.2)
        tell(f"{name}: {url.rpartition('/')[0].removesuffix('/api')}")

    def check(self) -> None:
        """`PartError` where a part has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                message = f"{name} ended with {process.returncode}; see {self.log(name)}"
                raise PartError(message)

    def end(self, name: str) -> None:
        """Ask a part to end; make it end where it does not."""
        process = self._running.pop(name, None)
        if process is None:  # it was about to be started again
            return
        if process.poll() is None:
            process.send_signal(signal.SIGINT if name in BY_INTERRUPT else signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever of it is left
        process.wait()
        tell(f"{name}: stopped")

    def log(self, name: str) -> Path:
        """Where a part writes."""
        return self._logs / f"{name}.log"

    def _launch(self, name: str) -> None:
        """Start a part in a process group of its own."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as out:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", *self._commands[name]],
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )


def tell(message: str) -> None:
    """Say to whoever has typed `make up` how far it is."""
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - this machine's own server
            return True
    except (OSError, urllib.error.URLError):
        return False
