"""Sweep: start what was ordered and whose event was lost, and finish what dead runs began.

Beside a worker that `make up` has started, `deployments/sweeper.py` does it each minute without a
run. Elsewhere this flow's deployment does it on its schedule.
"""

import time
from datetime import UTC, datetime, timedelta

from prefect.runtime import deployment

from flows.shared.running import Sections, driftline_flow
from flows.shared.sweeping import sweep_problem, sweep_problems
from tasks.data.problems import list_problems
from tasks.progress import tell
from tasks.server import abandoned

NEXT_WITHIN = timedelta(minutes=45)  # three of its schedule's
WATCH_SECONDS = 120.0  # four times in which a run says that it lives


@driftline_flow("sweep", run_name="sweep")
def sweep(problem: str | None = None) -> Sections:
    """Look through the runs, and the orders and the aliases of a problem or of all."""
    is_scheduled = deployment.id is not None
    if is_scheduled:
        end_silent_runs()
    if problem:
        sweep_problem(problem)
    else:
        sweep_problems(list_problems(), next_within=NEXT_WITHIN if is_scheduled else None)
    return {}


def end_silent_runs() -> None:
    """End runs of which nothing is heard, after listening: the server may have been away."""
    begun = datetime.now(UTC)
    suspects = abandoned.find_silent_runs(begun - abandoned.SILENCE)
    if not suspects:
        return
    tell(f"nothing is heard of {len(suspects)} runs; listening for {WATCH_SECONDS:g} s")
    time.sleep(WATCH_SECONDS)
    for run in abandoned.end_silent_runs(suspects, begun):
        tell(f"{run}: nothing is heard of it, so it is marked as crashed")


if __name__ == "__main__":
    from flows.shared.command import run

    run(sweep)
