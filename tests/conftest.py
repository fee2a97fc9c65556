"""What tests stand on: a state folder of their own, and the real servers that some of them need."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import settings
from xdist.remote import Producer

from driftline.problem import Problem
from tasks.collecting import collect_rarely
from tests.buckets import Bucket, forget_connections, running_s3
from tests.forked import Forked, Forks
from tests.scheduling import ByFile, place
from tests.support import (
    ROOT,
    TINY,
    file_problem,
    make_problem,
    run_command,
    tiny_rows,
)

TOOLS = ("DRIFTLINE_", "PREFECT_", "MLFLOW_", "BENTOML_", "AWS_")

RunFlow = Callable[..., subprocess.CompletedProcess[str]]
StartFlow = Callable[..., "subprocess.Popen[str]"]
ForkFlow = Callable[..., Forked]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make pictures` says where those of the documents lie."""
    parser.addoption("--pictures", type=Path, help="a folder for the pictures of the page")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing that a test imports may touch the developer's own state."""
    collect_rarely()
    folder = tempfile.mkdtemp(prefix="driftline-tests-")
    config.stash[STATE] = folder
    for name in list(os.environ):
        if name.startswith(TOOLS):
            del os.environ[name]
    os.environ |= {
        "DRIFTLINE_HOME": folder,
        "PREFECT_HOME": f"{folder}/prefect",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "BENTOML_HOME": f"{folder}/bentoml",
        **QUIET,
    }
    Path(folder, "prefect").mkdir()
    # A shared machine may be slow at any moment; and no examples are kept in the project's folder.
    settings.register_profile("driftline", deadline=None, database=None)
    settings.register_profile("quick", deadline=None, database=None, max_examples=20)
    settings.load_profile(config.getoption("--hypothesis-profile") or "driftline")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(config.stash[STATE], ignore_errors=True)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Deal the tests out by file."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest."""
    items.sort(key=place)


STATE = pytest.StashKey[str]()
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "BENTOML_DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "MPLBACKEND": "agg",
    "DRIFTLINE_THREADS": "1",  # several tests run at once; processes for folds would slow them down
    "OMP_NUM_THREADS": "1",  # and threads that wait for each other are slow
    "OPENBLAS_NUM_THREADS": "1",
}


def without_tools() -> dict[str, str]:
    """The environment of this process without what the project and its tools are told."""
    return {name: value for name, value in os.environ.items() if not name.startswith(TOOLS)}


@pytest.fixture
def problem() -> Problem:
    """The tiny two-class problem."""
    return make_problem()


@pytest.fixture
def rows() -> pd.DataFrame:
    """240 rows of the tiny problem."""
    return tiny_rows()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder that describes the tiny problem, and holds its rows as `rows.csv`."""
    folder = tmp_path / "project"
    file_problem(folder, "tiny", TINY)
    tiny_rows().to_csv(folder / "rows.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated and empty MLflow database; copying it saves each test the migration."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own, which the settings of this process point at."""
    from tasks.settings import get_settings

    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("DRIFTLINE_HOME", str(folder))
    monkeypatch.setenv("BENTOML_HOME", str(folder / "bentoml"))
    get_settings.cache_clear()
    yield folder
    get_settings.cache_clear()


@pytest.fixture
def mlflow_home(home: Path, mlflow_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with an MLflow database in it, which this process's clients use."""
    import mlflow

    shutil.copyfile(mlflow_template, home / "mlflow.db")
    address = f"sqlite:///{home / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    mlflow.set_tracking_uri(address)
    return home


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[str]:
    """Address of a Prefect server that lives as long as the tests do."""
    from prefect.settings import get_current_settings
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        address = get_current_settings().api.url
        assert address is not None
        yield address


@pytest.fixture(scope="session")
def flow_environment(prefect_api: str, mlflow_template: Path) -> Callable[..., dict[str, str]]:
    """The environment of a command with a state folder and a project folder of its own.

    Several commands may share a state folder; the first finds a migrated MLflow database in it.
    """

    def make(
        home: Path, project: Path | None = None, env: dict[str, str] | None = None
    ) -> dict[str, str]:
        if not home.exists():
            home.mkdir(parents=True)
            shutil.copyfile(mlflow_template, home / "mlflow.db")
        own = {"DRIFTLINE_HOME": str(home), "PREFECT_API_URL": prefect_api, "COLUMNS": "200"}
        if project is not None:
            own["DRIFTLINE_PROJECT_DIR"] = str(project)
        return without_tools() | QUIET | own | (env or {})

    return make


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """What runs commands without importing all that is slow for each."""
    made = Forks(without_tools() | QUIET)
    yield made
    made.close()


@pytest.fixture(scope="session")
def run_flow(flow_environment: Callable[..., dict[str, str]], forks: Forks) -> RunFlow:
    """Run `python -m flows.<flow> ...` to its end, in such an environment."""

    def run(*words: str, **where: Any) -> subprocess.CompletedProcess[str]:
        env = flow_environment(**where)
        start = forks.run if forks.can_run(env) else run_command
        return start(f"flows.{words[0]}", *words[1:], env=env)

    return run


@pytest.fixture(scope="session")
def start_flow(flow_environment: Callable[..., dict[str, str]]) -> StartFlow:
    """Start the same as a process of its own, and return while it runs."""

    def start(*words: str, **where: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", f"flows.{words[0]}", *words[1:]],
            cwd=ROOT,
            env=flow_environment(**where),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def fork_flow(flow_environment: Callable[..., dict[str, str]], forks: Forks) -> ForkFlow:
    """Start the same as a fork, and return while it runs."""

    def start(*words: str, **where: Any) -> Forked:
        return forks.start(f"flows.{words[0]}", *words[1:], env=flow_environment(**where))

    return start


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A real SeaweedFS S3 server with one bucket."""
    with running_s3(tmp_path_factory.mktemp("seaweedfs")) as bucket:
        yield bucket


@pytest.fixture
def s3(s3_server: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """The real bucket, as the AWS_* variables of this process name it."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    forget_connections()
    yield s3_server
    forget_connections()
