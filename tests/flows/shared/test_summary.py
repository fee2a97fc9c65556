from typing import Any

import pytest

from flows.shared.summary import next_steps, summary_rows

RUN = {"flow": "train", "problem": "churn", "run_id": "1"}


@pytest.mark.parametrize(
    ("sections", "command"),
    [
        ({"bento": {"tag": "churn:v1", "path": "x"}}, "make serve PROBLEM=churn"),
        ({"promotion": {"champion": "1"}}, "make serve PROBLEM=churn"),
        ({"bento": {}, "problem": "breast_cancer"}, "make serve"),
        ({"promotion": {"champion": None}}, "make mlflow"),
        ({"promotion": {"champion": None}, "drift": {"verdict": "ok"}}, "make mlflow"),
        ({}, "make mlflow"),
    ],
)
def test_the_first_step_is_one_that_can_be_taken(sections: dict[str, Any], command: str) -> None:
    assert next_steps(RUN | sections)[0][0] == command


def test_the_goals_metric_stands_first_among_a_candidates_figures() -> None:
    one = {
        "name": "dummy",
        "cv": {"f1_mean": 0.5, "f1_std": 0.1, "recall_mean": 0.6, "recall_std": 0.1},
        "test": {"f1": 0.4, "recall": 0.6},
    }
    goal = {"maximise": "f1", "subject_to": {"recall": 0.9}}

    rows = dict(summary_rows(RUN | {"candidates": [one], "goal": goal}))

    assert rows["  dummy"] == "f1 0.500 ± 0.100 (test 0.400), recall 0.600 ± 0.100 (test 0.600)"


def test_a_class_that_is_never_answered_is_told_in_a_sentence_of_its_own() -> None:
    found = {"name": "yes", "recall": 0.0, "low": 0.0, "high": 0.4, "rows": 6}
    told = "it never says yes: of 300 test rows, 6 of which are yes, none"

    rows = summary_rows(RUN | {"classes": [found], "unfound": [told]})

    assert ("to know", told) in rows


def test_what_a_budget_left_out_stands_below_the_candidates() -> None:
    told = "random_forest left out: about 300 s of a core, `search.work` (200) allows less"
    one = {"name": "dummy", "cv": {}, "test": {}}

    rows = summary_rows(RUN | {"candidates": [one], "bounds": [told]})

    assert [what for what, _ in rows][1:] == ["  dummy", "  bounded"]
    assert rows[-1][1] == told
