"""A candidate that cannot be served as it was trained leaves its place to the next best."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from driftline.dataset import Dataset, Plan
from driftline.digests import digest_rows
from driftline.export import Exported, Parity
from driftline.training import Trained
from flows.shared.contest import choose
from tasks.decorators import without_task_runs
from tasks.models import training
from tests.support import make_problem, tiny_rows

PROBLEM = make_problem(candidates=["dummy", "logistic_regression", "random_forest"])
PLAN = Plan(folds=3, repeats=1, trials=0, test_size=0.25, seed=0, is_smoke=False)
APART = Parity(rows=9, labels_equal=True, max_probability_difference=1.1e-6)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    table = tiny_rows()
    table["outcome"] = table["outcome"].map({0: "well", 1: "ill"})
    with without_task_runs():
        return training.split_rows(table, digest_rows(table), PROBLEM, PLAN)


@pytest.fixture(scope="module")
def trained(dataset: Dataset) -> list[Trained]:
    with without_task_runs():
        return [
            training.train_candidate(name, PROBLEM, dataset, PLAN) for name in PROBLEM.candidates
        ]


def choose_where(
    apart: set[str], trained: list[Trained], dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> tuple[Trained, Exported]:
    """The choice where the exports of these candidates answer otherwise than they do."""
    export = training.export_model

    def export_model(winner: Trained, *words: Any, **given: Any) -> Exported:
        exported = export(winner, *words, **given)
        return replace(exported, parity=APART) if winner.name in apart else exported

    monkeypatch.setattr(training, "export_model", export_model)
    with without_task_runs():
        return choose(trained, PROBLEM, dataset, PLAN, "ab" * 32, searched_rows=240)


def test_the_best_is_taken_where_its_export_answers_alike(
    trained: list[Trained], dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    winner, exported = choose_where(set(), trained, dataset, monkeypatch)

    assert winner.name == "logistic_regression"
    assert exported.parity.is_kept


def test_the_next_best_is_taken_where_the_best_cannot_be_served(
    trained: list[Trained],
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="driftline")

    winner, exported = choose_where({"logistic_regression"}, trained, dataset, monkeypatch)

    assert winner.name == "random_forest"
    assert exported.parity.is_kept
    told = "logistic_regression: its ONNX file answers differently (largest difference 1.1e-06)"
    assert told in caplog.text


def test_where_none_can_be_served_the_best_is_left_to_the_gate_and_not_the_baseline(
    trained: list[Trained], dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = {"logistic_regression", "random_forest"}

    winner, exported = choose_where(apart, trained, dataset, monkeypatch)

    assert winner.name == "logistic_regression"
    assert not exported.parity.is_kept
