"""A sweep makes no run of its own, and what is wrong with one problem keeps it from no other."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterStartTime,
    TaskRunFilter,
    TaskRunFilterStartTime,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Cancelling

from bentos.log.database import migrate, open_engine, place_order
from driftline.errors import NotFoundError
from flows.shared import sweeping
from flows.shared.sweeping import sweep_problem, sweep_problems
from tasks.log.orders import claim_orders, finish_orders
from tasks.server.heartbeat import read_heartbeat
from tasks.settings import get_settings
from tests.receivers import http_receiver
from tests.support import MOODS, TINY, file_problem

SOON = timedelta(minutes=5)


@pytest.fixture
def client(prefect_api: str) -> Iterator[SyncPrefectClient]:
    """A client of the tests' server."""
    del prefect_api
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def names(
    mlflow_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str, str]:
    """A problem whose file is wrong, one that is not deployed, and one after them; of their own."""
    del mlflow_home
    broken, lost, sound = (f"{letter}_{uuid4().hex}" for letter in "abc")  # others share the server
    project = tmp_path / "project"
    file_problem(project, broken, TINY, goal={"maximise": "beauty"})
    file_problem(project, lost, MOODS)
    file_problem(project, sound, TINY)
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(project))
    get_settings.cache_clear()
    return broken, lost, sound


def order(home: Path, problem: str, kind: str = "monitor", number: int = 100) -> None:
    engine = open_engine(f"sqlite:///{home / 'predictions.db'}")
    migrate(engine)
    place_order(engine, problem, kind, f"{kind}:{problem}:{number}")


def deploy(client: SyncPrefectClient, flow: str, problem: str, pool: str | None = None) -> UUID:
    made = client.create_flow_from_name(flow)
    return client.create_deployment(
        made, name=problem.replace("_", "-"), enforce_parameter_schema=False, work_pool_name=pool
    )


def runs_of(client: SyncPrefectClient, problem: str) -> list[FlowRun]:
    wanted = DeploymentFilterName(any_=[problem.replace("_", "-")])
    return client.read_flow_runs(deployment_filter=DeploymentFilter(name=wanted))


def test_a_broken_file_and_a_missing_deployment_are_told_once_and_the_others_swept(
    client: SyncPrefectClient,
    names: tuple[str, str, str],
    mlflow_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, lost, sound = names
    order(mlflow_home, lost)
    order(mlflow_home, sound)
    deploy(client, "monitor", sound)

    with http_receiver() as told:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", told.url)
        sweep_problems(names, next_within=SOON)
        sweep_problems(names, next_within=SOON)

    (run,) = runs_of(client, sound)
    assert run.parameters == {"problem": sound, "only_ordered": True}
    beat = read_heartbeat()
    assert set(beat.failures) == {broken, lost}
    assert beat.due_by > beat.swept_at
    assert len(told.texts) == 2
    assert f"data/problems/{broken}.yaml: goal: maximise: got 'beauty'" in told.texts[0]
    assert f"monitor/{lost.replace('_', '-')}: Prefect's server has no such" in told.texts[1]


def test_a_sweep_that_finds_nothing_leaves_no_run_of_a_flow_or_a_task(
    client: SyncPrefectClient, names: tuple[str, str, str]
) -> None:
    since = datetime.now(UTC)

    sweep_problems(names[2:], next_within=SOON)

    flows = FlowRunFilter(
        start_time=FlowRunFilterStartTime(after_=since),
        deployment_id=FlowRunFilterDeploymentId(is_null_=True),
    )
    tasks = TaskRunFilter(start_time=TaskRunFilterStartTime(after_=since))
    assert read_heartbeat().failures == {}
    assert client.read_flow_runs(flow_run_filter=flows) == []
    assert client.read_task_runs(task_run_filter=tasks) == []


def test_a_deployment_that_a_person_has_paused_is_not_started(
    client: SyncPrefectClient, names: tuple[str, str, str], mlflow_home: Path
) -> None:
    order(mlflow_home, names[2])
    client.pause_deployment(deploy(client, "monitor", names[2]))

    sweep_problem(names[2])

    assert runs_of(client, names[2]) == []


def test_nothing_is_started_into_a_work_pool_that_a_person_has_paused(
    client: SyncPrefectClient, names: tuple[str, str, str], mlflow_home: Path
) -> None:
    problem = names[2]
    pool = f"pool-{uuid4().hex}"
    client.create_work_pool(WorkPoolCreate(name=pool, type="process", is_paused=True))
    order(mlflow_home, problem)
    deploy(client, "monitor", problem, pool)

    sweep_problem(problem)
    held = runs_of(client, problem)
    client.update_work_pool(pool, WorkPoolUpdate(is_paused=False))
    sweep_problem(problem)

    assert held == []
    assert len(runs_of(client, problem)) == 1


@pytest.mark.parametrize("state", [Cancelled(), Cancelling()])
def test_a_run_that_a_person_cancels_is_not_begun_again_and_that_is_told_once(
    client: SyncPrefectClient,
    names: tuple[str, str, str],
    mlflow_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: State[None],
) -> None:
    """Whoever runs the flow by hand takes the order up after all."""
    problem = names[2]
    order(mlflow_home, problem)
    deployed = deploy(client, "monitor", problem)
    run = client.create_flow_run_from_deployment(deployed)
    assert claim_orders.fn(problem, "monitor", str(run.id))  # type: ignore[attr-defined] # a task
    client.set_flow_run_state(run.id, state, force=True)
    finish_orders.fn(str(run.id), is_done=False)  # type: ignore[attr-defined] # a task

    with http_receiver() as told:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", told.url)
        sweep_problem(problem)
        sweep_problem(problem)

    assert [each.id for each in runs_of(client, problem)] == [run.id]
    assert len(told.texts) == 1
    assert "a person cancelled its run, and it is not begun again by itself" in told.texts[0]
    assert f"python -m flows.monitor {problem}" in told.texts[0]
    assert claim_orders.fn(problem, "monitor", "by hand")  # type: ignore[attr-defined] # a task


@pytest.mark.parametrize("cancel", [Cancelled, Cancelling])
def test_a_run_that_is_cancelled_before_a_worker_takes_it_is_not_begun_again_either(
    client: SyncPrefectClient,
    names: tuple[str, str, str],
    mlflow_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    cancel: Callable[[], State[None]],
) -> None:
    """It had claimed nothing; what is ordered after that is begun as ever."""
    problem = names[2]
    order(mlflow_home, problem)
    deploy(client, "monitor", problem)
    now = time.time()
    monkeypatch.setattr(sweeping, "time", SimpleNamespace(time=lambda: now))
    sweep_problem(problem)
    (first,) = runs_of(client, problem)
    client.set_flow_run_state(first.id, cancel())
    now += 60

    with http_receiver() as told:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", told.url)
        sweep_problem(problem)
        sweep_problem(problem)

    assert [each.id for each in runs_of(client, problem)] == [first.id]
    assert len(told.texts) == 1
    assert "a person cancelled its run, and it is not begun again by itself" in told.texts[0]
    order(mlflow_home, problem, number=200)
    sweep_problem(problem)
    assert len(runs_of(client, problem)) == 2
    assert len(claim_orders.fn(problem, "monitor", "by hand")) == 2  # type: ignore[attr-defined] # a task


def test_a_run_of_ones_own_that_is_cancelled_gives_up_no_order(
    client: SyncPrefectClient, names: tuple[str, str, str], mlflow_home: Path
) -> None:
    problem = names[2]
    order(mlflow_home, problem)
    deployed = deploy(client, "monitor", problem)
    own = client.create_flow_run_from_deployment(deployed)
    client.set_flow_run_state(own.id, Cancelled())

    sweep_problem(problem)

    assert len(runs_of(client, problem)) == 2


def test_a_deployment_that_is_gone_keeps_aliases_from_nothing(
    names: tuple[str, str, str], mlflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(mlflow_home, names[1])
    settled: list[str] = []
    monkeypatch.setattr(sweeping, "settle_aliases", settled.append)

    with pytest.raises(NotFoundError, match="Prefect's server has no such deployment"):
        sweep_problem(names[1])

    assert settled == [names[1]]


def test_an_ordered_training_waits_for_its_schedule_where_the_problem_says_so(
    client: SyncPrefectClient, names: tuple[str, str, str], mlflow_home: Path
) -> None:
    problem = names[2]
    file_problem(get_settings().project_dir, problem, TINY, loop={"retrain": "scheduled"})
    order(mlflow_home, problem, "train")
    deploy(client, "train", problem)

    sweep_problem(problem)

    assert runs_of(client, problem) == []


def test_a_sweep_of_one_problem_says_what_is_wrong_with_it(
    client: SyncPrefectClient, names: tuple[str, str, str], mlflow_home: Path
) -> None:
    del client
    order(mlflow_home, names[1])

    with pytest.raises(NotFoundError, match="has no such deployment; wanted it deployed"):
        sweep_problem(names[1])
