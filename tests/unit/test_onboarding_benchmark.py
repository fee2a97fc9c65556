"""The parts of the benchmark that sets onboarding beside other libraries."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.guesses.peers import write_tables
from tests.benchmarks.guesses.truth import MISSING, RIGHT, Table, judge, load_truth
from tests.benchmarks.onboarding import SCRIPT, ask_ours, read_cells

SICK = Table("here", "sick", {"pid": "id", "ill": "yes_no", "stage": "ordered"}, {"age": ("?",)})


def test_a_column_is_told_right_by_its_kind_and_its_missing_cells() -> None:
    cells = {"pid": ["a", "b"], "age": ["1", "?"], "stage": ["I", "II"], "sick": ["0", "1"]}

    judged = judge(SICK, cells, {"pid": ("text", 0), "age": ("number", 1), "stage": ("text", 0)})

    assert judged == [
        ("id", "pid", "text", True),
        ("number", "age", "number", True),
        (MISSING, "age", "1 cells", True),
        ("ordered", "stage", "text", False),
    ]


def test_a_column_that_was_not_told_of_is_wrong() -> None:
    assert [is_right for *_, is_right in judge(SICK, {"ill": ["0"]}, {})] == [False]


def test_each_table_of_the_truth_has_kinds_that_are_known() -> None:
    truth = load_truth()

    assert len(truth) >= 50
    assert {kind for table in truth.values() for kind in table.kinds.values()} <= {*RIGHT, "any"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_nothing_is_told_wrong_of_the_tables_that_are_always_there(
    name: str, tmp_path: Path
) -> None:
    table = load_truth()[name]
    assert write_tables(tmp_path, {name: table.origin}) == {}
    path = tmp_path / f"{name}.csv"

    judged = judge(table, read_cells(path), ask_ours(path, table))

    assert len(judged) >= 4
    assert [each for each in judged if not each[-1]] == []


@pytest.mark.slow
def test_a_peer_that_is_not_installed_is_named(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "autogluon", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "autogluon" in json.loads(done.stdout)
