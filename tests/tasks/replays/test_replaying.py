from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftline import boosting
from driftline.candidates import CANDIDATES
from driftline.cleaning import clean
from driftline.errors import DataError, DriftlineError
from driftline.history import History
from driftline.problem import Problem
from driftline.promise import Recipe
from driftline.replay import Look, Replay
from tasks.replays import renewing, replaying
from tasks.replays.detectors import AdwinFlag, evidently_flag
from tests.support import STAY, make_problem, stay_rows, tiny_rows

LEARNT = Recipe("logistic_regression", {"C": 1.0})


def _history(rows: pd.DataFrame, problem: Problem) -> History:
    cleaned = clean(rows, problem, source="rows", with_target=True)
    return replaying.make_history.fn(cleaned, problem, windows=4)


def test_rows_are_ordered_by_numbers_or_dates_that_the_problem_does_not_know(
    problem: Problem, rows: pd.DataFrame
) -> None:
    days = pd.Series(pd.date_range("2024-01-01", periods=len(rows))[::-1].astype(str))
    numbers = pd.Series(np.arange(len(rows))[::-1].astype(str))

    for moments in (days, numbers):
        ordered = replaying.order_rows.fn(rows.assign(when=moments), "when", problem)

        pd.testing.assert_frame_equal(ordered, rows[::-1].reset_index(drop=True))


def test_a_column_that_is_an_input_orders_and_stays(problem: Problem, rows: pd.DataFrame) -> None:
    ordered = replaying.order_rows.fn(rows, "age", problem)

    assert ordered["age"].is_monotonic_increasing


def test_rows_are_ordered_by_a_declared_date_as_it_is_written(rows: pd.DataFrame) -> None:
    problem = make_problem(columns={"seen": {"kind": "date", "format": "day_first"}})
    days = pd.date_range("2024-01-01", periods=len(rows))[::-1].strftime("%d.%m.%Y")

    ordered = replaying.order_rows.fn(rows.assign(seen=days), "seen", problem)

    pd.testing.assert_frame_equal(ordered[rows.columns], rows[::-1].reset_index(drop=True))


@pytest.mark.parametrize(("order_by", "told"), [("where", "wanted one of"), ("sex", "240 values")])
def test_an_order_that_cannot_be_is_refused_without_values(
    problem: Problem, rows: pd.DataFrame, order_by: str, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        replaying.order_rows.fn(rows, order_by, problem)


def test_an_unknown_candidate_is_refused() -> None:
    with pytest.raises(DriftlineError, match="wanted one of"):
        renewing.choose_recipe("oracle")


@pytest.mark.parametrize(
    ("cells", "is_installed", "made_by"),
    [
        (960, True, "hist_gradient_boosting"),
        (959, True, "lightgbm"),
        (959, False, "hist_gradient_boosting"),
    ],
)
def test_many_cells_are_learnt_from_by_the_quicker_boosting_where_it_is_installed(
    problem: Problem,
    rows: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    cells: int,
    is_installed: bool,
    made_by: str,
) -> None:
    history = _history(rows, problem)
    monkeypatch.setattr(renewing, "MANY_CELLS", cells)
    monkeypatch.setattr(boosting, "find_spec", lambda _: True if is_installed else None)

    recipe = renewing.suit_recipe(history)

    assert (history.X.size, recipe.candidate) == (960, made_by)
    assert recipe.params == CANDIDATES[made_by].defaults


def test_many_cells_that_tell_a_number_are_learnt_from_by_what_predicts_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = _history(stay_rows(), make_problem(STAY))
    monkeypatch.setattr(renewing, "MANY_CELLS", 0)

    recipe = renewing.suit_recipe(history)

    assert (recipe.candidate, recipe.predicts) == ("hist_gradient_boosting", "number")


def test_rows_that_break_the_contract_are_left_out(problem: Problem, rows: pd.DataFrame) -> None:
    rows.loc[[3, 5], "age"] = 500
    cleaned = clean(rows, problem, source="rows", with_target=True)

    history = replaying.make_history.fn(cleaned, problem, windows=4)

    assert len(history.table) == len(rows) - 2


def test_a_model_is_read_as_it_was_kept_and_named_by_its_rows(
    home: Path, problem: Problem, rows: pd.DataFrame
) -> None:
    del home
    cleaned = clean(rows, problem, source="rows", with_target=True)
    history = replaying.make_history.fn(cleaned, problem, windows=4)
    model = renewing.renew_at(history, 2, LEARNT)

    read = renewing._unpack(renewing._pack(model))

    np.testing.assert_allclose(read.answers, model.answers, atol=1e-7)
    assert (read.promise, read.threshold) == (model.promise, model.threshold)
    other = Recipe("logistic_regression", {"C": 2.0})
    assert renewing.key_of(history, LEARNT) != renewing.key_of(history, other)


def test_detectors_flag_a_great_change_and_no_small_one(problem: Problem) -> None:
    rows = tiny_rows(1200)
    rows.loc[900:, "outcome"] = 1 - rows.loc[900:, "outcome"]
    rows.loc[900:, ["age", "level"]] = [30, 3.0]
    cleaned = clean(rows, problem, source="rows", with_target=True)
    history = replaying.make_history.fn(cleaned, problem, windows=4)
    replay = Replay(history, [renewing.renew_at(history, w, LEARNT) for w in range(4)])

    flags = [evidently_flag(replay), AdwinFlag(replay)]

    for flag in flags:
        assert [flag(Look(w, 0, w)) for w in (1, 2, 3)] == [False, False, True]
