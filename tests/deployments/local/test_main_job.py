"""The main job is waited for to its end, whatever happens to Prefect's server meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import LogCreate
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Failed, Running

from deployments.local import main_job
from deployments.local.main_job import run_main_job
from deployments.local.parts import PartError
from driftline.errors import NotFoundError
from tests.ports import free_port


@task(name="train")
def placeholder() -> None:
    """What a flow that calls another one leaves in its place."""


@flow(name="train")
def called_flow() -> None:
    """The flow that is called."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_job, "LOOK_SECONDS", 0.0)


@pytest.fixture
def client(prefect_api: str) -> SyncPrefectClient:
    del prefect_api
    return get_client(sync_client=True)


def deploy(client: SyncPrefectClient) -> str:
    """A problem whose main job is deployed, and which no worker runs."""
    problem = f"p{uuid4().hex}"
    flow = client.create_flow_from_name("pipeline")
    client.create_deployment(flow, name=problem, parameters={"problem": problem})
    return problem


def runs_of(client: SyncPrefectClient, problem: str) -> list[UUID]:
    runs = client.read_flow_runs()
    return [run.id for run in runs if run.parameters.get("problem") == problem]


def test_it_is_over_when_its_one_run_is(client: SyncPrefectClient) -> None:
    problem, looks = deploy(client), []

    def meanwhile() -> None:
        (run,) = runs_of(client, problem)
        looks.append(run)
        client.set_flow_run_state(run, Running() if len(looks) < 3 else Failed(), force=True)

    run_main_job(problem, meanwhile)

    assert len(looks) == 3
    assert len(runs_of(client, problem)) == 1


def test_its_steps_and_those_of_what_it_calls_are_told_as_they_begin(
    client: SyncPrefectClient, capsys: pytest.CaptureFixture[str]
) -> None:
    problem, looks = deploy(client), []

    def meanwhile() -> None:
        (run,) = runs_of(client, problem)
        looks.append(run)
        if len(looks) == 1:
            say(client, run, "read and clean ...", "Created task run 'x'")
            at = client.create_task_run(placeholder, flow_run_id=run, dynamic_key="0").id
            called = client.create_flow_run(called_flow, parent_task_run_id=at)
            say(client, called.id, "search ...", "search: done in 3.1 s")
        elif len(looks) == 4:
            client.set_flow_run_state(run, Failed(), force=True)

    run_main_job(problem, meanwhile)

    told = capsys.readouterr().out.splitlines()
    assert told[1:] == ["  read and clean ...", "  search ..."]


def say(client: SyncPrefectClient, run: UUID, *messages: str) -> None:
    """What a run writes into its log."""
    now = datetime.now(UTC)
    client.create_logs(
        [
            LogCreate(
                name="prefect.flow_runs",
                level=20,
                message=message,
                timestamp=now + timedelta(milliseconds=place),
                flow_run_id=run,
            )
            for place, message in enumerate(messages)
        ]
    )


@pytest.mark.parametrize("trouble", ["away", "overburdened"])
def test_a_server_that_does_not_answer_for_a_while_ends_nothing(
    client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """Its first start is lost too, and asked for again it is the same run."""
    problem = deploy(client)
    start, ended = main_job.start_deployment, main_job.ended_runs
    answers = [fault(trouble), None, fault(trouble), fault(trouble), None]

    def fail_now_and_then(run_ids: list[str]) -> set[str]:
        if (error := answers.pop(0)) is not None:
            raise error
        return ended(run_ids)

    def start_and_lose_the_answer(*words: Any, **given: Any) -> str:
        run_id = start(*words, **given)
        if len(answers) == 5:
            raise answers.pop(0) or AssertionError
        return run_id

    def meanwhile() -> None:
        if len(answers) == 1:
            (run,) = runs_of(client, problem)
            client.set_flow_run_state(run, Failed(), force=True)

    monkeypatch.setattr(main_job, "ended_runs", fail_now_and_then)
    monkeypatch.setattr(main_job, "start_deployment", start_and_lose_the_answer)
    run_main_job(problem, meanwhile)

    assert answers == []
    assert len(runs_of(client, problem)) == 1


def fault(trouble: str) -> Exception:
    """What Prefect's client raises then."""
    if trouble == "away":
        return httpx.ReadTimeout("")
    request = httpx.Request("GET", "http://127.0.0.1/")
    return PrefectHTTPStatusError("", request=request, response=httpx.Response(503))


def test_what_is_not_deployed_is_told(client: SyncPrefectClient) -> None:
    del client
    with pytest.raises(NotFoundError, match="pipeline/no-such: Prefect's server has no such"):
        run_main_job("no_such")


def test_a_server_that_stays_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_job, "START_SECONDS", 0.0)
    nobody = {PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}
    with (
        temporary_settings(nobody),
        pytest.raises(PartError, match="no answer in 0 s; wanted the end of pipeline/tiny"),
    ):
        run_main_job("tiny")
