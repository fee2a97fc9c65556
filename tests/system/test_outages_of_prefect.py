"""Prefect's server is started anew while a training runs."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.conftest import TOOLS, ForkFlow, RunFlow
from tests.ports import free_ports
from tests.support import TINY, file_problem, stop, tiny_rows
from tests.system.service import await_that
from tests.system.watching import Left, Watched

pytestmark = pytest.mark.system

OUTAGE_SECONDS, OBEY_SECONDS, START_SECONDS = 10.0, 30.0, 120.0


@dataclass
class Server:
    """A Prefect server with a database and a port of its own."""

    folder: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def api(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/api"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(TOOLS)}
        own = {"PREFECT_HOME": str(self.folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words], env=clean | own, stdout=log, stderr=log
            )
        await_that(self._answers, START_SECONDS)

    def end(self, blow: signal.Signals) -> None:
        """End it so, and as a supervisor does where it does not obey: a busy one may hang."""
        assert self.process is not None
        self.process.send_signal(blow)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(OBEY_SECONDS)
        stop(self.process)

    def states(self) -> list[StateType | None]:
        """The state of every run that it knows of."""
        with (
            temporary_settings({PREFECT_API_URL: self.api}),
            get_client(sync_client=True) as client,
        ):
            return [run.state_type for run in client.read_flow_runs()]

    def _answers(self) -> bool:
        with suppress(OSError):
            urllib.request.urlopen(f"{self.api}/health", timeout=2).close()
            return True
        return False


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of this file."""
    made = Server(tmp_path_factory.mktemp("prefect"))
    try:
        yield made
    finally:
        if made.process is not None:
            stop(made.process)


@pytest.fixture
def server(one_server: Server) -> Server:
    """It, running: a test that failed may have left it ended."""
    if one_server.process is None or one_server.process.poll() is not None:
        one_server.start()
    return one_server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The tiny problem."""
    folder = tmp_path / "project"
    source = {"kind": "file", "location": str(folder / "rows.csv")}
    file_problem(folder, "tiny", TINY, source=source)
    tiny_rows().to_csv(folder / "rows.csv", index=False)
    return folder


@pytest.mark.parametrize(
    ("blow", "step"),
    [(signal.SIGTERM, "read and clean ..."), (signal.SIGKILL, "register: done")],
)
def test_a_training_goes_on(
    fork_flow: ForkFlow,
    server: Server,
    project: Path,
    tmp_path: Path,
    blow: signal.Signals,
    step: str,
) -> None:
    left = Left(tmp_path / "home")
    env = {"PREFECT_API_URL": server.api}
    words = ("train", "tiny", "--folds", "3")
    train = Watched(fork_flow(*words, home=left.home, project=project, env=env))
    train.await_line(step)
    server.end(blow)
    time.sleep(OUTAGE_SECONDS)
    server.start()

    code = train.end()

    assert code == 0, train.output
    assert " | ERROR " not in train.output
    assert left.summary["promotion"]["verdict"] == "promoted"
    assert (left.champion(), left.breaks()) == ("1", [])
    states = Counter(server.states())
    # A run that the server had made when it was killed, but not answered yet, is made once more.
    assert states.pop(StateType.PENDING, 0) <= (blow is signal.SIGKILL)
    assert set(states) == {StateType.COMPLETED}


def test_without_a_server_it_ends_with_one_line_and_the_next_run_is_right(
    fork_flow: ForkFlow, run_flow: RunFlow, server: Server, project: Path, tmp_path: Path
) -> None:
    left = Left(tmp_path / "home")
    where = {"home": left.home, "project": project}
    hasty = {"PREFECT_API_URL": server.api, "PREFECT_CLIENT_MAX_RETRIES": "1"}
    words = ("train", "tiny", "--folds", "3")
    train = Watched(fork_flow(*words, **where, env=hasty))
    train.await_line("register: done")
    server.end(signal.SIGKILL)

    codes = [train.end()]
    never = run_flow(*words, **where, env=hasty)
    server.start()
    again = run_flow(*words, **where, env={"PREFECT_API_URL": server.api})

    for output in (train.output, never.stdout + never.stderr):
        assert output.count("error: Prefect (PREFECT_API_URL): did not answer") == 1, output
        assert "Traceback" not in output, output
    assert (codes, never.returncode, again.returncode) == ([1], 1, 0), again.stdout + again.stderr
    assert (left.champion(), left.breaks()) == ("1", [])
