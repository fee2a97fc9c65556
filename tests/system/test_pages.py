"""MLflow's server, as `make up` and `make mlflow` start it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from deployments.pages import hide_backend
from deployments.up import Ports, _mlflow
from tests.ports import free_ports
from tests.support import ROOT
from tests.system.servers import children
from tests.system.service import await_that, command_of

pytestmark = pytest.mark.system


def test_no_command_line_names_the_database_that_mlflow_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user of a machine reads command lines, and a database's address holds its password."""
    database, (port,) = tmp_path / "backend.db", free_ports(1)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", "")
    hide_backend()
    words = [
        sys.executable,
        "-m",
        *_mlflow(Ports(prefect=0, mlflow=port, reports=0, page=0, services={})),
    ]

    with subprocess.Popen(
        words, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True
    ) as server:
        try:
            await_that(lambda: _has_experiments(database), 240.0)
            commands = [command_of(pid) for pid in (server.pid, *children(server.pid))]
        finally:
            os.killpg(server.pid, signal.SIGKILL)

    assert any("mlflow" in command for command in commands)
    assert not any("backend.db" in command for command in commands)


def _has_experiments(database: Path) -> bool:
    if not database.exists():
        return False
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM sqlite_master WHERE name = 'experiments'")
        return bool(connection.execute(query).scalar())
