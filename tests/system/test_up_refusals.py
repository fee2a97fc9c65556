"""`make up` that cannot begin says why in one line."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from deployments.local.alone import alone_on
from tests.conftest import QUIET, TOOLS
from tests.ports import free_ports
from tests.support import ROOT
from tests.system.starting import command

pytestmark = pytest.mark.system


@pytest.fixture
def environment(project: Path) -> dict[str, str]:
    """The variables of a `make up` of the tiny problem."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(TOOLS)}
    own = {"DRIFTLINE_HOME": str(project / "home"), "DRIFTLINE_PROJECT_DIR": str(project)}
    return clean | QUIET | own


@pytest.mark.parametrize("taken", range(5), ids=["service", "prefect", "mlflow", "reports", "page"])
def test_a_port_that_is_taken_is_named(taken: int, environment: dict[str, str]) -> None:
    ports = free_ports(5)

    with closing(socket.create_server(("127.0.0.1", ports[taken]))):
        done = refused(command("tiny", ports), environment)

    assert done.startswith(f"error: port {ports[taken]} ")
    assert "give another one with --" in done


def test_a_second_one_on_a_state_folder_is_told_of_the_first(
    environment: dict[str, str],
) -> None:
    """On other ports nothing else would stand in its way."""
    home = Path(environment["DRIFTLINE_HOME"])
    home.mkdir()

    with alone_on(home):
        done = refused(command("tiny", free_ports(5)), environment)

    assert done == (
        f"error: {home}: make up runs on this state folder already (process {os.getpid()}); "
        "wanted that one stopped, or another folder (DRIFTLINE_HOME)\n"
    )


def test_who_was_killed_keeps_no_state_folder(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from deployments.local.alone import alone_on\n"
        "with alone_on(Path(sys.argv[1])):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    killed = subprocess.run(words, cwd=ROOT, check=False, env=os.environ)

    with alone_on(tmp_path):
        pass

    assert killed.returncode == -signal.SIGKILL


def test_an_unknown_problem_is_named(environment: dict[str, str]) -> None:
    done = refused(command("tinny", free_ports(5)), environment)

    assert done == "error: problem: got 'tinny', wanted one of: tiny\n"


def test_a_setting_that_cannot_work_is_named(environment: dict[str, str]) -> None:
    env = environment | {"DRIFTLINE_NOTIFY_WEBHOOK": "ftp://hooks.example/secret"}

    done = refused(command("tiny", free_ports(5)), env)

    assert done.startswith("error: DRIFTLINE_NOTIFY_WEBHOOK: ")
    assert "secret" not in done


def refused(words: list[str], env: dict[str, str]) -> str:
    """What a command that does not start says: one line, and nothing else."""
    done = subprocess.run(
        words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stdout
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr
