"""Ctrl+C and kill -9 of a flow that has started Prefect's temporary server."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient

from tests.conftest import QUIET, TOOLS
from tests.support import ROOT, TINY, file_problem, stop, tiny_rows

pytestmark = pytest.mark.system

GIVE_UP_SECONDS = 120.0
STOPPED = "stopped: nothing was promoted; run it again to go on"


@pytest.fixture
def running(tmp_path: Path, mlflow_template: Path) -> "Iterator[subprocess.Popen[str]]":
    """A training of the tiny problem in a process group of its own, as a terminal has it."""
    home, project = tmp_path / "home", tmp_path / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows(400).to_csv(project / "rows.csv", index=False)
    home.mkdir()
    shutil.copyfile(mlflow_template, home / "mlflow.db")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(TOOLS)}
    own = {"DRIFTLINE_HOME": str(home), "DRIFTLINE_PROJECT_DIR": str(project)}
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.train", "tiny"],
        cwd=ROOT,
        env=clean | QUIET | own | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    stop(process)


@pytest.mark.parametrize("moment", ["read and clean ...", "fit ...", "log to MLflow ..."])
def test_one_interrupt_ends_the_run_with_one_sentence(
    running: "subprocess.Popen[str]", tmp_path: Path, moment: str
) -> None:
    await_line(running, moment)

    os.killpg(running.pid, signal.SIGINT)
    rest, _ = running.communicate(timeout=GIVE_UP_SECONDS)

    assert running.returncode == 130, rest
    told = [line for line in rest.splitlines() if not line.startswith("  ")]
    assert told == [STOPPED], rest
    assert processes_of(tmp_path / "home") == []
    assert "RUNNING" not in statuses(tmp_path / "home")


def test_an_interrupt_while_it_starts_ends_it_too(
    running: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    await_server(tmp_path / "home")

    os.killpg(running.pid, signal.SIGINT)
    told, _ = running.communicate(timeout=GIVE_UP_SECONDS)

    assert (running.returncode, told) == (130, f"{STOPPED}\n")
    await_end_of_all(tmp_path / "home")


def test_the_temporary_server_of_a_killed_run_ends(
    running: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    await_line(running, "read and clean ...")
    assert len(processes_of(tmp_path / "home")) > 1

    running.kill()
    running.communicate()

    await_end_of_all(tmp_path / "home")


def await_line(running: "subprocess.Popen[str]", words: str) -> None:
    """Read what a run tells up to the line that says this."""
    assert running.stdout is not None
    told = []
    for line in running.stdout:
        told.append(line)
        if words in line:
            return
    pytest.fail(f"ended without {words!r}: {told}")


def await_server(home: Path) -> None:
    """Wait until a run has started its server, which does not answer yet."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while len(processes_of(home)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def await_end_of_all(home: Path) -> None:
    """Wait until no process is left that has this state folder; a server notices within moments."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while processes_of(home):
        assert time.monotonic() < deadline, processes_of(home)
        time.sleep(0.2)


def processes_of(home: Path) -> list[list[str]]:
    """Command lines of the living processes that have this state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("DRIFTLINE_HOME") == str(home):
                found.append(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return [words for words in found if words]


def statuses(home: Path) -> set[str]:
    """States of all MLflow runs."""
    client = MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    found = client.search_runs([each.experiment_id for each in client.search_experiments()])
    return {run.info.status for run in found}
