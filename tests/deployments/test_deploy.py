"""Deploying anew leaves what people paused, and takes what problem files say no more."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate

from deployments.deploy import deploy, main
from deployments.manifest import POOL
from tasks.settings import get_settings
from tests.support import TINY, file_problem

pytestmark = pytest.mark.system


@pytest.fixture
def client(prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncPrefectClient]:
    """A client of the tests' server, which `prefect deploy` finds too."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def describe(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Describe a problem of the test's own with these keys; its name as deployments have it."""
    project, name = home / "project", f"tiny_{uuid4().hex}"
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(project))
    get_settings.cache_clear()

    def write(**changes: object) -> str:
        file_problem(project, name, TINY, **changes)
        return name.replace("_", "-")

    return write


def test_what_is_paused_stays_paused_and_a_schedule_that_is_gone_goes(
    client: SyncPrefectClient, describe: Callable[..., str]
) -> None:
    name = describe()
    deploy()
    train = client.read_deployment_by_name(f"train/{name}")
    (trigger,) = client.read_resource_related_automations(f"prefect.deployment.{train.id}")
    client.update_deployment_schedule(train.id, train.schedules[0].id, active=False)
    client.pause_automation(trigger.id)
    client.pause_deployment(client.read_deployment_by_name(f"monitor/{name}").id)
    client.update_work_pool(POOL, WorkPoolUpdate(is_paused=True))
    describe(loop={"schedules": {"monitor": None}})

    assert main() == 0

    train = client.read_deployment_by_name(f"train/{name}")
    (trigger,) = client.read_resource_related_automations(f"prefect.deployment.{train.id}")
    monitor = client.read_deployment_by_name(f"monitor/{name}")
    assert ([each.active for each in train.schedules], trigger.enabled) == ([False], False)
    assert (monitor.paused, monitor.schedules) == (True, [])
    assert client.read_work_pool(POOL).is_paused
    assert not client.read_deployment_by_name(f"score/{name}").paused


def test_a_problem_file_that_is_wrong_is_told_and_the_others_deployed(
    client: SyncPrefectClient,
    describe: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = describe()
    file_problem(get_settings().project_dir, "wrong", TINY, goal={"maximise": "beauty"})

    deploy(sweep_cron=None)

    assert client.read_deployment_by_name(f"train/{name}").entrypoint == "flows.train.train"
    assert client.read_deployment_by_name("sweep/all-problems").schedules == []
    told = capsys.readouterr().out
    assert "wrong: not deployed: data/problems/wrong.yaml: goal: maximise: got 'beauty'" in told


def test_without_a_server_there_is_nothing_to_deploy_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    assert main() == 1
    assert capsys.readouterr().err.startswith("error: PREFECT_API_URL: missing")
