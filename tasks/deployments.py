"""Prefect's server: starts runs of deployments, and tells which runs have ended."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

from tasks.decorators import io


@io(name="start deployment")
def start_deployment(name: str, *, key: str, parameters: dict[str, object]) -> str:
    """Start a run of `<flow>/<problem>` and do not wait; the same key starts one run only."""
    from prefect.client.schemas.objects import FlowRun
    from prefect.deployments import run_deployment

    run = run_deployment(name, parameters=parameters, timeout=0, idempotency_key=key)
    return str(cast("FlowRun", run).id)


@io(name="look for ended runs")
def ended_runs(run_ids: Iterable[str]) -> set[str]:
    """Those of the runs that have ended, or that the server does not know."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    ended = set()
    with get_client(sync_client=True) as client:
        for run_id in run_ids:
            try:
                state = client.read_flow_run(UUID(run_id)).state
            except ObjectNotFound:
                ended.add(run_id)
                continue
            if state is None or state.is_final():
                ended.add(run_id)
    return ended
