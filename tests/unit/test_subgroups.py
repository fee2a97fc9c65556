import numpy as np
import pandas as pd
import pytest

from driftline.metrics import Scored, decide
from driftline.subgroups import SubgroupResult, bounds_of, check_subgroups, describe_broken
from tests.support import MOODS, make_problem

PROBLEM = make_problem(
    subgroups=["sex", "age >= 60"],
    gates=[{"metric": "cv_recall_mean", "at_least": 0.8}],
)


def people(rows: int, *, men_found: float, seed: int = 0) -> tuple[pd.DataFrame, Scored]:
    """Rows of which women who are ill are found in 90 % of cases, and men in so many."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"age": rng.integers(20, 90, rows), "level": 0.0, "sex": rng.choice(["F", "M"], rows)}
    )
    y = (rng.random(rows) < 0.5).astype(np.int64)
    found = np.where(table["sex"] == "M", men_found, 0.9)
    p = np.where(y == 1, np.where(rng.random(rows) < found, 0.9, 0.1), 0.1)
    both = np.column_stack([1 - p, p])
    return table, Scored(y, both, decide(both, positive=1, threshold=0.5), 1, 0.5)


def of(results: list[SubgroupResult], subgroup: str, metric: str) -> SubgroupResult:
    (found,) = [r for r in results if (r.subgroup, r.metric) == (subgroup, metric)]
    return found


def test_a_part_that_is_served_worse_breaks_the_bound_of_the_whole() -> None:
    table, scored = people(2000, men_found=0.6)

    results = check_subgroups(PROBLEM, table, scored)

    assert of(results, "sex == M", "recall").is_broken
    assert of(results, "sex == F", "recall").outcome == "kept"
    (told,) = [text for text in describe_broken(results) if text.startswith("recall where sex")]
    assert told.startswith("recall where sex == M is 0.")
    assert told.endswith("wanted >= 0.8: beyond the bound, and not by chance")


def test_few_rows_are_told_and_not_failed() -> None:
    table, scored = people(24, men_found=0.6)

    recall = of(check_subgroups(PROBLEM, table, scored), "sex == M", "recall")

    assert recall.got < 0.8
    assert recall.outcome == "unclear"
    assert recall.description.endswith(": too few rows to tell")


def test_a_part_without_rows_is_unclear() -> None:
    table, scored = people(50, men_found=0.9)

    recall = of(check_subgroups(PROBLEM, table.assign(age=30), scored), "age >= 60", "recall")

    assert (recall.rows, recall.outcome) == (0, "unclear")


def test_risk_that_is_told_too_low_for_a_part_is_broken_calibration() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": 40, "level": 0.0, "sex": rng.choice(["F", "M"], 3000)})
    truth = np.where(table["sex"] == "M", 0.5, 0.3)
    y = (rng.random(3000) < truth).astype(np.int64)
    told = np.column_stack([np.full(3000, 0.7), np.full(3000, 0.3)])

    results = check_subgroups(PROBLEM, table, Scored(y, told, y, 1, 0.5))

    men = of(results, "sex == M", "calibration")
    assert men.is_broken
    assert men.got == pytest.approx(0.2, abs=0.04)
    assert of(results, "sex == F", "calibration").outcome == "kept"


@pytest.mark.slow
def test_a_model_that_keeps_its_bounds_everywhere_is_rarely_failed() -> None:
    """On its very bound in every part and calibrated: at most 5 % over all parts together."""
    problem = make_problem(
        subgroups=["sex", "age >= 60", "age < 30"],
        gates=[{"metric": "test_recall", "at_least": 0.9}],
    )
    failed = 0
    for seed in range(300):
        table, scored = people(300, men_found=0.9, seed=seed)
        p = np.full(300, 0.5)
        fair = Scored(
            scored.y, np.column_stack([1 - p, p]), scored.predicted, positive=1, threshold=0.5
        )
        failed += bool(describe_broken(check_subgroups(problem, table, fair)))

    assert failed / 300 <= 0.05


def test_the_strictest_floor_counts() -> None:
    problem = make_problem(
        goal={"maximise": "precision", "subject_to": {"recall": 0.9}},
        gates=[
            {"metric": "test_recall", "at_least": 0.95},
            {"metric": "test_accuracy", "at_least": 0.5},
            {"metric": "test_roc_auc", "at_least": 0.5},
        ],
    )

    assert bounds_of(problem) == {"recall": 0.95, "accuracy": 0.5}


def test_with_more_classes_accuracy_is_checked() -> None:
    problem = make_problem(MOODS, name="moods", subgroups=["sleeps"])
    table = pd.DataFrame({"sleeps": ["YES", "NO"] * 200})
    y = np.zeros(400, dtype=np.int64)
    scored = Scored(y, np.eye(3)[y], np.arange(400) % 2, positive=None, threshold=None)

    results = check_subgroups(problem, table, scored)

    assert [(r.subgroup, r.metric, r.outcome) for r in results] == [
        ("sleeps == YES", "accuracy", "kept"),
        ("sleeps == NO", "accuracy", "broken"),
    ]


def test_a_problem_without_parts_has_nothing_to_check() -> None:
    table, scored = people(50, men_found=0.9)

    assert check_subgroups(make_problem(), table, scored) == []
