"""Notices a Prefect server that answers and takes no write any more.

On SQLite one of its writers can be left holding the lock: the server still shows its pages then,
and every run waits for it without end. Runs outlast a restart, and no decision is the server's.
"""

import json
import threading
import time
import urllib.request
from http.client import HTTPException

HUNG_SECONDS = 60.0
PROBE_SECONDS, PAUSE_SECONDS = 20.0, 5.0


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
