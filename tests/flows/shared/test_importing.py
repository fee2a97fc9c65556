"""What is imported ahead is whole before a flow begins."""

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


def test_a_run_begins_when_all_is_there(slow: str) -> None:
    import_ahead(["no_such_library", slow])
    await_imports()

    assert sys.modules[slow].is_whole
