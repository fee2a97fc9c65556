"""How tasks are declared: work runs once, I/O may be repeated, a person's mistake is not retried.

Both leave the function's type as it is, so that callers are checked against its own signature.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.utilities.annotations import quote

from driftline.errors import DriftlineError, UnavailableError
from tasks.progress import tell
from tasks.reaching import is_prefect_away, naming_outages
from tasks.settings import get_settings

Function = TypeVar("Function", bound=Callable[..., Any])

LONGEST_DELAY_SECONDS = 30.0
WRITERS_AT_ONCE = ("mlflow", "sqlalchemy")  # a deadlock, or a row that another made first
WRONG_REQUEST = "INVALID_PARAMETER_VALUE"  # of MLflow: no wait makes it right
WRONG_PATHS = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
)


_MAKES_RUNS: ContextVar[bool] = ContextVar("makes_task_runs", default=True)


class _Task(Task[..., Any]):
    """A task that is a plain function where nobody wants a run of it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it as Prefect does, or just call its function.

        Prefect looks through what it passes on for results that are still to come, which takes
        seconds for each call with a million digests. Here there are none.
        """
        if _MAKES_RUNS.get():
            passed = {name: quote(value) for name, value in kwargs.items()}
            return super().__call__(*map(quote, args), **passed)
        return self.fn(*args, **kwargs)


@contextmanager
def without_task_runs() -> Iterator[None]:
    """Within it a task is its function: the server has no run of it, and nothing is retried."""
    token = _MAKES_RUNS.set(False)
    try:
        yield
    finally:
        _MAKES_RUNS.reset(token)


def retry_delays(patience_seconds: float) -> list[float]:
    """Growing pauses between attempts, which together last that long."""
    delays: list[float] = []
    while (rest := patience_seconds - sum(delays)) > 0:
        delays.append(min(2.0 ** len(delays), LONGEST_DELAY_SECONDS, rest))
    return delays


RETRY_DELAYS_SECONDS = retry_delays(get_settings().patience_seconds)


def work(name: str, run_name: str | None = None) -> Callable[[Function], Function]:
    """A task that computes: it runs once."""

    def declare(function: Function) -> Function:
        declared = _Task(
            function,
            name=name,
            task_run_name=run_name,
            cache_policy=NO_CACHE,
            persist_result=False,
        )
        return cast("Function", declared)

    return declare


def io(name: str, run_name: str | None = None) -> Callable[[Function], Function]:
    """A task that reaches outside and is safe to repeat: an outage may pass."""

    def declare(function: Function) -> Function:
        @functools.wraps(function)
        def attempt(*args: Any, **kwargs: Any) -> Any:
            with naming_outages():
                return function(*args, **kwargs)

        declared = _Task(
            attempt,
            name=name,
            task_run_name=run_name,
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=len(RETRY_DELAYS_SECONDS),
            retry_delay_seconds=RETRY_DELAYS_SECONDS,
            retry_condition_fn=_is_worth_retrying,
        )
        return cast("Function", declared)

    return declare


def may_pass(error: Exception) -> bool:
    """Whether waiting may help: what is away may come back, what is wrong stays wrong."""
    if isinstance(error, DriftlineError):
        return isinstance(error, UnavailableError)
    if getattr(error, "error_code", "") == WRONG_REQUEST:
        return False
    if type(error).__module__.split(".")[0] in WRITERS_AT_ONCE or is_prefect_away(error):
        return True
    return isinstance(error, OSError) and not isinstance(error, WRONG_PATHS)


def _is_worth_retrying(_task: Any, run: Any, state: Any) -> bool:
    error = state.result(raise_on_failure=False)
    is_worth = may_pass(error)
    if is_worth and run.run_count <= len(RETRY_DELAYS_SECONDS):
        what = error if isinstance(error, UnavailableError) else type(error).__name__
        tell(f"{what}; trying again in {RETRY_DELAYS_SECONDS[run.run_count - 1]:g} s")
    return is_worth
