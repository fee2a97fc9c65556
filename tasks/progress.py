"""What a run tells while it goes: one log line per step, kept with the seconds it took."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from prefect.exceptions import FailedRun, MissingContextError
from prefect.logging import get_run_logger

from driftline.errors import DriftlineError

PROGRESS = {"driftline_progress": True}
TOLD_SHARE = 0.1  # where no terminal shows a bar, a line for each tenth


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
    """Drops the stack trace where the message says it all: of a mistake, and of a failed run."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record, without such a trace."""
        error: Any = record.exc_info[1] if record.exc_info else None
        while error is not None:
            if isinstance(error, DriftlineError | FailedRun):
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


@contextmanager
def bar(name: str) -> Iterator[Callable[[float], None]]:
    """A function to call with the share that is done (0 to 1).

    Shown as a bar on a terminal, else as lines, and as a progress artifact in the Prefect UI.
    """
    from prefect.artifacts import create_progress_artifact, update_progress_artifact
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    is_watched, told = sys.stderr.isatty(), 0.0
    columns = ("  {task.description}", BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    artifact = create_progress_artifact(progress=0.0, key=name.replace(" ", "-"), description=name)
    with Progress(*columns, transient=True, disable=not is_watched) as shown:
        line = shown.add_task(name, total=1.0)

        def advance(share: float) -> None:
            nonlocal told
            shown.update(line, completed=share)
            if not is_watched and share >= min(told + TOLD_SHARE, 1.0):
                tell(f"{name}: {share:.0%}")
                told = share
            update_progress_artifact(cast("UUID", artifact), progress=round(100 * share, 1))

        yield advance
