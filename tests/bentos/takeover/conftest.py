"""A machine of the test's own."""

from pathlib import Path

import pytest


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any bento, whose store is a folder of another one."""
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    monkeypatch.setenv("DRIFTLINE_STORE_URL", str(tmp_path / "store"))
    for name in ("DRIFTLINE_SIGNING_KEY", "DRIFTLINE_EVIDENCE_PUBLIC_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
