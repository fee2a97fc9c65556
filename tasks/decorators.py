"""How tasks are declared: work runs once, I/O may be repeated, and a person's mistake is not retried."""

from functools import partial
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from driftline.errors import DriftlineError


def _is_worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    """An outage may pass; a mistake in a file does not."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, ConnectionError | TimeoutError) or not isinstance(
        error, DriftlineError
    )


work = partial(task, cache_policy=NO_CACHE, persist_result=False)
io = partial(
    task,
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=_is_worth_retrying,
)
