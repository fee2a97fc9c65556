"""Runs whose processes are gone, on a real Prefect server."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.states import Completed, Pending, Running, Scheduled, State

from tasks.abandoned import end_abandoned_runs
from tests.receivers import http_receiver


@flow(name="train")
def train(problem: str) -> None:
    """Never run: its runs are made by the tests."""


@pytest.fixture
def client(prefect_api: str) -> Iterator[SyncPrefectClient]:
    """A client of the tests' server."""
    del prefect_api
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def pool(client: SyncPrefectClient) -> str:
    """A pool of the test's own."""
    return client.create_work_pool(WorkPoolCreate(name=f"pool-{uuid4().hex}", type="process")).name


def run_of(
    client: SyncPrefectClient, pool: str, state: State, problem: str | None = "two-words"
) -> FlowRun:
    """A run that a pool's worker would have, in this state."""
    deployment = client.create_deployment(
        flow_id=client.create_flow(train), name=pool, work_pool_name=pool
    )
    run = client.create_flow_run_from_deployment(deployment, parameters={"problem": problem})
    client.set_flow_run_state(run.id, state, force=True)
    return run


def inner_run_of(client: SyncPrefectClient, outer: UUID) -> FlowRun:
    """A run of a flow inside a run."""
    call = client.create_task_run(task(train.fn), outer, dynamic_key="0", state=Running())
    parameters = {"problem": "two-words"}
    return client.create_flow_run(
        train, parameters=parameters, parent_task_run_id=call.id, state=Running()
    )


@pytest.mark.parametrize("state", [Running(), Pending()], ids=["running", "pending"])
def test_a_run_without_a_process_is_crashed_and_told(
    state: State, client: SyncPrefectClient, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(client, pool, state)

    with http_receiver() as told:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", told.url)
        ended = end_abandoned_runs(pool)
        again = end_abandoned_runs(pool)

    assert (ended, again) == ([run.name], [])
    assert client.read_flow_run(run.id).state.is_crashed()
    [text] = told.texts
    assert text.startswith("*Driftline, two_words: a run failed*\n- its process is gone")
    assert str(run.id) in text


def test_flows_inside_it_are_crashed_and_not_told(
    client: SyncPrefectClient, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(client, pool, Running())
    inner = inner_run_of(client, run.id)

    with http_receiver() as told:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", told.url)
        end_abandoned_runs(pool)

    assert client.read_flow_run(inner.id).state.is_crashed()
    assert len(told.texts) == 1


def test_a_sweep_is_crashed_and_not_told(
    client: SyncPrefectClient, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(client, pool, Running(), problem=None)

    with http_receiver() as told:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", told.url)
        end_abandoned_runs(pool)

    assert client.read_flow_run(run.id).state.is_crashed()
    assert told.texts == []


@pytest.mark.parametrize("state", [Completed(), Scheduled()], ids=["completed", "scheduled"])
def test_a_run_that_has_ended_or_not_begun_is_left_alone(
    state: State, client: SyncPrefectClient, pool: str
) -> None:
    run = run_of(client, pool, state)

    assert end_abandoned_runs(pool) == []
    assert client.read_flow_run(run.id).state.type == state.type


def test_the_runs_of_another_pool_are_left_alone(client: SyncPrefectClient, pool: str) -> None:
    run = run_of(client, pool, Running())

    assert end_abandoned_runs("another") == []
    assert client.read_flow_run(run.id).state.is_running()
