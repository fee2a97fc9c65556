"""How a flow is declared.

Errors become a Failed state that says what failed; a run that came to an outcome leaves its summary
as a file, as an artifact, and as the flow's result.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.exceptions import FailedRun
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Failed

from driftline.errors import DriftlineError
from flows.summary import summary_markdown
from tasks.notifications import FLOW_FAILED, notify
from tasks.progress import STOPWATCH, hide_traces
from tasks.reporting import show_text, write_summary

Sections = dict[str, Any]
Story = TypeVar("Story", bound=Callable[..., Sections])


class UnwantedOutcomeError(DriftlineError):
    """The run came to an outcome that its caller had ruled out; `sections` still hold it."""

    def __init__(self, message: str, sections: Sections) -> None:
        """Keep what the run found, so that its summary is written all the same."""
        super().__init__(message)
        self.sections = sections


def driftline_flow(name: str, run_name: str) -> Callable[[Story], Story]:
    """Declare a flow whose function returns the sections of its summary."""

    def declare(story: Story) -> Story:
        @functools.wraps(story)
        def run(*args: Any, **kwargs: Any) -> Sections | State[Any]:
            hide_traces()
            is_outermost = not flow_run.parent_flow_run_id
            if is_outermost:
                STOPWATCH.seconds.clear()
            try:
                sections = story(*args, **kwargs)
            except UnwantedOutcomeError as error:
                if is_outermost:
                    _conclude(name, error.sections)
                return Failed(message=str(error))
            except (DriftlineError, FailedRun) as error:
                get_run_logger().error("%s stopped: %s", name, error)
                if is_outermost:
                    notify(FLOW_FAILED, _problem(), {"flow": name, "reasons": [str(error)]})
                return Failed(message=str(error))
            except Exception as error:
                if is_outermost:
                    notify(
                        FLOW_FAILED, _problem(), {"flow": name, "reasons": [type(error).__name__]}
                    )
                raise
            return _conclude(name, sections) if is_outermost else sections

        declared = flow(name=name, flow_run_name=run_name)(run)
        return cast("Story", declared)

    return declare


def _problem() -> str:
    return str(flow_run.parameters.get("problem") or "").replace("-", "_")


def _conclude(name: str, sections: Sections) -> Sections:
    run_id = str(flow_run.id)
    summary = sections | {"flow": name, "problem": _problem(), "run_id": run_id}
    summary["seconds"] = dict(STOPWATCH.seconds)
    write_summary(run_id, summary)
    show_text("summary", summary_markdown(summary), f"{name} of {_problem()}")
    return summary
