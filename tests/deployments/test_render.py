"""`prefect.yaml` says what the problem files say."""

from pathlib import Path

import pytest
import yaml

from deployments import render
from tasks.settings import get_settings
from tests.support import MOODS, ROOT, TINY, file_problem


@pytest.fixture
def project(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own with one problem."""
    del home
    folder = tmp_path / "project"
    file_problem(folder, "tiny", TINY)
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(folder))
    get_settings.cache_clear()
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["render", *words])
    return render.main()


def test_the_file_of_this_checkout_is_what_its_problems_say() -> None:
    assert (ROOT / "prefect.yaml").read_text("utf-8") == render.render()


def test_a_problem_that_is_added_makes_the_file_stale_until_it_is_written_anew(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch)
    told = [run(monkeypatch, "--check")]
    file_problem(project, "moods", MOODS)
    told.append(run(monkeypatch, "--check"))
    run(monkeypatch)
    told.append(run(monkeypatch, "--check"))

    assert told == [0, 1, 0]
    assert "prefect.yaml: stale; wanted what `make deployments` writes" in capsys.readouterr().err
    content = yaml.safe_load((project / "prefect.yaml").read_text("utf-8"))
    assert {each["name"] for each in content["deployments"]} == {"all-problems", "tiny", "moods"}


def test_a_problem_file_that_is_wrong_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file_problem(project, "tiny", TINY, loop={"schedules": {"train": "weekly"}})

    assert run(monkeypatch) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: data/problems/tiny.yaml: loop.schedules.train: got 'weekly'")
    assert not (project / "prefect.yaml").exists()


def test_make_check_asks_whether_it_is_stale() -> None:
    assert "deployments.render --check" in (ROOT / "Makefile").read_text("utf-8")
