"""One small model for all tests of what is served, and an API over it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bentos.api import Api
from bentos.log.database import migrate, open_engine
from bentos.predictor import Predictor, load_predictor
from tests.bentos.models import KeptLog, write_breast_cancer_model, write_tiny_model
from tests.support import lacking
from tests.system.servers import DatabaseServer, start_mariadb, start_postgresql


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny problem's model."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def predictor(model_folder: Path) -> Predictor:
    """The tiny problem's predictor."""
    return load_predictor(model_folder)


@pytest.fixture(scope="session")
def wide_predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A predictor of 30 plain numbers, which batches take the quick way through."""
    return load_predictor(write_breast_cancer_model(tmp_path_factory.mktemp("wide")))


@pytest.fixture
def log() -> KeptLog:
    """A log in memory."""
    return KeptLog()


@pytest.fixture
def api(predictor: Predictor, log: KeptLog) -> Api:
    """The API over the tiny model."""
    return Api(predictor, log)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    """A real PostgreSQL server."""
    with start_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    """A real MariaDB server."""
    with start_mariadb() as server:
        yield server


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new and empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database' / 'log.db'}"
    server: DatabaseServer = request.getfixturevalue(request.param)
    return server.create_database()


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    """An engine on a migrated database of each kind."""
    engine = open_engine(empty_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        lacking("the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
