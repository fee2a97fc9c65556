"""Runs whose processes are gone, on a real Prefect server."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events import Event
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.states import Completed, Pending, Running, Scheduled, State

from tasks.server.abandoned import end_abandoned_runs, end_silent_runs, find_silent_runs
from tests.receivers import http_receiver
from tests.system.service import await_that

AWHILE = 0.1  # between what was said before a moment, and what after it


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


def beat(client: SyncPrefectClient, run: FlowRun) -> None:
    """The run says that it lives."""
    resource = f"prefect.flow-run.{run.id}"
    event = Event(event="prefect.flow-run.heartbeat", resource={"prefect.resource.id": resource})
    client.request("POST", "/events", json=[event.model_dump(mode="json")])
    about_it = EventFilter(
        event=EventNameFilter(name=[event.event]), resource=EventResourceFilter(id=[resource])
    )
    await_that(lambda: bool(client.read_events(about_it, limit=1).events))


def test_a_run_of_which_nothing_is_heard_is_crashed_and_told(
    client: SyncPrefectClient, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, living = (run_of(client, pool, Running()) for _ in range(2))
    beat(client, lost)
    time.sleep(AWHILE)
    since = datetime.now(UTC)
    beat(client, living)
    fresh = run_of(client, pool, Running())
    with http_receiver() as receiver:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", receiver.url)
        silent = find_silent_runs(since)
        end_silent_runs(silent, since)

    states = [client.read_flow_run(run.id).state_type for run in (lost, living, fresh)]
    assert states == [StateType.CRASHED, StateType.RUNNING, StateType.RUNNING]
    [text] = [text for text in receiver.texts if str(lost.id) in text]
    assert "nothing was heard of it for five minutes" in text


def test_a_run_that_is_heard_after_all_is_left_alone(client: SyncPrefectClient, pool: str) -> None:
    """The server was away, and its silence is not the run's."""
    run = run_of(client, pool, Running())
    begun = datetime.now(UTC)
    suspects = [each for each in find_silent_runs(begun) if each.id == run.id]
    beat(client, run)

    ended = end_silent_runs(suspects, begun)

    assert [each.id for each in suspects] == [run.id]
    assert ended == []
    assert client.read_flow_run(run.id).state_type == StateType.RUNNING
