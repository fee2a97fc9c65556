from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from driftline.candidates import CANDIDATES
from driftline.dataset import Dataset, Plan, draft_contract, split_dataset
from driftline.digests import digest_rows
from driftline.export import export_onnx
from driftline.metrics import score_rows
from driftline.problem import Comparison, Problem
from driftline.served import ServedModel, compare_unseen, find_difference, score_served
from tests.support import tiny_rows

PLAN = Plan(folds=2, repeats=1, trials=0, test_size=0.4, seed=0, is_smoke=False)
POLICY = Comparison()


def snapshot() -> pd.DataFrame:
    table = tiny_rows()
    return table.assign(outcome=table["outcome"].map({0: "well", 1: "ill"}))


@pytest.fixture
def dataset(problem: Problem) -> Dataset:
    table = snapshot()
    return split_dataset(table, digest_rows(table), problem, PLAN)


@pytest.fixture
def champion(problem: Problem, dataset: Dataset) -> ServedModel:
    data = dataset.data
    model = CANDIDATES["logistic_regression"].build({}, 0).fit(data.X_train, data.y_train)
    return ServedModel(
        version="3",
        onnx=export_onnx(model, data.X_train.shape[1]),
        contract=replace(draft_contract(problem), threshold=0.5),
        train_digests=frozenset(dataset.train_digests),
    )


def test_a_champion_answers_through_its_own_contract(
    champion: ServedModel, dataset: Dataset
) -> None:
    """It was trained on other columns in another order, perhaps; its ranges are still its own."""
    turned = replace(champion.contract, threshold=0.9)

    usual = score_served(champion, dataset.test_table, dataset.data.y_test)
    careful = score_served(
        replace(champion, contract=turned), dataset.test_table, dataset.data.y_test
    )

    np.testing.assert_array_equal(usual.probabilities, careful.probabilities)
    assert careful.predicted.sum() < usual.predicted.sum()


def test_a_challenger_equal_to_the_champion_saves_nothing(
    champion: ServedModel, dataset: Dataset
) -> None:
    same = score_served(champion, dataset.test_table, dataset.data.y_test)

    improvement, metrics = compare_unseen(same, dataset, champion, POLICY, seed=0)

    assert improvement.against == "champion v3"
    assert improvement.rows == len(dataset.data.y_test)
    assert (improvement.low, improvement.high) == (0, 0)
    assert metrics["roc_auc"] > 0.8


def test_rows_that_the_champion_was_trained_on_do_not_count(
    champion: ServedModel, dataset: Dataset
) -> None:
    seen = frozenset(dataset.test_digests[:30])
    same = score_served(champion, dataset.test_table, dataset.data.y_test)

    improvement, _ = compare_unseen(
        same, dataset, replace(champion, train_digests=seen), POLICY, seed=0
    )

    assert improvement.rows == len(dataset.test_digests) - 30


def test_a_champion_that_saw_every_row_cannot_be_compared(
    champion: ServedModel, dataset: Dataset
) -> None:
    all_seen = replace(champion, train_digests=frozenset(dataset.test_digests))
    same = score_served(champion, dataset.test_table, dataset.data.y_test)

    improvement, metrics = compare_unseen(same, dataset, all_seen, POLICY, seed=0)

    assert improvement.rows == 0
    assert metrics == {}


def test_a_worse_challenger_loses_on_the_champions_unseen_rows(
    champion: ServedModel, dataset: Dataset
) -> None:
    y = dataset.data.y_test
    guess = score_rows(np.full((len(y), 2), 0.5), y, positive=1, threshold=0.5)

    improvement, _ = compare_unseen(guess, dataset, champion, POLICY, seed=0)

    assert improvement.high < 0


def test_a_champion_of_other_columns_or_classes_cannot_be_asked(
    champion: ServedModel, problem: Problem
) -> None:
    columns = dict(problem.columns)
    gone = problem.model_copy(update={"columns": {k: columns[k] for k in columns if k != "sex"}})
    turned = replace(champion, contract=replace(champion.contract, classes=("ill", "well")))

    assert find_difference(champion, problem) is None
    assert find_difference(champion, gone) == "column 'sex' is gone or of another kind"
    assert find_difference(turned, problem) == "the target has other classes"


def test_rows_that_the_champion_refuses_do_not_count(
    champion: ServedModel, dataset: Dataset
) -> None:
    """The problem file may have come to allow what the champion's contract does not."""
    table = dataset.test_table.copy()
    table.loc[table.index[:5], "sex"] = "X"
    same = score_served(champion, dataset.test_table, dataset.data.y_test)

    improvement, _ = compare_unseen(
        same, replace(dataset, test_table=table), champion, POLICY, seed=0
    )

    assert improvement.rows == len(table) - 5
