"""Notices what runs and does nothing: a Prefect server that takes no write, a sweeper that hangs.

On SQLite one of the server's writers can be left holding the lock: it still shows its pages then,
and every run waits for it without end. Runs outlast a restart, and no decision is the server's.
"""

import json
import threading
import time
import urllib.request
from contextlib import ExitStack, suppress
from http.client import HTTPException

from deployments.local.parts import Parts, tell
from deployments.sweeper import NEXT_WITHIN
from driftline.errors import DriftlineError
from tasks.server.heartbeat import expect_no_sweep, expect_sweep, tell_if_overdue

HUNG_SECONDS = 60.0
PROBE_SECONDS, PAUSE_SECONDS = 20.0, 5.0
LOOK_SECONDS = 15.0


class Watchdog:
    """Writes to a server now and then, in a thread of its own."""

    def __init__(self, api: str) -> None:
        """Watch the server whose API is here."""
        self._url = f"{api}/flows/"
        self._written_at = time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def is_hung(self) -> bool:
        """Whether the server has taken no write for too long."""
        return time.monotonic() - self._written_at > HUNG_SECONDS

    def forgive(self) -> None:
        """Begin anew: the server has been started again."""
        self._written_at = time.monotonic()

    def _watch(self) -> None:
        while True:
            if self._can_write():
                self._written_at = time.monotonic()
            time.sleep(PAUSE_SECONDS)

    def _can_write(self) -> bool:
        """Whether a flow can be named that is there already, which takes the lock and no more."""
        request = urllib.request.Request(  # noqa: S310 - this machine's own server
            self._url,
            data=json.dumps({"name": "sweep"}).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()  # noqa: S310 - as above
        except (OSError, HTTPException):
            return False
        return True


class SweepWatch:
    """Runs the sweeper, tells people where sweeps stop, and starts it again."""

    def __init__(self, parts: Parts) -> None:
        """It is one of these parts."""
        self._parts = parts
        self._looked_at = time.monotonic()

    def begin(self, stack: ExitStack) -> None:
        """Start it; once the stack has ended it, nobody misses a sweep."""
        _expect()
        stack.callback(_expect_none)
        self._parts.start("sweeper", ["deployments.sweeper"])

    def look(self) -> None:
        """See now and then whether the sweep that was due has come."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        if tell_if_overdue():
            tell("sweeper: has not swept for too long, and is started again")
            _expect()
            self._parts.restart("sweeper")


def _expect() -> None:
    with suppress(DriftlineError):  # a store that is away ends nothing here
        expect_sweep(NEXT_WITHIN)


def _expect_none() -> None:
    with suppress(DriftlineError):
        expect_no_sweep()
