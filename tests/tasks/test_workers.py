"""Workers of this machine: begun once for all, told by files, and nothing of them stays."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.cluster import begin_imports, spread_ahead
from tasks.settings import get_settings
from tasks.workers import filing
from tests.support import ROOT
from tests.tasks.parts import square_and_die_once, tell_variable

SCRIPT = """
import prefect
from tasks.cluster import begin_imports, spread_ahead
from tests.tasks.parts import tell_imported

if __name__ == "__main__":
    begin_imports(["tasks.log.answering"])
    names = ["prefect", "sqlalchemy", "tasks.log.answering"]
    print(dict(spread_ahead(tell_imported, (), names)))
"""

KILLED = """
import sys, time
from pathlib import Path
from tasks.workers import filing

with filing(Path(sys.argv[1])) as files:
    print(files.give("part"), flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _of_this_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del home
    monkeypatch.setenv("DRIFTLINE_DASK", "1")
    get_settings.cache_clear()


def test_workers_have_what_was_imported_for_them_and_nothing_of_the_script(tmp_path: Path) -> None:
    """Each would take a second of a processor for Prefect, and longer for what a flow imports."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, "utf-8")
    env = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )

    told = {"prefect": False, "sqlalchemy": False, "tasks.log.answering": True}
    assert ast.literal_eval(done.stdout.splitlines()[-1]) == told


def test_workers_see_the_environment_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    begin_imports(["json"])
    monkeypatch.setenv("TOLD_LATER", "yes")

    told = dict(spread_ahead(tell_variable, (), ["TOLD_LATER"]))

    assert told == {"TOLD_LATER": "yes"}


def test_no_file_stays_of_what_went_to_workers_though_one_is_killed(
    home: Path, tmp_path: Path
) -> None:
    made = list(spread_ahead(square_and_die_once, (tmp_path,), range(6)))

    assert sorted(made) == [(part, part * part) for part in range(6)]
    assert [path for path in (home / "dask" / "handed").rglob("*") if path.is_dir()] == []


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    words = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        left = Path(run.stdout.readline().strip())
        assert left.is_file()
        run.send_signal(signal.SIGKILL)

    with filing(tmp_path) as files:
        assert not left.exists()
        assert files.folder.is_dir()
