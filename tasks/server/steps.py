"""What a run of Prefect's says of its steps while it goes on, for who waits for it."""

from datetime import datetime
from uuid import UUID

from tasks.decorators import io

BEGINS = " ..."  # how `tasks.progress.step` says that one begins
AT_ONCE = 200  # as many as the server gives


@io(name="read lines")
def read_lines(run_id: str, after: datetime) -> list[tuple[datetime, str]]:
    """Lines that a run, and the runs that it called, have said after a moment, in order."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterParentFlowRunId,
        LogFilter,
        LogFilterFlowRunId,
        LogFilterTimestamp,
    )
    from prefect.client.schemas.sorting import LogSort

    below = FlowRunFilterParentFlowRunId(any_=[UUID(run_id)])
    with get_client(sync_client=True) as client:
        called = client.read_flow_runs(flow_run_filter=FlowRunFilter(parent_flow_run_id=below))
        said = client.read_logs(
            LogFilter(
                flow_run_id=LogFilterFlowRunId(any_=[UUID(run_id), *(run.id for run in called)]),
                timestamp=LogFilterTimestamp(after_=after),
            ),
            sort=LogSort.TIMESTAMP_ASC,
            limit=AT_ONCE,
        )
    return [(line.timestamp, line.message) for line in said if line.timestamp > after]


def is_step(message: str) -> bool:
    """Whether a line says that a step begins."""
    return message.endswith(BEGINS) and len(message.splitlines()) == 1
