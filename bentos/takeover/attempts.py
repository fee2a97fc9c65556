"""What could not be taken over, why, and when it is tried again.

The service and its courier each have their own; the courier's is kept in a file, for the service
to tell of it.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bentos.takeover.shelf import Pointer, bentoml_home, write_whole

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 30.0
TABLES = ".tables"  # what ends the name under which the trouble with tables of joins is kept


@dataclass(frozen=True)
class Trouble:
    """A version that could not be taken over: why, in one sentence, and how often it was tried."""

    version: str
    why: str
    attempts: int

    def __str__(self) -> str:
        """One sentence for `/readyz` and the log."""
        return f"version {self.version} could not be taken over: {self.why}"


class Attempts:
    """Failures in a row with one pointer; another pointer is tried at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a failure; `clock` tells seconds."""
        self._clock = clock
        self._pointer: Pointer | None = None
        self._due = 0.0
        self.trouble: Trouble | None = None

    def is_due(self, pointer: Pointer | None) -> bool:
        """Whether it is time to try this pointer; None is one that cannot be read."""
        return self.trouble is None or pointer != self._pointer or self._clock() >= self._due

    def fail(self, pointer: Pointer | None, why: str) -> bool:
        """Note a failure; whether it is worth telling, since it is another than the last one."""
        last = self.trouble if pointer == self._pointer else None
        attempts = 1 if last is None else last.attempts + 1
        self._pointer, self._due = pointer, self._clock() + pause_seconds(attempts)
        version = "unknown" if pointer is None else pointer.version
        self.trouble = Trouble(version, why, attempts)
        return last is None or last.why != why

    def succeed(self) -> None:
        """Forget what failed."""
        self._pointer, self.trouble = None, None


def pause_seconds(failures: int) -> float:
    """How long to wait after so many failures in a row: 2, 4, ... 30 s."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS)


def trouble_file(problem: str) -> Path:
    """Where the courier says what it could not bring here."""
    return bentoml_home() / "serving" / f"{problem}.courier.json"


def write_trouble(problem: str, trouble: Trouble | None) -> None:
    """Keep what the courier could not bring, or that there is nothing of the kind."""
    path = trouble_file(problem)
    if trouble is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(path, json.dumps(asdict(trouble)).encode())


def read_trouble(problem: str) -> Trouble | None:
    """What the courier could not bring here, where there is anything."""
    try:
        return Trouble(**json.loads(trouble_file(problem).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
