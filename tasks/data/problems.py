"""Reads problem files and their suites of expectations from the project folder."""

import os
from pathlib import Path

from driftline.errors import ProblemError
from driftline.expectations import Suite, parse_suite
from driftline.problem import Problem, check_name, parse_problem
from tasks.decorators import work
from tasks.settings import get_settings


def list_problems() -> list[str]:
    """Names of all problems that are described."""
    folder = get_settings().problems_dir
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):  # `glob` would find nothing
        raise _unreadable(folder, "Permission denied")
    return sorted(path.stem for path in folder.glob("*.yaml"))


def find_problem(name: str) -> Path:
    """The file of this problem; `ProblemError` with those that there are where it is none."""
    folder = get_settings().problems_dir
    path = folder / f"{check_name(name.replace('-', '_'))}.yaml"
    refuse_other_kind(path, wanted=f"the file of problem {path.stem!r}")
    if not path.is_file():
        known = ", ".join(list_problems()) or "none"
        message = f"problem: got {name!r}, wanted one of: {known} (files in {_shown(folder)})"
        raise ProblemError(message)
    return path


@work(name="read problem")
def read_problem(name: str) -> Problem:
    """The problem filed under this name; for an unknown one the error lists the known."""
    path = find_problem(name)
    return parse_problem(_read(path), name=path.stem, file=_shown(path))


@work(name="read expectations")
def read_suite(problem: Problem) -> Suite:
    """The suite of this problem, its column names checked against the problem's."""
    path = get_settings().expectations_dir / f"{problem.name}.yaml"
    refuse_other_kind(path, wanted=f"the expectations of problem {problem.name!r}")
    if not path.is_file():
        message = f"{_shown(path)}: missing; wanted the expectations of problem {problem.name!r}"
        raise ProblemError(message)
    return parse_suite(_read(path), problem=problem, file=_shown(path))


@work(name="read files of problem")
def read_files(name: str) -> dict[str, bytes]:
    """The two files of a problem, as they stand."""
    settings = get_settings()
    return {
        "problem.yaml": (settings.problems_dir / f"{name}.yaml").read_bytes(),
        "expectations.yaml": (settings.expectations_dir / f"{name}.yaml").read_bytes(),
    }


def refuse_other_kind(path: Path, *, wanted: str) -> None:
    """A folder, or a link that leads nowhere, is listed beside the files and is none."""
    try:
        is_folder = path.is_dir()
    except OSError as error:  # a folder above it may not be entered
        raise _unreadable(path, error.strerror) from None
    if is_folder:
        raise ProblemError(f"{_shown(path)}: is a folder, wanted {wanted}")
    if path.is_symlink() and not path.is_file():
        message = f"{_shown(path)}: is a link to {path.readlink()}, which is not there; "
        raise ProblemError(f"{message}wanted {wanted}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(path, error.strerror) from None
    except UnicodeDecodeError as error:
        message = f"{_shown(path)}: not UTF-8 at byte {error.start}; wanted UTF-8 text"
        raise ProblemError(message) from None


def _unreadable(path: Path, why: str | None) -> ProblemError:
    return ProblemError(
        f"{_shown(path)}: cannot be read ({why or 'no reason'}); wanted it readable for this user"
    )


def _shown(path: Path) -> str:
    root = get_settings().project_dir
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
