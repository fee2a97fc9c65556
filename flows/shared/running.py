"""How a flow is declared.

Errors become a Failed state that says what failed; a run that came to an outcome leaves its summary
as a file, as an artifact, and as the flow's result. People are told once of a run that failed or
crashed: by the run itself, or by the worker where the run's process was killed.
"""

import functools
import time
from collections.abc import Callable
from inspect import signature
from typing import Any, TypeVar, cast

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.exceptions import FailedRun
from prefect.logging import get_run_logger
from prefect.states import Failed

from driftline.errors import DriftlineError
from flows.shared.importing import await_imports
from flows.shared.parameters import refuse_unwritable
from flows.shared.summary import summary_markdown
from tasks.decorators import RETRY_DELAYS_SECONDS
from tasks.log.attempts import ATTEMPTS, take_given_up_if_there
from tasks.people.channels import check_channels
from tasks.people.notifications import FLOW_FAILED, notify
from tasks.people.reporting import show_text, write_summary
from tasks.progress import STOPWATCH, hide_traces, tell
from tasks.reaching import is_prefect_away, of_path
from tasks.reading.locations import conceal
from tasks.server.deployments import has_failed_before
from tasks.server.heartbeat import tell_if_overdue

SWEEP = "sweep"  # it cannot miss itself

Sections = dict[str, Any]
Story = TypeVar("Story", bound=Callable[..., Sections])


class UnwantedOutcomeError(DriftlineError):
    """The run came to an outcome that its caller had ruled out; `sections` still hold it."""

    def __init__(self, message: str, sections: Sections) -> None:
        """Keep what the run found, so that its summary is written all the same."""
        super().__init__(message)
        self.sections = sections


class PatientFlow(Flow[..., Any]):
    """A flow that, inside another one, waits for a Prefect server that is away at its start.

    Prefect tries again wherever a server has answered once, but begins each flow as if none had.
    """

    begun = 0  # how often its story has begun

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it; what has begun is not begun again."""
        before = self.begun
        delays = [] if FlowRunContext.get() is None else list(RETRY_DELAYS_SECONDS)
        while True:
            try:
                return super().__call__(*args, **kwargs)
            except Exception as error:
                if not delays or not is_prefect_away(error) or self.begun > before:
                    raise
            seconds = delays.pop(0)
            tell(f"Prefect's server did not answer; trying again in {seconds:g} s")
            time.sleep(seconds)


def driftline_flow(name: str, run_name: str) -> Callable[[Story], Story]:
    """Declare a flow whose function returns the sections of its summary."""

    def declare(story: Story) -> Story:
        @functools.wraps(story)
        def run(*args: Any, **kwargs: Any) -> Sections | State[Any]:
            declared.begun += 1
            hide_traces()
            await_imports()
            is_outermost = _stands_alone(_this_run())
            try:
                refuse_unwritable(signature(story).bind(*args, **kwargs).arguments)
                if is_outermost:
                    STOPWATCH.seconds.clear()
                    check_channels()
                    if name != SWEEP and _this_run().deployment_id is not None:
                        tell_if_overdue()
                sections = story(
                    *map(concealed, args), **{k: concealed(v) for k, v in kwargs.items()}
                )
                if is_outermost:
                    sections = _conclude(name, sections)
            except UnwantedOutcomeError as error:
                if is_outermost:
                    _conclude(name, error.sections)
                return Failed(message=str(error))
            except (DriftlineError, FailedRun, OSError) as error:
                known = of_path(error) or error
                if not isinstance(known, DriftlineError | FailedRun):
                    raise
                get_run_logger().error("%s stopped: %s", name, known)
                return Failed(message=str(known))
            return sections

        declared = PatientFlow(
            run,
            name=name,
            flow_run_name=run_name,
            on_failure=[tell_failed],
            on_crashed=[tell_failed],
        )
        return cast("Story", declared)

    return declare


def tell_failed(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Tell people that a run failed or crashed; the end of a flow inside it is not told again.

    A run that is about no problem is a sweep, which begins anew by itself: only the first of
    several that fail is told. What was ordered is tried again by itself, and told when it is given
    up.
    """
    problem = _name_of(flow_run.parameters)
    if not _stands_alone(flow_run):
        return
    if flow_run.parameters.get("only_ordered"):
        given_up = take_given_up_if_there(problem)
        if given_up is None or given_up:
            tell_given_up(flow.name, problem, _reason(state), run_id=str(flow_run.id))
    elif problem or not has_failed_before(flow_run):
        payload = {"flow": flow.name, "reasons": [_reason(state)]}
        notify(FLOW_FAILED, problem, payload, run_id=str(flow_run.id))


def tell_given_up(flow: str, problem: str, reason: str, *, run_id: str = "") -> None:
    """Tell people that an order is not tried any more."""
    wanted = f"wanted its cause mended, and then: python -m flows.{flow} {problem}"
    given_up = f"tried {ATTEMPTS} times and given up; {wanted}"
    payload = {"flow": flow, "reasons": [reason, given_up]}
    notify(FLOW_FAILED, problem, payload, run_id=run_id)


def tell_cancelled(flow: str, problem: str) -> None:
    """Tell people that an ordered run was cancelled by one of them, and is left to them."""
    wanted = f"wanted, to carry it out after all: python -m flows.{flow} {problem}"
    reason = f"a person cancelled its run, and it is not begun again by itself; {wanted}"
    notify(FLOW_FAILED, problem, {"flow": flow, "reasons": [reason]})


def is_scheduled() -> bool:
    """Whether a schedule has started the outermost run that this is, and nobody asked for it."""
    return bool(_this_run().auto_scheduled)


def _stands_alone(run: FlowRun) -> bool:
    """Whether nobody waits for its outcome; a sweep starts deployments and does not wait."""
    return run.parent_task_run_id is None or run.deployment_id is not None


def _this_run() -> FlowRun:
    return cast("FlowRun", cast("FlowRunContext", FlowRunContext.get()).flow_run)


def _reason(state: State[Any]) -> str:
    """Our own words, or the kind of an unforeseen error, whose words may hold values of rows."""
    error = getattr(state.data, "result", None)
    return type(error).__name__ if isinstance(error, Exception) else str(state.message)


def concealed(value: Any) -> Any:
    """A parameter as Prefect, logs and summaries may know it: a URL without its password."""
    return conceal(value) if isinstance(value, str) else value


def _name_of(parameters: dict[str, Any]) -> str:
    return str(parameters.get("problem") or "").replace("-", "_")


def _conclude(name: str, sections: Sections) -> Sections:
    run = _this_run()
    run_id, problem = str(run.id), _name_of(run.parameters)
    summary = sections | {"flow": name, "problem": problem, "run_id": run_id}
    summary["seconds"] = dict(STOPWATCH.seconds)
    write_summary(run_id, summary)
    if sections:  # else nothing was done, and nothing is shown
        show_text("summary", summary_markdown(summary), f"{name} of {problem}")
    return summary
