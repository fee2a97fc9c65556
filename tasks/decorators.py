"""How tasks are declared: work runs once, I/O may be repeated, a person's mistake is not retried.

Both leave the function's type as it is, so that callers are checked against its own signature.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE

from driftline.errors import DriftlineError, UnavailableError

Function = TypeVar("Function", bound=Callable[..., Any])

RETRY_DELAYS_SECONDS = [1.0, 5.0]


def work(name: str, run_name: str | None = None) -> Callable[[Function], Function]:
    """A task that computes: it runs once."""
    declare = task(name=name, task_run_name=run_name, cache_policy=NO_CACHE, persist_result=False)
    return cast("Callable[[Function], Function]", declare)


def io(name: str, run_name: str | None = None) -> Callable[[Function], Function]:
    """A task that reaches outside and is safe to repeat: an outage may pass."""
    declare = task(
        name=name,
        task_run_name=run_name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(RETRY_DELAYS_SECONDS),
        retry_delay_seconds=RETRY_DELAYS_SECONDS,
        retry_condition_fn=_is_worth_retrying,
    )
    return cast("Callable[[Function], Function]", declare)


def _is_worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    error = state.result(raise_on_failure=False)
    return isinstance(error, UnavailableError) or not isinstance(error, DriftlineError)
