"""Runs whose processes are gone: their machine was lost, or their worker was stopped.

Prefect would show them as running for ever, and nobody could have told of them.
"""

from datetime import datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events.filters import (
    EventFilter,
    EventNameFilter,
    EventOccurredFilter,
    EventResourceFilter,
)
from prefect.states import Crashed

from tasks.people.notifications import FLOW_FAILED, notify

BEGUN = FlowRunFilterState(
    type=FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING, StateType.CANCELLING])
)
STOPPED = "its process is gone: the system was stopped while it ran"
SILENT = "its process is gone: nothing was heard of it for five minutes"
SILENCE = timedelta(minutes=5)


def end_abandoned_runs(pool: str) -> list[str]:
    """End what a pool's worker began, and people are told; only while no worker of it runs."""
    with get_client(sync_client=True) as client:
        begun = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=BEGUN),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
        )
        return _end(client, begun, STOPPED)


def find_silent_runs(since: datetime) -> list[FlowRun]:
    """Runs that began before a moment, and of which nothing was heard since; those of deployments.

    Each run says every half minute that it lives; to a server that was away, nobody did.
    """
    with get_client(sync_client=True) as client:
        running = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING])),
                deployment_id=FlowRunFilterDeploymentId(is_null_=False),
                start_time=FlowRunFilterStartTime(before_=since),
            )
        )
        return [run for run in running if not _is_heard(client, run, since)]


def end_silent_runs(runs: list[FlowRun], since: datetime) -> list[str]:
    """End those of the runs that are silent since a moment still, and people are told; their names.

    For the caller to know: that the server has been there since, to hear them.
    """
    silent = {run.id for run in find_silent_runs(since)}
    with get_client(sync_client=True) as client:
        return _end(client, [run for run in runs if run.id in silent], SILENT)


def _is_heard(client: SyncPrefectClient, run: FlowRun, since: datetime) -> bool:
    beats = EventFilter(
        event=EventNameFilter(name=["prefect.flow-run.heartbeat"]),
        resource=EventResourceFilter(id=[f"prefect.flow-run.{run.id}"]),
        occurred=EventOccurredFilter(since=since),
    )
    return bool(client.read_events(beats, limit=1).events)


def _end(client: SyncPrefectClient, outermost: list[FlowRun], why: str) -> list[str]:
    """Mark runs and those inside them as crashed; their names."""
    for run in _with_inner_runs(client, outermost):
        client.set_flow_run_state(run.id, Crashed(message=why), force=True)
    for run in outermost:
        problem = str(run.parameters.get("problem") or "").replace("-", "_")
        if not problem:
            continue  # a sweep, which begins anew by itself
        notify(FLOW_FAILED, problem, {"flow": run.name, "reasons": [why]}, run_id=str(run.id))
    return [run.name for run in outermost]


def _with_inner_runs(client: SyncPrefectClient, runs: list[FlowRun]) -> list[FlowRun]:
    if not runs:
        return []
    parents = FlowRunFilterParentFlowRunId(any_=[run.id for run in runs])
    inner = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=BEGUN, parent_flow_run_id=parents)
    )
    return runs + _with_inner_runs(client, inner)
