"""`make up` on a tiny problem that has a champion: clean logs, a clean end, clear refusals."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments import up as up_command
from tests.conftest import QUIET, TOOLS, RunFlow
from tests.receivers import HttpReceiver, http_receiver
from tests.support import ROOT, TINY, file_problem, free_ports, tiny_rows
from tests.system.servers import children
from tests.system.service import command_of

pytestmark = pytest.mark.system

START_SECONDS, STOP_SECONDS = 180.0, 20.0
RECORD = re.compile(r"(?m)^(?=\d\d:\d\d:\d\d\.\d+ \| )")
# On SQLite Prefect's server says so where two of its own writers meet, and tries again.
MEETING = re.compile(r"(?s)^\S+ \| ERROR +\| prefect\.server.*database is locked")
NOISE = re.compile(r"Traceback|\bERROR\b|\bCRITICAL\b|Error:")


@dataclass
class Up:
    """A started `make up`, what it said, and where its Prefect answers."""

    process: "subprocess.Popen[str]"
    api: str
    home: Path
    lines: list[str] = field(default_factory=list)

    def listen(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def noise(self) -> list[str]:
        """What of its output and of its logs looks like an error."""
        texts = [path.read_text("utf-8") for path in (self.home / "logs").glob("*.log")]
        told = [*self.lines, *(record for text in texts for record in RECORD.split(text))]
        return [each for each in told if NOISE.search(each) and not MEETING.search(each)]

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        with temporary_settings({PREFECT_API_URL: self.api}), get_client(sync_client=True) as api:
            yield api


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


def command(problem: str, ports: list[int]) -> list[str]:
    names = ("--port", "--prefect-port", "--mlflow-port", "--reports-port")
    options = [word for name, port in zip(names, ports, strict=True) for word in (name, str(port))]
    return [sys.executable, "-m", "deployments.up", problem, *options]


@contextmanager
def started(environment: dict[str, str], until: str = "everything is up") -> Iterator[Up]:
    """`make up` that has come so far as to say something."""
    ports = free_ports(4)
    home = Path(environment["DRIFTLINE_HOME"])
    shutil.rmtree(home / "logs", ignore_errors=True)
    process = subprocess.Popen(
        command("tiny", ports),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    up = Up(process, f"http://127.0.0.1:{ports[1]}/api", home)
    threading.Thread(target=up.listen, daemon=True).start()
    try:
        await_that(lambda: up.says(until) or process.poll() is not None)
        assert process.poll() is None, up.lines
        yield up
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def await_that(holds: Callable[[], Any], seconds: float = START_SECONDS) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"not in {seconds:g} s"
        time.sleep(0.2)


def processes_of(home: Path) -> list[str]:
    """Command lines of the processes that use a state folder; a worker's runs are among them."""
    mark = f"DRIFTLINE_HOME={home}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has ended meanwhile
    return found


def start(client: SyncPrefectClient, deployment: str, **parameters: Any) -> UUID:
    """Start a run for the tiny problem by a deployment that `make up` has made."""
    made = client.read_deployment_by_name(deployment)
    values = {"problem": "tiny", **parameters}
    return client.create_flow_run_from_deployment(made.id, parameters=values).id


@pytest.fixture(scope="module")
def told() -> Iterator[HttpReceiver]:
    """What people are told."""
    with http_receiver() as receiver:
        yield receiver


def test_it_runs_quietly_and_sigint_ends_all_of_it_and_tells_of_a_run_cut_off(
    environment: dict[str, str], project: Path, told: HttpReceiver
) -> None:
    """Runs are named for what they do and leave artifacts; no log holds an error."""
    with started(environment | {"DRIFTLINE_NOTIFY_WEBHOOK": told.url}) as up:
        with up.client() as client:
            deployments = {each.name for each in client.read_deployments()}
            watch = start(client, "monitor/breast-cancer")
            source = str(project / "rows.csv")
            long = start(client, "train/breast-cancer", source=source, folds=50, repeats=50)
            await_that(lambda: client.read_flow_run(watch).state_type == StateType.COMPLETED)
            await_that(lambda: client.read_flow_run(long).name == "train tiny")
            watched = client.read_flow_run(watch)
            artifacts = {each.key for each in client.read_artifacts()}
        noise = up.noise()

        up.process.send_signal(signal.SIGINT)
        up.process.wait(STOP_SECONDS)

    assert up.process.returncode == 0, up.lines
    assert deployments == {"every-minute", "breast-cancer", "diabetes"}
    assert watched.name == "monitor tiny"
    assert {"summary", "verdict", "drift-report"} <= artifacts
    assert processes_of(up.home) == []
    assert noise == []
    assert up.says("train tiny: was cut off, and is marked as crashed")
    [text] = told.texts
    assert str(long) in text
    assert "its process is gone: the system was stopped while it ran" in text


def test_a_prefect_server_that_hangs_is_started_again_and_a_run_goes_on(
    environment: dict[str, str], project: Path
) -> None:
    with started(environment) as up:
        with up.client() as client:
            source = str(project / "rows.csv")
            run = start(client, "train/breast-cancer", source=source, folds=3)
            await_that(lambda: client.read_flow_run(run).name == "train tiny")
            os.kill(prefect_of(up), signal.SIGSTOP)

            await_that(lambda: up.says("prefect: takes nothing any more, and is started again"))
            await_that(lambda: is_over(client, run))
            ended = client.read_flow_run(run)
            watch = start(client, "monitor/breast-cancer")
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


def is_over(client: SyncPrefectClient, run: UUID) -> bool:
    """Whether a run has ended, as far as the server can tell just now."""
    try:
        state = client.read_flow_run(run).state
    except (httpx.HTTPError, PrefectHTTPStatusError):
        return False
    return state is not None and state.is_final()


def test_sigterm_ends_it_while_it_still_starts(environment: dict[str, str]) -> None:
    with started(environment, until="prefect: http") as up:
        up.process.send_signal(signal.SIGTERM)
        up.process.wait(STOP_SECONDS)

    assert up.process.returncode == 0, up.lines
    assert up.lines[-1] == "stopped\n"
    assert processes_of(up.home) == []
    assert up.noise() == []


@pytest.mark.parametrize("taken", range(3), ids=["service", "prefect", "mlflow"])
def test_a_port_that_is_taken_is_named(taken: int, environment: dict[str, str]) -> None:
    ports = free_ports(4)

    with closing(socket.create_server(("127.0.0.1", ports[taken]))):
        done = refused(command("tiny", ports), environment)

    assert done.startswith(f"error: port {ports[taken]} ")
    assert "give another one with --" in done


def test_an_unknown_problem_is_named(environment: dict[str, str]) -> None:
    done = refused(command("tinny", free_ports(4)), environment)

    assert done == "error: problem: got 'tinny', wanted one of: tiny\n"


def test_a_setting_that_cannot_work_is_named(environment: dict[str, str]) -> None:
    env = environment | {"DRIFTLINE_NOTIFY_WEBHOOK": "ftp://hooks.example/secret"}

    done = refused(command("tiny", free_ports(4)), env)

    assert done.startswith("error: DRIFTLINE_NOTIFY_WEBHOOK: ")
    assert "secret" not in done


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


def refused(words: list[str], env: dict[str, str]) -> str:
    """What a command that does not start says: one line, and nothing else."""
    done = subprocess.run(
        words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stdout
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr
