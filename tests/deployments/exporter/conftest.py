"""A collector of the tiny problem, its project and its database."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from bentos.log.database import migrate, open_engine
from deployments.exporter import collector as module
from deployments.exporter.collector import LoopCollector
from tasks.settings import get_settings
from tests.support import TINY, file_problem


@pytest.fixture
def project(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of the tiny problem, with a state folder of its own."""
    del home
    folder = tmp_path / "project"
    file_problem(folder, "tiny", TINY)
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(folder))
    get_settings.cache_clear()
    module._open.cache_clear()
    return folder


@pytest.fixture
def engine(project: Path) -> Engine:
    """Its database."""
    del project
    engine = open_engine(get_settings().database)
    migrate(engine)
    return engine


@pytest.fixture
def loop(engine: Engine) -> LoopCollector:
    """A collector of it."""
    del engine
    return LoopCollector()
