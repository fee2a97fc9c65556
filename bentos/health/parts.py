"""How each part of the service is: its threads, the processes beside it, its spool.

Who runs a part reports it here; `/readyz` and `/metrics` read it. A part that has not been heard of
for too long is silent, whatever it said last, so that no thread ends unnoticed.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

LONGEST_PAUSE_SECONDS = 10.0
MOST_DOUBLINGS = 10
NOT_SERVING = "not_ready"
GOOD_SECONDS = 60.0  # a report is good for so long

Health = Literal["up", "degraded", "down", "silent"]

log = logging.getLogger("driftline.service")


@dataclass(frozen=True)
class Part:
    """What was last heard of a part; `why` names no value that a client sent."""

    health: Health
    since: float  # seconds since the epoch
    why: str
    heard_at: float  # by the monotonic clock


class Parts:
    """The parts by name. Those that are vital take the readiness with them when they are down."""

    def __init__(self, *, vital: frozenset[str] = frozenset()) -> None:
        """Start without any part."""
        self._vital = vital
        self._lock = threading.Lock()
        self._parts: dict[str, Part] = {}

    def report(self, name: str, health: Health, why: str = "") -> bool:
        """Say how a part is; `since` moves where this is new. Returns whether it is."""
        now = time.monotonic()
        with self._lock:
            old = self._parts.get(name)
            if old is not None and old.health == health:
                self._parts[name] = Part(health, old.since, why, now)
                return False
            self._parts[name] = Part(health, time.time(), why, now)
        return True

    def read(self) -> dict[str, Part]:
        """Every part as it is now."""
        now = time.monotonic()
        with self._lock:
            return {name: _heard(part, now) for name, part in sorted(self._parts.items())}

    def describe(self) -> dict[str, Any]:
        """The body of `/readyz`: `ready`, `degraded` or `not_ready`, and each part."""
        parts = self.read()
        return {
            "status": self._status(parts),
            "parts": {name: _describe(part) for name, part in parts.items()},
        }

    def _status(self, parts: Mapping[str, Part]) -> str:
        if any(parts[name].health == "down" for name in self._vital & parts.keys()):
            return NOT_SERVING
        return "ready" if all(part.health == "up" for part in parts.values()) else "degraded"


def _heard(part: Part, now: float) -> Part:
    if now - part.heard_at <= GOOD_SECONDS:
        return part
    last_heard = time.time() - (now - part.heard_at)
    return Part("silent", last_heard, "nothing was heard of it", part.heard_at)


def _describe(part: Part) -> dict[str, Any]:
    since = datetime.fromtimestamp(part.since, UTC).isoformat(timespec="seconds")
    told = {"state": part.health, "since": since}
    return told | ({"why": part.why} if part.why else {})


def attempt(parts: Parts, name: str, work: Callable[[], None]) -> bool:
    """Work once; whatever is raised is reported, and logged where it is new. Whether it worked."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - such as no more descriptors; they come back
        if parts.report(name, "down", type(error).__name__):
            log.error("the %s could not do its work: %s", name, type(error).__name__)  # noqa: TRY400 - it says it all
        return False
    parts.report(name, "up")
    return True


def keep_going(
    parts: Parts,
    name: str,
    work: Callable[[], None],
    *,
    seconds: float,
    is_over: Callable[[float], bool],
) -> None:
    """Work every so many seconds until `is_over(seconds)`, which waits that long, says so.

    What fails is tried again after growing pauses.
    """
    failures = 0
    while not is_over(min(seconds * 2**failures, max(seconds, LONGEST_PAUSE_SECONDS))):
        worked = attempt(parts, name, work)
        failures = 0 if worked else min(failures + 1, MOST_DOUBLINGS)
