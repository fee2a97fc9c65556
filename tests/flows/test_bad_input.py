"""What a person gets wrong, through the real command line: one clear line, exit 1, nothing written.

The commands share a state folder, which has to stay as it was.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from tests.buckets import Bucket
from tests.conftest import RunFlow
from tests.ports import free_ports
from tests.support import TINY, file_problem, tiny_rows

pytestmark = pytest.mark.system

Write = Callable[[Path], None]
ROWS = tiny_rows(60)


def table(rows: pd.DataFrame) -> Write:
    return lambda path: rows.to_csv(path, index=False)


def content(written: bytes) -> Write:
    return lambda path: path.write_bytes(written) and None


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """The tiny problem with one key of it set otherwise."""
    problem: Any = copy.deepcopy(TINY)
    inner = problem
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return problem


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and the words that the message has to hold."""

    words: tuple[str, ...]
    write: Write | None = None
    problem: dict[str, Any] = field(default_factory=lambda: TINY)
    asked: str = "tiny"
    flow: str = "ingest"
    options: tuple[str, ...] = ()


LATIN = ROWS.assign(sex="\xe4").to_csv(index=False).encode("latin-1")
TWICE = ROWS.assign(x=ROWS["age"]).rename(columns={"x": "age"})
MISTAKES = {
    "missing file": Mistake(("rows.csv: no such file", "wanted a table or a folder of them")),
    "empty file": Mistake(("rows.csv: an empty file", "wanted a header"), content(b"")),
    "header only": Mistake(("got a header and no rows", "wanted"), table(ROWS.head(0))),
    "missing column": Mistake(("missing: 'age'",), table(ROWS.drop(columns="age"))),
    "renamed column": Mistake(
        ("missing: 'level' (is it 'levels'?", "unexpected: 'levels'"),
        table(ROWS.rename(columns={"level": "levels"})),
    ),
    "duplicated column": Mistake(("given more than once: 'age'",), table(TWICE)),
    "unexpected column": Mistake(("unexpected: 'height'",), table(ROWS.assign(height=1))),
    "text in a number column": Mistake(
        ("30 of 60 rows", "wanted at most 20.0%", "age: not a whole number"),
        table(ROWS.assign(age=["old", "40"] * 30)),
    ),
    "all-missing column": Mistake(
        ("column 'level': got no usable value at all",), table(ROWS.assign(level=""))
    ),
    "one class only": Mistake(
        ("column 'outcome': got only well", "wanted rows of every class"),
        table(ROWS.assign(outcome=0)),
        flow="train",
    ),
    "fewer rows than folds": Mistake(
        ("wanted", "folds"), table(ROWS.head(12)), flow="train", options=("--folds", "13")
    ),
    "Latin text": Mistake(("sex: not one of its categories (60 rows)",), content(LATIN)),
    "not text": Mistake(
        ("rows.csv: not all of it is", "wanted UTF-8"), content(bytes(range(256)) * 40)
    ),
    "unknown problem": Mistake(("got 'tinny'", "wanted one of: tiny"), asked="tinny"),
    "unknown key": Mistake(
        ("data/problems/tiny.yaml: colour: unknown key",), problem=changed("colour", to="red")
    ),
    "gate on an unknown metric": Mistake(
        ("data/problems/tiny.yaml: gates.0.metric: got 'test_beauty', wanted test_<m>",),
        problem=changed("gates", 0, "metric", to="test_beauty"),
    ),
    "range upside down": Mistake(
        ("data/problems/tiny.yaml: columns.age.range: got [120, 0], wanted the low end below",),
        problem=changed("columns", "age", "range", to=[120, 0]),
    ),
    "option out of bounds": Mistake(
        ("folds", "2"), table(ROWS), flow="train", options=("--folds", "1")
    ),
}


def traces(home: Path) -> set[str]:
    """Everything in a state folder that a run that came to nothing must not leave."""
    kept = ("snapshots/", "runs/", "artifacts/", "bentoml/")
    files = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    return {name for name in files if name.startswith(kept)}


def assert_nothing_is_written(home: Path) -> None:
    assert traces(home) == set()
    assert MlflowClient(f"sqlite:///{home / 'mlflow.db'}").search_registered_models() == []


def assert_clear(done: Any, words: tuple[str, ...]) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("error: ")
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_and_leaves_nothing(
    mistake: Mistake, run_flow: RunFlow, tmp_path: Path
) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    file_problem(project, "tiny", mistake.problem)
    rows = project / "rows.csv"
    if mistake.write is not None:
        mistake.write(rows)

    done = run_flow(
        mistake.flow,
        mistake.asked,
        "--source",
        str(rows),
        *mistake.options,
        home=home,
        project=project,
    )

    assert_clear(done, mistake.words)
    assert_nothing_is_written(home)


@pytest.mark.s3
def test_a_missing_object_is_told_and_leaves_nothing(
    run_flow: RunFlow, s3: Bucket, tmp_path: Path, project: Path
) -> None:
    location = f"s3://{s3.name}/no-such-object.csv"

    done = run_flow(
        "ingest",
        "tiny",
        "--source",
        location,
        home=tmp_path / "home",
        project=project,
        env=s3.environment,
    )

    assert_clear(done, (f"{location}: no such file", "wanted"))
    assert_nothing_is_written(tmp_path / "home")


def test_an_unreachable_store_is_told_after_some_tries(
    run_flow: RunFlow, tmp_path: Path, project: Path
) -> None:
    nowhere = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_ports(1)[0]}",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "DRIFTLINE_PATIENCE_SECONDS": "3",
    }

    done = run_flow(
        "ingest",
        "tiny",
        "--source",
        "s3://bucket/rows.csv",
        home=tmp_path / "home",
        project=project,
        env=nowhere,
    )

    assert "trying again in" in done.stdout
    assert_clear(done, ("s3://bucket/rows.csv: did not answer", "wanted a reachable store"))
    assert_nothing_is_written(tmp_path / "home")
