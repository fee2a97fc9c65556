"""What a run tells while it goes: one log line per step, kept with the seconds it took."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger

from driftline.errors import DriftlineError

PROGRESS = {"driftline_progress": True}


@dataclass
class Stopwatch:
    """Seconds per step of the flow that is running in this process."""

    seconds: dict[str, float] = field(default_factory=dict)


STOPWATCH = Stopwatch()


def tell(message: str) -> None:
    """Say how far the work is, to the run's log and to whoever watches."""
    try:
        get_run_logger().info(message, extra=PROGRESS)
    except MissingContextError:
        logging.getLogger("driftline").info(message, extra=PROGRESS)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time a step of a flow, and say when it begins and ends."""
    tell(f"{name} ...")
    begun = time.perf_counter()
    yield
    taken = time.perf_counter() - begun
    STOPWATCH.seconds[name] = round(STOPWATCH.seconds.get(name, 0.0) + taken, 2)
    tell(f"{name}: done in {taken:.1f} s")


class HideTraces(logging.Filter):
    """Drops the stack trace of errors that a person can mend; the message says it all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record, without the trace of a `DriftlineError`."""
        error: Any = record.exc_info[1] if record.exc_info else None
        while error is not None:
            if isinstance(error, DriftlineError):
                record.exc_info, record.exc_text = None, None
                break
            error = error.__cause__
        return True


def hide_traces() -> None:
    """Keep stack traces of a person's mistakes out of the logs of runs."""
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logger = logging.getLogger(name)
        if not any(isinstance(each, HideTraces) for each in logger.filters):
            logger.addFilter(HideTraces())
