"""Has the worker run the main job of a problem, tells its steps, and waits for its end.

The server is asked for the run again and again: a stream of its events ends for good where the
server is started again, and the run goes on.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from uuid import uuid4

from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_API_REQUEST_TIMEOUT,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)

from deployments.local.parts import START_SECONDS, PartError, tell
from tasks.decorators import without_task_runs
from tasks.reaching import is_prefect_away
from tasks.server.deployments import ended_runs, start_deployment
from tasks.server.steps import is_step, read_lines

LOOK_SECONDS, ANSWER_SECONDS = 1.0, 10.0


def run_main_job(problem: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Start `pipeline/<problem>` and stay until it is over, well or not.

    `meanwhile` is called between looks. `PartError` where Prefect has not answered for too long;
    `NotFoundError` where the flow is not deployed.
    """
    tell(f"no champion of {problem} yet: running the main job first, which takes minutes")
    job = _MainJob(problem)
    while not job.is_over():
        if time.monotonic() - job.answered_at > START_SECONDS:
            message = f"prefect: no answer in {START_SECONDS:g} s; wanted the end of {job.name}"
            raise PartError(message)
        job.tell_steps()
        meanwhile()
        time.sleep(LOOK_SECONDS)


class _MainJob:
    """One run of a problem's main job, and when the server was last heard of it."""

    def __init__(self, problem: str) -> None:
        """The run of this problem; it begins with the first question."""
        self.name = f"pipeline/{problem.replace('_', '-')}"
        self.answered_at = time.monotonic()
        self._problem = problem
        self._is_silent = False
        self._run_id = ""
        self._heard = datetime.now(UTC)  # up to when its steps have been told
        self._key = f"first:{uuid4()}"  # asked for twice, it starts once

    def is_over(self) -> bool:
        """Whether it has ended; False too where the server does not say."""
        try:
            with _brief(), without_task_runs():
                self._run_id = self._run_id or start_deployment(
                    self.name, key=self._key, parameters={"problem": self._problem}
                )
                ended = ended_runs([self._run_id])
        except Exception as error:
            if not (is_prefect_away(error) or _is_overburdened(error)):
                raise
            return False
        self.answered_at = time.monotonic()
        return bool(ended)

    def tell_steps(self) -> None:
        """Say which steps it has begun since; a server that does not tell keeps nobody waiting."""
        if not self._run_id:
            return
        try:
            with _brief(), without_task_runs():
                said = read_lines(self._run_id, self._heard)
        except Exception as error:  # noqa: BLE001 - the job goes on, told or not
            if not self._is_silent:
                tell(f"its steps cannot be told ({type(error).__name__}); it goes on")
            self._is_silent = True
            return
        for moment, message in said:
            self._heard = moment
            if is_step(message):
                tell(f"  {message}")


def _brief() -> AbstractContextManager[object]:
    """No question is waited for longer than the pause in which others are looked after."""
    return temporary_settings(
        {PREFECT_CLIENT_MAX_RETRIES: 0, PREFECT_API_REQUEST_TIMEOUT: ANSWER_SECONDS}
    )


def _is_overburdened(error: Exception) -> bool:
    """Whether the server answered that it cannot just now."""
    return isinstance(error, PrefectHTTPStatusError) and error.response.is_server_error
