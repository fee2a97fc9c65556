"""What a candidate may take: counted by shapes and settings alone, and told where it bounds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.bounding import bound_work
from driftline.candidates import CALIBRATION_FOLDS, CANDIDATES, Candidate, Range
from driftline.dataset import Matrices
from driftline.problem import Problem, parse_problem
from driftline.regressors import REGRESSORS
from driftline.search import search_params
from driftline.training import calibrate, plan_folds, train_candidate
from driftline.work import Budget, Shape
from tests.support import ROOT, make_problem

EVERY = [*CANDIDATES.values(), *REGRESSORS.values()]
NAMES = ("dummy", "logistic_regression", "decision_tree", "random_forest", "hist_gradient_boosting")
SHIPPED = {"breast_cancer": 426, "diabetes": 576, "mental_health": 90}


def table(rows: int, columns: int, classes: int) -> Matrices:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns)).astype(np.float32)  # noqa: N806
    y = (np.arange(rows) + (X[:, 0] > 0)) % classes
    return Matrices(X, y, X[:20], y[:20])


def problem_of(classes: int, **search: Any) -> Problem:
    target = {"name": "outcome", "classes": {f"c{i}": [i] for i in range(classes)}}
    positive = {"positive": "c1"} if classes == 2 else {}
    goal = {"maximise": "f1"}
    return make_problem(target=target | positive, goal=goal, gates=None, search=search)


@given(
    rows=st.integers(10, 10**6),
    columns=st.integers(1, 2000),
    classes=st.integers(1, 30),
    more=st.integers(1, 10),
)
def test_more_rows_columns_or_classes_never_take_less(
    rows: int, columns: int, classes: int, more: int
) -> None:
    for one in EVERY:
        least = one.work(one.defaults, Shape(rows, columns, classes))
        for shape in (
            Shape(rows * more, columns, classes),
            Shape(rows, columns * more, classes),
            Shape(rows, columns, classes + more),
        ):
            assert one.work(one.defaults, shape) >= least >= 0


@pytest.mark.parametrize("shape", [(426, 30, 2), (576, 8, 2), (4500, 21, 3), (120, 4, 3)])
def test_tables_of_usual_shapes_are_not_bounded(shape: tuple[int, int, int]) -> None:
    rows, columns, classes = shape
    data = table(rows, columns, classes)

    bounded = bound_work(NAMES, problem_of(classes), data, folds=10, repeats=1)

    assert (bounded.names, bounded.folds, bounded.told) == (NAMES, 10, ())


@pytest.mark.parametrize(("name", "rows"), sorted(SHIPPED.items()))
def test_no_setting_of_a_shipped_problem_is_beyond_its_budget(name: str, rows: int) -> None:
    """What their searches find is what it was before there was a budget."""
    file = f"data/problems/{name}.yaml"
    problem = parse_problem((ROOT / file).read_text("utf-8"), name=name, file=file)
    budget = Budget(problem.search.work, Shape(rows, 30, problem.width), folds=10, repeats=3)
    for candidate in (CANDIDATES[one] for one in problem.candidates):
        most = {key: dearest(choice) for key, choice in candidate.space.items()}
        fits = problem.search.trials * problem.search.folds

        assert budget.may_search(fits * candidate.work(most, budget.shape), 0)
        assert (CALIBRATION_FOLDS + 1) * budget.compare(candidate.work, most) <= budget.work


def dearest(choice: Any) -> Any:
    return choice.high if isinstance(choice, Range) else choice[-1]


def test_fewer_folds_go_before_fewer_candidates_and_both_are_told() -> None:
    data = table(40_000, 60, 2)

    bounded = bound_work(NAMES, problem_of(2, work=60), data, folds=10, repeats=1)

    assert bounded.folds == 5
    assert bounded.names == tuple(name for name in NAMES if name != "random_forest")
    assert bounded.told[0] == "5 folds in place of 10: `search.work` (60)"
    assert bounded.told[1].startswith("random_forest left out: about ")
    assert bounded.told[1].endswith("to search and compare it, `search.work` (60) allows less")


def test_the_kind_that_takes_least_always_takes_part() -> None:
    bounded = bound_work(NAMES, problem_of(30, work=1e-6), table(900, 10, 30), folds=10, repeats=1)

    assert bounded.names == ("dummy", "decision_tree")


def search_within(work: float, trials: int = 12) -> Any:
    data = table(300, 6, 2)
    budget = Budget(work, Shape(300, 6, 2), folds=4, repeats=1)
    seen: list[float] = []
    found = search_params(
        CHEAP,
        data.X_train,
        data.y_train,
        trials=trials,
        folds=3,
        seed=0,
        budget=budget,
        on_trial=lambda _, loss: seen.append(loss),
    )
    return found, seen


CHEAP = Candidate(
    "tree",
    build=CANDIDATES["decision_tree"].build,
    defaults=CANDIDATES["decision_tree"].defaults,
    space=CANDIDATES["decision_tree"].space,
    work=lambda params, shape: params["max_depth"] * shape.rows / 300,
)


def test_a_search_ends_where_its_half_of_the_budget_is_spent() -> None:
    """The defaults are five levels deep: 10 for three folds of 200 rows, 15 to compare four."""
    free, every = search_within(1e9)
    bound, seen = search_within(100)

    assert (free.tried, free.passed_over, len(every)) == (12, 0, 12)
    assert 1 < bound.tried < 12
    assert bound.tried + bound.passed_over == len(seen) == 12
    assert search_within(100)[0] == bound


def test_settings_that_could_not_be_compared_are_passed_over() -> None:
    found, _ = search_within(40, trials=30)

    assert found.tried >= 1
    assert found.params["max_depth"] * 3 <= 20


def test_the_defaults_are_tried_whatever_they_take() -> None:
    found, _ = search_within(1e-9)

    assert (found.params, found.tried, found.passed_over) == (dict(CHEAP.defaults), 1, 11)


def test_a_candidate_tells_what_it_did_not_try_and_stays_uncalibrated() -> None:
    data, problem = table(200, 4, 3), problem_of(3, work=0.002, trials=6)
    splits = plan_folds(data.y_train, folds=3, repeats=1, seed=0)

    trained = train_candidate("decision_tree", problem, data, splits=splits, trials=6, seed=0)
    after = calibrate(trained, problem, data, splits=splits, seed=0)

    (told,) = trained.bounds
    assert told.startswith("decision_tree: ")
    assert told.endswith(" of 6 settings tried, the others are beyond `search.work` (0.002)")
    assert after == replace(trained, bounds=after.bounds)
    assert after.bounds[1] == "decision_tree: not calibrated, which is beyond `search.work` (0.002)"
