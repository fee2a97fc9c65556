"""The page of a snapshot: every column, what it holds, and what the champion knew beside it."""

import numpy as np
import pandas as pd
import pytest

from driftline.problem import Problem
from tasks.data.snapshot_pages import draw_profile
from tests.support import STAY, make_problem, stay_rows, tiny_rows


def snapshot(rows: int, seed: int = 0) -> pd.DataFrame:
    table = tiny_rows(rows, seed=seed)
    return table.assign(outcome=table["outcome"].map({0: "well", 1: "ill"}))


def draw(table: pd.DataFrame, problem: Problem, before: pd.DataFrame | None = None) -> str:
    page: bytes = draw_profile.fn(table, problem, origin="rows <1>.csv", before=before)  # type: ignore[attr-defined]
    return page.decode()


def test_every_column_and_the_target_have_a_picture(problem: Problem) -> None:
    page = draw(snapshot(200), problem)

    assert page.count("<svg") == len(problem.columns) + 1
    assert "From rows &lt;1&gt;.csv. There is no champion yet" in page
    assert "<path" not in page


def test_what_the_champion_knows_stands_beside(problem: Problem) -> None:
    before = snapshot(100, seed=1)
    before["age"] = np.nan
    page = draw(snapshot(200), problem, before)

    assert "the 100 rows the champion knows" in page
    assert "0.0% (100.0%)" in page
    assert "(no value)" in page
    assert page.count("<path") > 0


@pytest.mark.parametrize("empty", ["level", "sex"])
def test_a_column_without_values_is_shown_as_one(problem: Problem, empty: str) -> None:
    table = snapshot(50)
    table[empty] = np.nan

    assert "100.0%" in draw(table, problem)


def test_dates_read_as_dates() -> None:
    dated = make_problem(columns={"seen": {"kind": "date"}})
    table = pd.DataFrame(
        {"seen": [19_000.0, 19_100.0, 19_200.0], "outcome": ["ill", "well", "ill"]}
    )

    assert "2022-04-18" in draw(table, dated)


def test_a_number_to_predict_is_drawn_as_one_with_its_unit() -> None:
    page = draw(stay_rows(200), make_problem(STAY), stay_rows(100, seed=1))

    assert "to predict, days" in page
    assert page.count("<svg") == 4
    assert page.count("<path") > 0
