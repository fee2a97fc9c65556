"""A spool and a database for each test of the log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bentos.log.spool import SpoolWriter


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """A folder for a spool."""
    return tmp_path / "spool"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite file of the test's own, which a shipper's process finds too."""
    url = f"sqlite:///{tmp_path / 'predictions.db'}"
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", url)
    return url


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[SpoolWriter]:
    """A writer into an empty folder."""
    writer = SpoolWriter(tmp_path)
    yield writer
    writer.close()
