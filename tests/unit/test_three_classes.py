"""What three classes meet after the training: the export, the champion, a history, a subgroup."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from driftline.candidates import CANDIDATES
from driftline.comparison import compare_pairwise
from driftline.dataset import Dataset, Plan, draft_contract, split_dataset
from driftline.digests import digest_rows
from driftline.export import check_parity, export_onnx
from driftline.history import cut_history, renew_at, score_window
from driftline.metrics import decide
from driftline.problem import Problem
from driftline.promise import Recipe
from driftline.served import ServedModel, score_served
from tests.support import MOODS, make_problem, mood_rows

PLAN = Plan(folds=2, repeats=1, trials=0, test_size=0.4, seed=0, is_smoke=False)
GOAL = {"maximise": "lowest_recall", "miss_costs": {"low": 30, "even": 1, "high": 1}}


@cache
def costly() -> Problem:
    """Whose low moods are dear to miss."""
    return make_problem(MOODS, name="moods", goal=GOAL)


@cache
def dataset() -> Dataset:
    table = mood_rows(300)
    return split_dataset(table, digest_rows(table), costly(), PLAN)


def served(candidate: str) -> ServedModel:
    data = dataset().data
    model = CANDIDATES[candidate].build({}, 0).fit(data.X_train, data.y_train)
    onnx = export_onnx(model, data.X_train.shape[1])
    return ServedModel("3", onnx, draft_contract(costly()), frozenset())


@pytest.mark.parametrize("candidate", [name for name in CANDIDATES if name != "dummy"])
def test_the_export_answers_alike_on_every_row(candidate: str) -> None:
    """Votes of trees tie exactly: in float32 they must fall to the same class."""
    data = dataset().data
    model = CANDIDATES[candidate].build({}, 0).fit(data.X_train, data.y_train)
    onnx = export_onnx(model, data.X_train.shape[1])
    rows = np.vstack([data.X_train, data.X_test])

    parity = check_parity(model, onnx, rows, replace(draft_contract(costly()), costs=()))

    assert parity.labels_equal
    assert parity.max_probability_difference < 1e-6


def test_a_champion_answers_by_the_costs_of_its_contract() -> None:
    """It is held against a challenger by the decisions that it serves."""
    champion, data = served("logistic_regression"), dataset().data
    equal = replace(champion, contract=replace(champion.contract, costs=()))

    careful = score_served(champion, dataset().test_table, data.y_test)
    plain = score_served(equal, dataset().test_table, data.y_test)

    assert (careful.predicted == 0).sum() > (plain.predicted == 0).sum()
    policy = costly().judged_by
    assert policy.metric == "lowest_recall"
    assert compare_pairwise(plain, careful, policy, against="champion v3", seed=0).mean > 0


def test_a_history_is_decided_by_the_costs() -> None:
    history = cut_history(mood_rows(300), costly(), windows=3)
    model = renew_at(history, 0, Recipe("logistic_regression", {"C": 1.0}))

    scored = score_window(history, model, 1)

    p, costs = scored.probabilities, costly().costs
    wanted = decide(p, positive=None, threshold=None, costs=costs)
    assert scored.predicted.tolist() == wanted.tolist()
    assert scored.predicted.tolist() != p.argmax(axis=1).tolist()
