"""Keeps what was guessed of a table: the two files of its problem, and a page to check it by."""

import re
from pathlib import Path

import pandas as pd

from bentos.settings import expand
from driftline.errors import ProblemError
from driftline.expectations import parse_suite
from driftline.onboarding import Onboarding
from driftline.problem import check_name, parse_problem
from tasks.data.profiles import render_profile
from tasks.data.storage import write_report
from tasks.settings import get_settings


def name_problem(location: str, name: str | None) -> str:
    """The problem's name: as given, else after the file."""
    if name is not None:
        return check_name(name.replace("-", "_"))
    stem = re.split(r"[/\\]", location.rstrip("/"))[-1].split(".")[0].lower()
    made = re.sub(r"[^a-z0-9]+", "_", stem).strip("_") or "table"
    return check_name(made if made[0].isalpha() else f"table_{made}")


def place_of_source(location: str) -> str:
    """How the problem file names its table: a file by its whole path, a URL as it is."""
    return location if "://" in location else str(expand(Path(location)).resolve())


def write_files(name: str, made: Onboarding, *, again: bool) -> tuple[Path, Path]:
    """Both files, after they have been read as every problem is; neither is written over.

    Raises:
        ProblemError: Where a problem of this name is there already and `again` is not set.
    """
    settings = get_settings()
    places = (settings.problems_dir / f"{name}.yaml", settings.expectations_dir / f"{name}.yaml")
    there = [str(path) for path in places if path.exists()]
    if there and not again:
        message = f"{', '.join(there)}: there already; wanted another --name, or --again"
        raise ProblemError(message)
    problem = parse_problem(made.problem, name=name, file=str(places[0]))
    parse_suite(made.suite, problem=problem, file=str(places[1]))
    for path, text in zip(places, (made.problem, made.suite), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return places


def write_profile(name: str, rows: pd.DataFrame, made: Onboarding) -> str:
    """The page's address."""
    page = render_profile(rows, made, title=f"{name}: what was guessed of its table")
    return str(write_report.fn(f"onboarding/{name}.html", page))  # type: ignore[attr-defined] # a task
