"""What is imported ahead is whole before a flow begins, and never beside a flow's own imports."""

import sys
from pathlib import Path

import pytest

from flows.shared.importing import await_imports, import_ahead

SLOW = """
import time
time.sleep(0.5)
is_whole = True
"""


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that takes its time."""
    (tmp_path / "slow_library.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_library", raising=False)
    return "slow_library"


def name_server(url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.shared.importing.PREFECT_API_URL.value", lambda: url)


def test_a_run_begins_when_all_is_there(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name_server(None, monkeypatch)

    import_ahead(["no_such_library", slow])
    await_imports()

    assert sys.modules[slow].is_whole


def test_nothing_is_imported_ahead_of_a_server_that_runs_already(
    slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_server("http://127.0.0.1:4200/api", monkeypatch)

    import_ahead([slow])
    await_imports()

    assert slow not in sys.modules
