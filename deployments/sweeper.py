"""Sweeps each minute, in a process of its own beside a worker: no run of Prefect's, few requests.

Nothing that fails ends it: it tries again a minute later. When it last came to its end is recorded
(`tasks/server/heartbeat.py`), so that others notice where it does not.
"""

import logging
import sys
import time
from datetime import UTC, datetime, timedelta

import flows  # noqa: F401 - points the tools at the state folder
from driftline.errors import DriftlineError
from flows.shared.sweeping import sweep_problems
from tasks.data.problems import list_problems
from tasks.progress import tell
from tasks.server import abandoned

EVERY_SECONDS = 60.0
NEXT_WITHIN = timedelta(minutes=5)


class Sweeper:
    """Remembers since when Prefect's server has answered, and so heard whoever lives."""

    def __init__(self) -> None:
        """It has not answered yet."""
        self._answers_since: datetime | None = None

    def sweep(self) -> None:
        """Look after all; raises what stands in the way."""
        now = datetime.now(UTC)
        try:
            silent = abandoned.find_silent_runs(now - abandoned.SILENCE)
            if silent and self._answers_since and now - self._answers_since > abandoned.SILENCE:
                for run in abandoned.end_silent_runs(silent, now - abandoned.SILENCE):
                    tell(f"{run}: nothing is heard of it, so it is marked as crashed")
            sweep_problems(list_problems(), next_within=NEXT_WITHIN)
        except Exception:
            self._answers_since = None
            raise
        self._answers_since = self._answers_since or now


def main() -> None:
    """Sweep until ended."""
    _show_what_is_told()
    sweeper = Sweeper()
    while True:
        begun = time.monotonic()
        try:
            sweeper.sweep()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next sweep may succeed
            why = str(error) if isinstance(error, DriftlineError) else type(error).__name__
            tell(f"no sweep: {why}")
        time.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - begun)))


def _show_what_is_told() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s | %(message)s"))
    logger = logging.getLogger("driftline")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


if __name__ == "__main__":
    main()
