"""Runs whose processes are gone: after a power cut, or when their worker was stopped.

Prefect would show them as running for ever, and nobody could have told of them.
"""

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

from tasks.notifications import FLOW_FAILED, notify

BEGUN = FlowRunFilterState(
    type=FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING, StateType.CANCELLING])
)
WHY = "its process is gone: the system was stopped while it ran"


def end_abandoned_runs(pool: str) -> list[str]:
    """End what a pool's worker began, and people are told; only while no worker of it runs."""
    with get_client(sync_client=True) as client:
        outermost = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=BEGUN),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
        )
        for run in _with_inner_runs(client, outermost):
            client.set_flow_run_state(run.id, Crashed(message=WHY), force=True)
    for run in outermost:
        problem = str(run.parameters.get("problem") or "").replace("-", "_")
        if not problem:
            continue  # a sweep, which begins anew every minute
        notify(FLOW_FAILED, problem, {"flow": run.name, "reasons": [WHY]}, run_id=str(run.id))
    return [run.name for run in outermost]


def _with_inner_runs(client: SyncPrefectClient, runs: list[FlowRun]) -> list[FlowRun]:
    if not runs:
        return []
    parents = FlowRunFilterParentFlowRunId(any_=[run.id for run in runs])
    inner = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=BEGUN, parent_flow_run_id=parents)
    )
    return runs + _with_inner_runs(client, inner)
