"""A trial in the database: it goes on where it stood, and its labels are those of its two arms."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bentos.log.database import add_label, insert_predictions
from driftline.problem import Problem
from driftline.trial import Evidence, Limits, Losses, Outcome, Trial
from tasks.log import predictions, trials
from tasks.log.records import open_records
from tests.support import make_problem

NOW = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def problem(home: Path) -> Problem:
    """The tiny problem over an empty database."""
    assert home
    return make_problem()


def answer(problem: Problem, names: str, version: str) -> None:
    """Log predictions under these one-letter ids."""
    shared = {
        "problem": problem.name,
        "model_version": version,
        "answered_at": NOW,
        "inputs": '{"age":40,"level":0.5,"sex":"F"}',
        "prediction": 1,
        "label": "ill",
        "probabilities": "[0.1,0.9]",
        "confidence": 0.9,
        "risk_level": None,
    }
    insert_predictions(open_records(), [{"id": name} | shared for name in names])


def declare(key: str = "k", evidence: Evidence = Evidence()) -> Trial:  # noqa: B008 - frozen
    """A trial of version 2 against version 1, from now on."""
    first = trials.read_last_prediction.fn()
    return Trial(key, "2", "1", 0.2, "5a", "age", Limits(7, 900), first, NOW, evidence)


def test_what_is_kept_of_a_trial_is_what_was_declared_and_shown(problem: Problem) -> None:
    trial = declare()
    losses = Losses(np.array([0.2, 0.3]), np.array([0.1, 0.4]))
    shown = trial.evidence.add(losses, losses, last_label=4)

    trials.write_trial.fn(problem, trial)
    trials.write_trial.fn(problem, replace(trial, share=0.9))
    trials.write_evidence.fn(trial.key, shown)
    found = trials.read_trial.fn(trial.key)

    assert found == trial.with_evidence(shown)
    assert trials.read_trial.fn("another") is None


def test_a_trial_that_has_ended_learns_nothing_more(problem: Problem) -> None:
    trial = declare()
    losses = Losses(np.array([0.2]), np.array([0.1]))
    trials.write_trial.fn(problem, trial)

    trials.end_trial.fn(trial.key, Outcome("stopped", "stopped by a person"))
    trials.write_evidence.fn(trial.key, trial.evidence.add(losses, losses, last_label=9))

    assert trials.read_trial.fn(trial.key) == trial


def test_labels_of_both_arms_count_once_from_the_start_on_and_of_no_other_model(
    problem: Problem,
) -> None:
    answer(problem, "a", "1")
    trial = declare()
    answer(problem, "bc", "1")
    answer(problem, "de", "2")
    answer(problem, "f", "3")
    for name in "abdf":
        add_label(open_records(), name, "well")

    arms, last = predictions.read_arms.fn(problem, trial)
    add_label(open_records(), "e", "ill")
    again, _ = predictions.read_arms.fn(
        problem, trial.with_evidence(replace(trial.evidence, last_label=last))
    )

    assert {version: len(rows) for version, rows in arms.items()} == {"1": 1, "2": 1}
    assert {version: list(rows["_label"]) for version, rows in again.items()} == {
        "1": [],
        "2": ["ill"],
    }
