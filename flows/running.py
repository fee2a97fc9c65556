"""How a flow is declared: errors become a Failed state that says what failed, and every run that
came to an outcome leaves its summary as a file, as an artifact, and as the flow's result.
"""

import functools
from collections.abc import Callable
from typing import Any

from prefect import Flow, flow
from prefect.exceptions import FailedRun
from prefect.runtime import flow_run
from prefect.states import Failed, State

from driftline.errors import DriftlineError
from flows.summary import summary_markdown
from tasks.progress import STOPWATCH, hide_traces, tell
from tasks.reporting import show_text, write_summary

Sections = dict[str, Any]


class UnwantedOutcomeError(DriftlineError):
    """The run came to an outcome that its caller had ruled out; `sections` still hold it."""

    def __init__(self, message: str, sections: Sections) -> None:
        """Keep what the run found, so that its summary is written all the same."""
        super().__init__(message)
        self.sections = sections


def driftline_flow(name: str, run_name: str) -> Callable[[Callable[..., Sections]], Flow[Any, Any]]:
    """Declare a flow whose function returns the sections of its summary."""

    def declare(story: Callable[..., Sections]) -> Flow[Any, Any]:
        @functools.wraps(story)
        def run(*args: Any, **kwargs: Any) -> Sections | State[Any]:
            hide_traces()
            is_outermost = not flow_run.parent_flow_run_id
            if is_outermost:
                STOPWATCH.seconds.clear()
            try:
                sections = story(*args, **kwargs)
            except UnwantedOutcomeError as error:
                _conclude(name, error.sections)
                return Failed(message=str(error))
            except (DriftlineError, FailedRun) as error:
                tell(f"{name} stopped: {error}")
                return Failed(message=str(error))
            return _conclude(name, sections)

        return flow(name=name, flow_run_name=run_name, log_prints=False)(run)

    return declare


def _conclude(name: str, sections: Sections) -> Sections:
    run_id = str(flow_run.id)
    problem = str(flow_run.parameters.get("problem", "")).replace("-", "_")
    summary = {"flow": name, "problem": problem, "run_id": run_id, **sections}
    summary["seconds"] = dict(STOPWATCH.seconds)
    write_summary(run_id, summary)
    show_text("summary", summary_markdown(summary), f"{name} of {problem}")
    return summary
