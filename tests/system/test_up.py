"""`make up` on a tiny problem that has a champion: clean logs, a clean end, clear refusals."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect.client.schemas.objects import StateType
from prefect.exceptions import PrefectHTTPStatusError

from deployments import up as up_command
from tests.conftest import QUIET, TOOLS, RunFlow
from tests.receivers import HttpReceiver, http_receiver
from tests.support import TINY, file_problem, tiny_rows
from tests.system.days import STOP_SECONDS, Day, live_a_day
from tests.system.servers import children, freeze
from tests.system.service import command_of
from tests.system.starting import (
    Up,
    await_that,
    ends_of,
    is_over,
    processes_of,
    read_beat,
    start,
    started,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny problem, and a state folder `home` in which it has a champion that is packaged."""
    folder = tmp_path_factory.mktemp("up")
    file_problem(folder, "tiny", TINY)
    tiny_rows().to_csv(folder / "rows.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def environment(project: Path, run_flow: RunFlow) -> dict[str, str]:
    """The variables of a `make up` in which the tiny problem has a champion."""
    home = project / "home"
    options = ("--source", str(project / "rows.csv"), "--folds", "3")
    done = run_flow("train", "tiny", *options, home=home, project=project)
    assert done.returncode == 0, done.stderr
    clean = {key: value for key, value in os.environ.items() if not key.startswith(TOOLS)}
    return clean | QUIET | {"DRIFTLINE_HOME": str(home), "DRIFTLINE_PROJECT_DIR": str(project)}


@pytest.fixture(scope="module")
def told() -> Iterator[HttpReceiver]:
    """What people are told."""
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def day(environment: dict[str, str], project: Path, told: HttpReceiver) -> Day:
    """What was seen of the first start."""
    return live_a_day(environment | {"DRIFTLINE_NOTIFY_WEBHOOK": told.url}, project)


def test_it_runs_quietly_and_sigint_ends_all_of_it_and_tells_of_a_run_cut_off(
    day: Day, told: HttpReceiver
) -> None:
    """Runs are named for what they do and leave artifacts; no log holds an error."""
    up = day.up
    assert up.process.returncode == 0, up.lines
    assert day.deployments == {"all-problems", "tiny"}
    assert [run.name for run in day.runs if run.name == "sweep"] == []
    assert read_beat(up.home)["swept_at"]
    assert day.watched.name == "monitor tiny"
    assert {"summary", "verdict", "drift-report"} <= day.artifacts
    assert day.left == []
    assert day.noise == []
    assert up.says("train tiny: was cut off, and is marked as crashed")
    [text] = [each for each in told.texts if str(day.ingests[0].id) not in each]
    assert str(day.cut_off) in text
    assert "its process is gone: the system was stopped while it ran" in text


def test_a_new_shell_finds_the_system_while_it_runs(day: Day) -> None:
    assert day.asked.returncode == 0, day.asked.stderr
    assert len(day.ingests) == 1
    assert not (day.up.home / "env").exists()


def test_several_problems_are_served_and_one_that_is_broken_keeps_none_from_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Each service has a port of its own; a sweep goes on where one file is wrong.

    A schedule of a problem that has had no champion finds nothing to judge, and nothing fails.
    """
    project = tmp_path / "project"
    without = shutil.ignore_patterns("prefect")
    shutil.copytree(Path(environment["DRIFTLINE_PROJECT_DIR"]), project, ignore=without)
    file_problem(project, "second", TINY | {"source": rows_of(project)})
    file_problem(project, "wrong", TINY, goal={"maximise": "beauty"})
    file_problem(project, "later", TINY, loop={"schedules": {"monitor": "* * * * *"}})
    own = {"DRIFTLINE_PROJECT_DIR": str(project), "DRIFTLINE_HOME": str(project / "home")}

    with started(environment | own, problems="tiny,second") as up:
        titles = [title_of(port) for port in up.services]
        await_that(lambda: "wrong" in read_beat(up.home)["failures"])
        failures = read_beat(up.home)["failures"]
        with up.client() as client:
            await_that(lambda: ends_of(client, "monitor/later"))
            ends = ends_of(client, "monitor/later")

    assert titles == ["tiny", "second"]
    assert set(failures) == {"wrong"}
    assert ends == {StateType.COMPLETED}
    assert up.says("wrong: not deployed: data/problems/wrong.yaml: goal: maximise: got 'beauty'")


def rows_of(project: Path) -> dict[str, str]:
    return {"kind": "file", "location": str(project / "rows.csv")}


def title_of(port: int) -> str:
    """Whose service answers on a port."""
    return str(httpx.get(f"http://127.0.0.1:{port}/model").json()["name"])


def test_sigterm_ends_it_while_it_still_starts(environment: dict[str, str]) -> None:
    with started(environment, until="prefect: http") as up:
        up.process.send_signal(signal.SIGTERM)
        up.process.wait(STOP_SECONDS)

    assert up.process.returncode == 0, up.lines
    assert up.lines[-1] == "stopped\n"
    assert processes_of(up.home) == []
    assert up.noise() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_gets_through_a_library_that_turns_every_exception_into_its_own(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Prefect does while it reads its settings."""

    def run(*_: object) -> None:
        try:
            signal.raise_signal(number)
        except Exception as error:
            raise ValueError("settings: could not be read") from error

    mine = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(up_command, "_run", run)
    monkeypatch.setattr(up_command, "_check_free", lambda _ports: None)
    monkeypatch.setattr("sys.argv", ["up", "diabetes"])
    try:
        assert up_command.main() == 0
    finally:
        for each, handler in mine.items():
            signal.signal(each, handler)


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_takes_no_write_holds_up_no_stop(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_pool: str) -> list[str]:
        request = httpx.Request("POST", "http://127.0.0.1/api/flow_runs/1/set_state")
        answer = httpx.Response(status, request=request)
        raise PrefectHTTPStatusError("database is locked", request=request, response=answer)

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setenv("PREFECT_UI_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(up_command, "end_abandoned_runs", refuse)

    up_command._end_abandoned(within=1.0)


@pytest.fixture(scope="module")
def hanging(
    day: Day, environment: dict[str, str], project: Path, told: HttpReceiver
) -> Iterator[Up]:
    """The next start, of which one part hangs after the other: the last tests of this module.

    The problem file schedules no monitoring any more.
    """
    del day
    file_problem(project, "tiny", TINY, loop={"schedules": {"monitor": None}})
    with started(environment | {"DRIFTLINE_NOTIFY_WEBHOOK": told.url}) as up:
        file_problem(project, "tiny", TINY)
        yield up


def test_what_a_person_paused_is_paused_after_the_next_start(hanging: Up) -> None:
    """And what the problem file schedules no more is scheduled no more."""
    with hanging.client() as client:
        train = client.read_deployment_by_name("train/tiny")
        (trigger,) = client.read_resource_related_automations(f"prefect.deployment.{train.id}")
        monitor = client.read_deployment_by_name("monitor/tiny")

    assert hanging.says("train/tiny: somebody paused it, and it stays so")
    assert ([each.active for each in train.schedules], trigger.enabled) == ([False], False)
    assert (monitor.paused, monitor.schedules) == (True, [])


def test_a_sweeper_that_hangs_is_started_again_and_people_are_told(
    hanging: Up, told: HttpReceiver
) -> None:
    up, before = hanging, len(told.texts)
    await_that(lambda: read_beat(up.home)["swept_at"])
    (sweeper,) = [
        pid for pid in children(up.process.pid) if "deployments.sweeper" in command_of(pid)
    ]
    freeze(sweeper)
    overdue = read_beat(up.home) | {"due_by": "2026-01-01T00:00:00+00:00"}
    (up.home / "sweep.json").write_text(json.dumps(overdue))

    await_that(lambda: up.says("sweeper: has not swept for too long, and is started again"))
    await_that(lambda: read_beat(up.home)["swept_at"] > overdue["swept_at"])

    assert [text for text in told.texts[before:] if "nobody looks any more" in text] != []


def test_a_prefect_server_that_hangs_is_started_again_and_a_run_goes_on(
    hanging: Up, project: Path
) -> None:
    up = hanging
    with up.client() as client:
        source = str(project / "rows.csv")
        run = start(client, "train/tiny", source=source, folds=3)
        await_that(lambda: client.read_flow_run(run).name == "train tiny")
        freeze(prefect_of(up))

        await_that(lambda: up.says("prefect: takes nothing any more, and is started again"))
        await_that(lambda: is_over(client, run))
        ended = client.read_flow_run(run)
        watch = start(client, "monitor/tiny")
        await_that(lambda: is_over(client, watch))
        watched = client.read_flow_run(watch)
    up.process.send_signal(signal.SIGINT)
    up.process.wait(STOP_SECONDS)

    assert ended.state_type == StateType.COMPLETED
    assert watched.state_type == StateType.COMPLETED
    assert processes_of(up.home) == []


def prefect_of(up: Up) -> int:
    """The process of Prefect's server."""
    found = [pid for pid in children(up.process.pid) if "server start" in command_of(pid)]
    assert len(found) == 1
    return found[0]
