"""Prefect's server: starts runs of deployments, and tells which runs have ended."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import UUID

from driftline.errors import NotFoundError
from tasks.decorators import io

TIME_TO_BEGIN = timedelta(minutes=5)
NEWEST = 50  # runs that are looked through

if TYPE_CHECKING:
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.objects import FlowRun, State, StateType


@io(name="start deployment")
def start_deployment(name: str, *, key: str, parameters: dict[str, object]) -> str:
    """Start a run of `<flow>/<problem>` and do not wait; the same key starts one run only.

    `NotFoundError` where it is not deployed.
    """
    from prefect.deployments import run_deployment
    from prefect.exceptions import ObjectNotFound

    try:
        run = run_deployment(
            name, parameters=parameters, timeout=0, idempotency_key=key, as_subflow=False
        )
    except ObjectNotFound:
        raise _not_deployed(name) from None
    return str(cast("FlowRun", run).id)


@io(name="look for pause")
def find_pause(name: str) -> str | None:
    """What somebody has paused of `<flow>/<problem>`: its deployment, or its work pool.

    `NotFoundError` where it is not deployed.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            made = client.read_deployment_by_name(name)
        except ObjectNotFound:
            raise _not_deployed(name) from None
        if made.paused:
            return "its deployment"
        pool = made.work_pool_name
        is_held = pool is not None and client.read_work_pool(pool).is_paused
        return f"the work pool {pool}" if is_held else None


@io(name="look for waiting runs")
def is_awaited(name: str) -> bool:
    """Whether a run of `<flow>/<problem>` is due and has not begun.

    One that a worker took up and did not begin in time is not waited for: the worker may be gone.
    """
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterExpectedStartTime
    from prefect.client.schemas.objects import StateType

    now = datetime.now(UTC)
    due = FlowRunFilter(expected_start_time=FlowRunFilterExpectedStartTime(before_=now))
    fresh = FlowRunFilter(
        expected_start_time=FlowRunFilterExpectedStartTime(after_=now - TIME_TO_BEGIN)
    )
    return _has_runs(name, [StateType.SCHEDULED], due) or _has_runs(
        name, [StateType.PENDING], fresh
    )


@io(name="look for running runs")
def is_running(name: str) -> bool:
    """Whether a run of `<flow>/<problem>` is going on."""
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.objects import StateType

    return _has_runs(name, [StateType.RUNNING], FlowRunFilter())


def _not_deployed(name: str) -> NotFoundError:
    message = f"{name}: Prefect's server has no such deployment; wanted it deployed (make up)"
    return NotFoundError(message)


@io(name="look for runs cancelled before they began")
def cancelled_unbegun(name: str) -> datetime | None:
    """When a person last cancelled a run of `<flow>/<problem>` for orders that had not begun."""
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.objects import StateType

    cancelled = [StateType.CANCELLED, StateType.CANCELLING]
    moments = [
        run.state.timestamp
        for run in _find_runs(name, cancelled, FlowRunFilter())
        if run.state is not None and not run.run_count and run.parameters.get("only_ordered")
    ]
    return max(moments, default=None)


def _has_runs(name: str, states: list["StateType"], wanted: "FlowRunFilter") -> bool:
    return bool(_find_runs(name, states, wanted, most=1))


def _find_runs(
    name: str, states: list["StateType"], wanted: "FlowRunFilter", most: int = NEWEST
) -> list["FlowRun"]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterName,
        FlowFilter,
        FlowFilterName,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.sorting import FlowRunSort

    flow, _, problem = name.partition("/")
    wanted.state = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])),
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[problem])),
            flow_run_filter=wanted,
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=most,
        )


@io(name="look for ended runs")
def ended_runs(run_ids: Iterable[str]) -> set[str]:
    """Those of the runs that have ended, or that the server does not know."""
    states = _read_states(run_ids)
    return {run for run, state in states.items() if state is None or state.is_final()}


@io(name="look for cancelled runs")
def cancelled_runs(run_ids: Iterable[str]) -> set[str]:
    """Those of the runs that a person has cancelled, or is cancelling."""
    states = _read_states(run_ids)
    return {
        run
        for run, state in states.items()
        if state is not None and (state.is_cancelled() or state.is_cancelling())
    }


def _read_states(run_ids: Iterable[str]) -> dict[str, "State[object] | None"]:
    """The state of each run, None of one that the server does not know."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    states: dict[str, State[object] | None] = {}
    with get_client(sync_client=True) as client:
        for run_id in run_ids:
            try:
                states[run_id] = client.read_flow_run(UUID(run_id)).state
            except ObjectNotFound:
                states[run_id] = None
    return states


def has_failed_before(run: "FlowRun") -> bool:
    """Whether the run of this deployment that ended before it did not end well either."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterId,
        FlowRunFilter,
        FlowRunFilterId,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import TERMINAL_STATES
    from prefect.client.schemas.sorting import FlowRunSort

    if run.deployment_id is None:
        return False
    has_ended = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(TERMINAL_STATES)))
    with get_client(sync_client=True) as client:
        before = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=has_ended, id=FlowRunFilterId(not_any_=[run.id])),
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[run.deployment_id])),
            sort=FlowRunSort.END_TIME_DESC,
            limit=1,
        )
    return any(each.state is not None and not each.state.is_completed() for each in before)
