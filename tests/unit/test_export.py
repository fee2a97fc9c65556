from dataclasses import replace

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from driftline.candidates import CANDIDATES, build_calibrated
from driftline.contract import Contract
from driftline.dataset import draft_contract, encode_rows, encode_target
from driftline.export import Parity, check_parity, edge_cases, export_onnx, score_onnx
from tests.support import MOODS, make_problem, mood_rows, tiny_rows

SMALL = {
    "random_forest": {"n_estimators": 20},
    "hist_gradient_boosting": {"max_iter": 8},
    "xgboost": {"n_estimators": 8},
    "lightgbm": {"n_estimators": 8},
}
SERVABLE = [name for name in CANDIDATES if name != "dummy"]  # the baseline never wins
PROBLEM = make_problem()
CONTRACT = replace(draft_contract(PROBLEM), threshold=0.4)


def encoded(rows: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the tiny problem, some values missing, and their classes."""
    table = tiny_rows(rows, seed)
    table["outcome"] = table["outcome"].map({0: "well", 1: "ill"})
    return encode_rows(table, PROBLEM), encode_target(table, PROBLEM)


def fitted(name: str, *, is_calibrated: bool = False) -> Pipeline:
    candidate = CANDIDATES[name]
    params = {**candidate.defaults, **SMALL.get(name, {})}
    model = build_calibrated(candidate, params, 0) if is_calibrated else candidate.build(params, 0)
    return model.fit(*encoded())


@pytest.mark.parametrize("is_calibrated", [False, True], ids=["plain", "calibrated"])
@pytest.mark.parametrize("name", SERVABLE)
def test_the_onnx_file_answers_like_the_fitted_pipeline(name: str, is_calibrated: bool) -> None:
    """On every row, some with missing values, on rows never seen, and on edge cases."""
    model = fitted(name, is_calibrated=is_calibrated)
    seen, unseen = encoded()[0], encoded(500, seed=1)[0]
    rows = np.vstack([seen, unseen, edge_cases(model, seen, CONTRACT)])

    onnx = export_onnx(model, rows.shape[1])
    parity = check_parity(model, onnx, rows, CONTRACT)

    assert np.isnan(rows).any()
    assert parity.rows == len(rows)
    assert parity.labels_equal
    assert parity.max_probability_difference <= 1e-6
    assert parity.is_kept


@pytest.mark.parametrize("is_calibrated", [False, True], ids=["plain", "calibrated"])
@pytest.mark.parametrize("name", SERVABLE)
def test_three_classes_of_categories_are_answered_alike_too(name: str, is_calibrated: bool) -> None:
    problem = make_problem(MOODS, name="moods")
    table, contract = mood_rows(), draft_contract(problem)
    X, y = encode_rows(table, problem), encode_target(table, problem)  # noqa: N806
    candidate = CANDIDATES[name]
    params = {**candidate.defaults, **SMALL.get(name, {})}
    build = build_calibrated if is_calibrated else lambda one, *rest: one.build(*rest)
    model = build(candidate, params, 0).fit(X, y)

    onnx = export_onnx(model, X.shape[1])
    rows = np.vstack([X, edge_cases(model, X, contract)])

    assert check_parity(model, onnx, rows, contract).is_kept


def test_probabilities_come_per_class_and_sum_to_one() -> None:
    rows, _ = encoded()
    onnx = export_onnx(fitted("logistic_regression"), rows.shape[1])

    probabilities = score_onnx(onnx, rows)

    assert probabilities.shape == (len(rows), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_another_model_does_not_pass_for_the_same() -> None:
    rows, _ = encoded()
    onnx = export_onnx(fitted("logistic_regression"), rows.shape[1])

    parity = check_parity(fitted("decision_tree"), onnx, rows, CONTRACT)

    assert not parity.is_kept
    assert parity.max_probability_difference > 0.01


@pytest.mark.parametrize(
    ("parity", "is_kept"),
    [
        (Parity(10, labels_equal=True, max_probability_difference=1e-6), True),
        (Parity(10, labels_equal=True, max_probability_difference=2e-6), False),
        (Parity(10, labels_equal=False, max_probability_difference=0.0), False),
    ],
)
def test_parity_needs_equal_labels_and_equal_probabilities(parity: Parity, is_kept: bool) -> None:
    assert parity.is_kept is is_kept


def cases_of(model: Pipeline, contract: Contract = CONTRACT) -> np.ndarray:
    return edge_cases(model, encoded()[0], contract)


def test_edge_cases_hold_the_ends_of_every_range() -> None:
    cases = cases_of(fitted("logistic_regression"))

    age, level = CONTRACT.feature_names.index("age"), CONTRACT.feature_names.index("level")
    assert {0, 120} <= set(cases[:, age])
    assert {-10, 10} <= set(cases[:, level])


def test_edge_cases_hold_missing_values_only_where_they_may_be_missing() -> None:
    cases = cases_of(fitted("logistic_regression"))

    missing = np.isnan(cases).any(axis=0)
    assert dict(zip(CONTRACT.feature_names, missing, strict=True)) == {
        "age": False,
        "level": True,
        "sex=F": False,
        "sex=M": False,
    }


@pytest.mark.parametrize("is_calibrated", [False, True], ids=["plain", "calibrated"])
def test_edge_cases_stand_on_both_sides_of_every_split_of_a_tree(is_calibrated: bool) -> None:
    model = fitted("decision_tree", is_calibrated=is_calibrated)
    last = model[-1].calibrated_classifiers_[0].estimator if is_calibrated else model[-1]
    inner = last.tree_.children_left >= 0

    cases = cases_of(model)

    assert inner.any()
    for feature, threshold in zip(
        last.tree_.feature[inner], last.tree_.threshold[inner], strict=True
    ):
        at = np.float32(threshold)
        for value in (np.nextafter(at, np.float32(-np.inf)), at, np.nextafter(at, np.float32(1e9))):
            assert value in cases[:, feature]


@pytest.mark.parametrize("is_calibrated", [False, True], ids=["plain", "calibrated"])
@pytest.mark.parametrize("name", ["random_forest", "hist_gradient_boosting", "xgboost", "lightgbm"])
def test_edge_cases_look_into_ensembles_too(name: str, is_calibrated: bool) -> None:
    without_trees = cases_of(fitted("logistic_regression"))

    cases = cases_of(fitted(name, is_calibrated=is_calibrated))

    assert len(cases) >= len(without_trees) + 30
