"""`mlflow run` of this checkout does what the commands do, and keeps its state where they do."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import ROOT, TINY, file_problem, tiny_rows

pytestmark = [pytest.mark.system, pytest.mark.long]

HASHED = r"[a-z-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}"
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))
RunEntry = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run_entry(
    flow_environment: Callable[..., dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> RunEntry:
    """Run an entry point on the tiny problem, in the environment that is there."""
    root = tmp_path_factory.mktemp("project")
    rows = root / "rows.csv"
    file_problem(root, "tiny", TINY, source={"kind": "file", "location": str(rows)})
    tiny_rows().to_csv(rows, index=False)
    home = root / "home"
    env = flow_environment(home=home, project=root)
    env["MLFLOW_TRACKING_URI"] = f"sqlite:///{home / 'mlflow.db'}"
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["GIT_PYTHON_REFRESH"] = "quiet"

    def run(entry: str, **given: str) -> subprocess.CompletedProcess[str]:
        wanted = {"problem": "tiny"} | given
        options = [word for name, value in wanted.items() for word in ("-P", f"{name}={value}")]
        words = ["run", ".", "-e", entry, *options]
        return subprocess.run(
            [sys.executable, "-m", "mlflow", *words, "--env-manager", "local"],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def test_the_main_job_runs_and_what_it_made_scores(run_entry: RunEntry, tmp_path: Path) -> None:
    source = tmp_path / "more.csv"
    tiny_rows(40, seed=5).to_csv(source, index=False)
    before = {path.name for path in ROOT.iterdir()}

    trained = run_entry("pipeline", folds="2")
    scored = run_entry("score", source=str(source))

    assert trained.returncode == 0, trained.stderr[-2000:]
    assert "promoted" in trained.stdout
    assert scored.returncode == 0, scored.stderr[-2000:]
    assert "40" in scored.stdout
    assert {path.name for path in ROOT.iterdir()} <= before | {".driftline"}


def test_a_problem_that_there_is_not_fails_the_run(run_entry: RunEntry) -> None:
    done = run_entry("train", problem="nobody")

    assert done.returncode != 0
    assert "nobody" in done.stdout + done.stderr


def test_who_names_no_entry_point_gets_the_main_job() -> None:
    """MLflow looks for one that is called `main`."""
    entries = PROJECT["entry_points"]

    assert entries["main"] == entries["pipeline"]


@pytest.mark.parametrize("entry", sorted(PROJECT["entry_points"].keys() - {"main"}))
def test_an_entry_point_is_a_flow_of_its_name(entry: str) -> None:
    declared = PROJECT["entry_points"][entry]
    flow: Any = getattr(import_module(f"flows.{entry}"), entry)

    assert declared["command"] == f"python -m flows.{entry} {{problem}}"
    assert set(declared["parameters"]) <= set(inspect.signature(flow.fn).parameters)


def test_its_environment_is_the_locked_one_from_wherever_packages_come_here() -> None:
    text = (ROOT / PROJECT["python_env"]).read_text(encoding="utf-8")

    found = yaml.safe_load(text)
    assert found["dependencies"] == ["-r requirements.lock"]
    assert all(re.fullmatch(HASHED, each) for each in found["build_dependencies"])
    assert not re.search(r"://|index", text)
