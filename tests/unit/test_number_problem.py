from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from driftline.cleaning import clean
from driftline.dataset import draft_contract, encode_target
from driftline.errors import DataError, ProblemError
from driftline.expectations import derive_expectations, parse_suite
from driftline.labelling import read_labels
from driftline.measured import NUMBER_METRICS
from driftline.quarantine import check_trainable
from driftline.regressors import REGRESSORS
from tests.support import STAY, TINY, make_problem, stay_rows

TARGET = STAY["target"]


def test_what_is_left_out_is_what_fits_a_number() -> None:
    problem = make_problem(STAY, candidates=None)

    assert problem.candidates == tuple(REGRESSORS)
    assert problem.drift.loss == "absolute_error"
    assert problem.judged_by.metric == "absolute_error"
    assert problem.intervals.coverage == 0.9
    assert (problem.classes, problem.width, problem.is_binary) == ((), 1, False)


@pytest.mark.parametrize("metric", NUMBER_METRICS)
def test_each_metric_of_a_number_can_be_aimed_for(metric: str) -> None:
    way = "maximise" if metric in {"r2", "interval_coverage"} else "minimise"

    problem = make_problem(STAY, goal={way: metric})

    assert problem.goal.metric == metric
    assert problem.judged_by.metric in {"absolute_error", "squared_error"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"target": {**TARGET, "kind": "figure"}}, "target: kind: got 'figure', wanted one of class"),
    ({"target": {**TARGET, "range": [9, 2]}}, "target.range: got [9, 2], wanted [low, high]"),
    ({"target": {**TARGET, "positive": "x"}}, "target.positive: unknown key"),
    ({"candidates": ["logistic_regression"]}, "candidates: got logistic_regression, wanted some"),
    ({"goal": {"maximise": "f1"}}, "goal: got 'f1', wanted one of mae, rmse"),
    ({"goal": {"minimise": "r2"}}, "goal: minimise: got 'r2', wanted one of"),
    ({"goal": {}}, "goal: got none, wanted maximise or minimise"),
    ({"goal": {"maximise": "r2", "minimise": "mae"}}, "goal: got both, wanted maximise or minimi"),
    ({"goal": {"minimise": "mae", "subject_to": {"recall": 0.9}}}, "goal: got subject_to or"),
    ({"gates": [{"metric": "test_f1", "at_least": 0.5}]}, "gates.0.metric: got 'f1', wanted one"),
    ({"gates": [{"metric": "cv_mae_excess_std", "at_most": 1}]}, "wanted cv_<m>_std for a number"),
    ({"comparison": {"metric": "brier"}}, "comparison.metric: got 'brier', wanted one of absolute"),
    ({"drift": {"loss": "log_loss"}}, "drift.loss: got 'log_loss', wanted one of absolute_error"),
    ({"intervals": {"coverage": 1}}, "intervals.coverage: got 1, wanted: less than 1"),
]


@pytest.mark.parametrize(("changes", "said"), WRONG)
def test_a_file_that_does_not_fit_a_number_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProblemError) as error:
        make_problem(STAY, **changes)

    assert said in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"goal": {"minimise": "mae"}}, "goal: got 'mae', wanted one of accuracy"),
        ({"intervals": {"coverage": 0.8}}, "intervals: got it with classes, wanted it with"),
        ({"drift": {"loss": "absolute_error"}}, "drift.loss: got 'absolute_error', wanted one of"),
        ({"comparison": {"metric": "squared_error"}}, "squared_error needs target.kind number"),
        ({"risk_bands": {"medium": 2, "high": 5}}, "risk_bands: got 2 and 5, wanted bounds of a"),
    ],
)
def test_classes_are_asked_nothing_that_is_of_a_number(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProblemError) as error:
        make_problem(TINY, **changes)

    assert said in str(error.value)


def test_a_goal_of_classes_that_is_best_when_low_may_be_minimised() -> None:
    assert make_problem(TINY, goal={"minimise": "brier"}).goal.is_low_best
    assert make_problem(TINY, goal={"maximise": "brier"}).goal.is_low_best


def test_a_truth_that_is_no_number_of_the_range_marks_its_row() -> None:
    rows = pd.DataFrame(
        {"age": 40, "level": 1, "sex": "F", "stay": ["4.50", "x", "", "61", "-1", 7, None, "1e400"]}
    )

    cleaned = clean(rows, make_problem(STAY), source="rows.csv", with_target=True)

    assert cleaned.table["stay"].dtype == np.float64
    assert cleaned.table["stay"].dropna().tolist() == [4.5, 7.0]
    assert set(cleaned.faults) == {1, 2, 3, 4, 6, 7}
    assert cleaned.faults[3] == ("stay: not a number between 0 and 60",)
    assert encode_target(cleaned.table.iloc[[0, 5]], make_problem(STAY)).tolist() == [4.5, 7.0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (stay_rows(10), "column 'stay': got 10 rows, wanted at least 12 for 5 folds"),
        (stay_rows(40).assign(stay=3.0), "column 'stay': got one value in all rows"),
        (stay_rows(40).assign(stay=lambda rows: rows["stay"] + 1e12), "subtract the same number"),
    ],
)
def test_rows_that_teach_no_number_are_refused(rows: pd.DataFrame, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_trainable(rows, make_problem(STAY), folds=5, source="rows.csv")


def test_the_suite_holds_the_target_to_its_range() -> None:
    derived = [one.arguments for one in derive_expectations(make_problem(STAY))]

    assert {"column": "stay", "min_value": 0, "max_value": 60} in derived


def test_a_set_of_values_of_the_target_means_numbers() -> None:
    asked = {"expect": "ExpectColumnValuesToBeInSet", "arguments": {"column": "stay"}}
    asked["arguments"]["value_set"] = ["4.0", 5]  # type: ignore[index]
    text = yaml.safe_dump({"derive": False, "expectations": [asked]})

    (one,) = parse_suite(text, problem=make_problem(STAY), file="s.yaml").expectations

    assert one.arguments["value_set"] == [4.0, 5.0]


def test_a_file_of_labels_holds_numbers() -> None:
    rows = pd.DataFrame({"id": ["a", "b", "c", "d"], "stay": ["4.0", "4.25", "none", "99"]})

    read = read_labels(rows, make_problem(STAY), source="labels.csv")

    assert read.pairs == (("a", "4"), ("b", "4.25"))
    assert read.unusable == 2


def test_bands_of_a_number_count_where_they_are_declared() -> None:
    plain = draft_contract(make_problem(STAY))
    banded = draft_contract(make_problem(STAY, risk_bands={"medium": 10, "high": 30}))

    assert plain.estimate_risk(40.0) is None
    assert [banded.estimate_risk(days) for days in (5.0, 20.0, 40.0)] == ["low", "medium", "high"]
