"""What Prefect's server, a real one, knows of runs."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import (
    AwaitingConcurrencySlot,
    Completed,
    Crashed,
    Failed,
    Pending,
    Running,
    Scheduled,
    State,
)

from tasks.server.deployments import ended_runs, has_failed_before, is_awaited, is_running


@pytest.fixture
def client(prefect_api: str) -> SyncPrefectClient:
    del prefect_api
    return get_client(sync_client=True)


def make_runs(client: SyncPrefectClient, *states: State) -> list[FlowRun]:
    """Runs of a new deployment, which ended or began in this order."""
    flow = client.create_flow_from_name(f"flow-{uuid4()}")
    deployment = client.create_deployment(flow, name="every-minute")
    runs = [client.create_flow_run_from_deployment(deployment) for _ in states]
    for run, state in zip(runs, states, strict=True):
        client.set_flow_run_state(run.id, Running(), force=True)
        client.set_flow_run_state(run.id, state, force=True)
    return [client.read_flow_run(run.id) for run in runs]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([Failed()], False),
        ([Completed(), Failed()], False),
        ([Failed(), Failed()], True),
        ([Crashed(), Failed()], True),
        ([Failed(), Completed(), Failed()], False),
    ],
)
def test_a_run_knows_whether_the_one_before_it_failed(
    client: SyncPrefectClient,
    states: list[State],
    expected: bool,
) -> None:
    assert has_failed_before(make_runs(client, *states)[-1]) == expected


def test_runs_that_ended_and_runs_that_nobody_knows_are_told(client: SyncPrefectClient) -> None:
    ended, going = make_runs(client, Failed(), Running())
    unknown = str(uuid4())

    found = ended_runs.fn([str(ended.id), str(going.id), unknown])

    assert found == {str(ended.id), unknown}


def test_a_run_that_is_due_is_awaited_and_one_of_next_week_is_not(
    client: SyncPrefectClient,
) -> None:
    flow = f"flow-{uuid4()}"
    name = f"{flow}/tiny"
    deployment = client.create_deployment(client.create_flow_from_name(flow), name="tiny")
    told = [is_awaited.fn(name)]

    client.create_flow_run_from_deployment(
        deployment, state=Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=7))
    )
    told.append(is_awaited.fn(name))
    due = client.create_flow_run_from_deployment(deployment)
    told.append(is_awaited.fn(name))
    states: list[State] = [
        AwaitingConcurrencySlot(scheduled_time=datetime.now(UTC) + timedelta(seconds=30)),
        Pending(),
        Running(),
        Completed(),
    ]
    running = [is_running.fn(name)]
    for state in states:
        client.set_flow_run_state(due.id, state, force=True)
        told.append(is_awaited.fn(name))
        running.append(is_running.fn(name))

    assert told == [False, False, True, True, True, False, False]
    assert running == [False, False, False, True, False]


def test_a_run_whose_worker_died_before_it_began_is_not_awaited(client: SyncPrefectClient) -> None:
    flow = f"flow-{uuid4()}"
    deployment = client.create_deployment(client.create_flow_from_name(flow), name="tiny")
    long_ago = datetime.now(UTC) - timedelta(minutes=6)
    run = client.create_flow_run_from_deployment(
        deployment, state=Scheduled(scheduled_time=long_ago)
    )
    late = is_awaited.fn(f"{flow}/tiny")

    client.set_flow_run_state(run.id, Pending(), force=True)

    assert (late, is_awaited.fn(f"{flow}/tiny")) == (True, False)
