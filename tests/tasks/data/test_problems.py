from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driftline.errors import ProblemError
from tasks.data.problems import find_problem, list_problems, read_problem, read_suite
from tasks.settings import get_settings
from tests.permissions import bound_by_permissions
from tests.support import MOODS, file_problem


@pytest.fixture(autouse=True)
def described(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of two problems, which the settings of this process point at."""
    file_problem(project, "two_moods", MOODS)
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(project))
    get_settings.cache_clear()
    yield project
    get_settings.cache_clear()


@pytest.mark.parametrize("name", ["two_moods", "two-moods"])
def test_a_problem_is_found_by_its_name_and_by_its_deployments(name: str) -> None:
    assert read_problem.fn(name).name == "two_moods"


def test_every_described_problem_is_listed() -> None:
    assert list_problems() == ["tiny", "two_moods"]


def test_an_unknown_problem_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ProblemError) as raised:
        read_problem.fn("tinny")

    wanted = "problem: got 'tinny', wanted one of: tiny, two_moods (files in data/problems)"
    assert str(raised.value) == wanted


@pytest.mark.parametrize("name", ["../secrets", "/etc/passwd", "a/b", "tiny\n"])
def test_a_name_cannot_lead_out_of_the_folder(name: str) -> None:
    with pytest.raises(ProblemError, match="wanted a name of lower-case letters"):
        read_problem.fn(name)


def test_a_problem_without_its_suite_is_told(described: Path) -> None:
    (described / "expectations" / "tiny.yaml").unlink()

    with pytest.raises(ProblemError, match=r"^expectations/tiny.yaml: missing; wanted the expec"):
        read_suite.fn(read_problem.fn("tiny"))


@pytest.mark.parametrize("folder", ["data/problems", "expectations"])
@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_no_file_is_told_as_what_it_is(folder: str, kind: str, described: Path) -> None:
    problem = read_problem.fn("tiny")
    path = described / folder / "tiny.yaml"
    path.unlink()
    path.mkdir() if kind == "folder" else path.symlink_to("gone.yaml")
    told = {"folder": "is a folder, wanted", "link": "is a link to gone.yaml, which is not there"}

    with pytest.raises(ProblemError) as raised:
        read_problem.fn("tiny") if folder == "data/problems" else read_suite.fn(problem)

    assert str(raised.value).startswith(f"{folder}/tiny.yaml: {told[kind]}")


def test_a_problem_file_that_is_not_utf8_is_told(described: Path) -> None:
    (described / "data" / "problems" / "tiny.yaml").write_bytes(b"title: \xe4")

    with pytest.raises(ProblemError, match=r"^data/problems/tiny.yaml: not UTF-8 at byte 7"):
        read_problem.fn("tiny")


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_a_folder_of_problems_that_this_user_may_not_look_into_is_told(
    mode: int, described: Path
) -> None:
    """As if nothing were described, a sweep had looked after nobody and said nothing."""
    folder = described / "data" / "problems"
    folder.chmod(mode)

    with bound_by_permissions():
        told = [told_of(list_problems), *([told_of(find_problem, "tiny")] if mode < 0o100 else [])]
    folder.chmod(0o700)

    for each in told:
        assert each.startswith("data/problems")
        assert each.endswith("cannot be read (Permission denied); wanted it readable for this user")


def told_of(read: Callable[..., object], *words: str) -> str:
    with pytest.raises(ProblemError) as raised:
        read(*words)
    return str(raised.value)
