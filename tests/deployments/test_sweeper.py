"""The sweeper takes nobody for dead who could not be heard, and nothing ends it."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.states import Running

from deployments.sweeper import Sweeper
from tasks.server import abandoned
from tasks.server.heartbeat import read_heartbeat
from tasks.settings import get_settings


@pytest.fixture(autouse=True)
def project(home: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project without problems, on the tests' server."""
    assert prefect_api
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(home))
    get_settings.cache_clear()


def test_a_silent_run_is_ended_once_the_server_has_been_there_to_hear_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(abandoned, "SILENCE", timedelta(0))
    with get_client(sync_client=True) as client:
        made = client.create_deployment(client.create_flow_from_name("train"), name=uuid4().hex)
        run = client.create_flow_run_from_deployment(made, parameters={"problem": "tiny"})
        client.set_flow_run_state(run.id, Running(), force=True)
        sweeper, states = Sweeper(), []
        for _ in range(2):
            sweeper.sweep()
            states.append(client.read_flow_run(run.id).state_type)

    assert states == [StateType.RUNNING, StateType.CRASHED]


def test_a_server_that_was_away_has_to_be_there_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abandoned, "SILENCE", timedelta(0))
    sweeper = Sweeper()
    sweeper.sweep()
    with monkeypatch.context() as away:
        away.setattr(abandoned, "find_silent_runs", _fail)
        with pytest.raises(ConnectionError):
            sweeper.sweep()
    with get_client(sync_client=True) as client:
        made = client.create_deployment(client.create_flow_from_name("train"), name=uuid4().hex)
        run = client.create_flow_run_from_deployment(made, parameters={"problem": "tiny"})
        client.set_flow_run_state(run.id, Running(), force=True)

        sweeper.sweep()

        assert client.read_flow_run(run.id).state_type == StateType.RUNNING


def test_a_sweep_is_recorded_with_when_the_next_is_due() -> None:
    Sweeper().sweep()

    beat = read_heartbeat()
    assert beat.due_by > beat.swept_at > ""


def _fail(_since: object) -> list[object]:
    raise ConnectionError
