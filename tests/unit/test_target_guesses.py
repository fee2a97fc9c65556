"""What a target is taken for, and that what is written of a number is a problem."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.errors import DataError
from driftline.expectations import parse_suite
from driftline.leaks import follow
from driftline.onboarding import Onboarding, onboard_table
from driftline.problem import NumberTarget, Problem, parse_problem
from driftline.target_guesses import NumberGuess, TargetGuess, guess_outcome


def table(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    level = rng.normal(0, 1.5, rows)
    days = 12 + 3 * level + rng.normal(0, 2, rows)
    return pd.DataFrame(
        {
            "age (years)": rng.integers(18, 90, rows),
            "level": np.round(level, 2),
            "stay_days": np.round(days.clip(0, 60), 1),
        }
    ).astype(str)


def describe(rows: pd.DataFrame) -> tuple[Onboarding, Problem]:
    made = onboard_table(rows, name="mine", target="stay_days", location="my.csv")
    problem = parse_problem(made.problem, name="mine", file="mine.yaml")
    parse_suite(made.suite, problem=problem, file="mine.yaml")
    return made, problem


def test_a_column_of_many_numbers_is_a_number_with_its_unit_and_room() -> None:
    made, problem = describe(table())

    target = problem.target
    assert isinstance(target, NumberTarget)
    assert target.unit == "days"
    assert target.range is not None
    assert target.range[0] == 0
    assert target.range[1] > table()["stay_days"].astype(float).max()
    assert problem.goal.minimise == "mae"
    assert [gate.metric for gate in problem.gates] == ["test_r2"]
    assert "numbers from" in made.problem


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([str(i) for i in range(200)], NumberGuess),
        ([f"{i / 7:.3f}" for i in range(40)], NumberGuess),
        ([str(i % 12) for i in range(120)], TargetGuess),  # few, and several rows of each
        ([str(i % 14) for i in range(15)], NumberGuess),  # too rare for classes
        (["low", "high"] * 20, TargetGuess),
        (["0", "1"] * 20, TargetGuess),
    ],
)
def test_numbers_that_are_too_many_or_too_rare_for_classes_are_no_classes(
    cells: Sequence[Any], kind: type
) -> None:
    assert isinstance(guess_outcome("y", cells, source="rows.csv"), kind)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([f"{1e39 + i * 1e37:.3e}" for i in range(80)], "1.79e.39 in size.* larger unit"),
        ([f"{1e35 + i * 1e33:.3e}" for i in range(80)], "1.79e.35 in size.* larger unit"),
        ([f"{1e12 + i / 7:.2f}" for i in range(80)], "steps of 6.6e.04: subtract"),
    ],
)
def test_numbers_that_no_float32_can_tell_are_refused_with_what_to_do(
    cells: Sequence[Any], told: str
) -> None:
    with pytest.raises(DataError, match=f"rows.csv: column 'y': got numbers .*{told}"):
        guess_outcome("y", cells, source="rows.csv")


@pytest.mark.parametrize("shift", [0, 2_000, 1e5])
def test_what_a_refusal_of_numbers_says_to_do_helps(shift: float) -> None:
    cells = [f"{shift + i / 7:.2f}" for i in range(80)]

    assert isinstance(guess_outcome("y", cells, source="rows.csv"), NumberGuess)


def test_cells_without_a_number_and_codes_for_missing_are_no_truth() -> None:
    rows = table()
    rows.loc[:9, "stay_days"] = "-999"
    rows.loc[10:29, "stay_days"] = ""

    made, problem = describe(rows)

    assert made.target.missing == 30
    assert "30 rows have no 'stay_days' and cannot teach" in made.remarks
    assert problem.max_quarantined_share == pytest.approx(0.15)


def test_few_rows_are_held_to_no_gate() -> None:
    assert not describe(table(60))[1].gates


def test_a_column_that_goes_with_the_number_is_left_out_and_told() -> None:
    rows = table()
    rows["stay_hours"] = (rows["stay_days"].astype(float) * 24).astype(str)

    made, problem = describe(rows)

    (leak,) = [guess for guess in made.columns if guess.name == "stay_hours"]
    assert leak.role == "ignored"
    assert "nearly perfectly (rank correlation 1.000)" in leak.evidence
    assert "level" in problem.columns


def test_what_is_no_number_goes_with_none() -> None:
    assert follow(["a", "b"] * 40, [str(i) for i in range(80)]) < 0.1
    assert follow(["1"] * 80, [str(i) for i in range(80)]) == 0.0


@pytest.mark.parametrize(("rare", "advice"), [(14, True), (40, False)])
def test_a_class_of_a_few_rows_comes_with_what_to_go_by(rare: int, advice: bool) -> None:
    cells = ["yes"] * rare + ["no"] * 2000
    guessed = guess_outcome("ill", cells, source="my.csv")

    (told,) = guessed.remarks()

    assert told.startswith("the rarest class has ")
    assert (
        told.endswith(
            "go by the probability of 'yes' rather than by the answer, and collect more of them"
        )
        == advice
    )


def test_numbers_whose_missing_cells_hold_a_word_are_a_number() -> None:
    cells = [f"{i / 7:.2f}" for i in range(180)] + ["unknown"] * 12 + ["?"] * 8

    guess = guess_outcome("stay", cells, source="rows.csv")

    assert isinstance(guess, NumberGuess)
    assert guess.missing == 20
    assert guess.evidence.endswith("; '?', 'unknown' stand for a missing value")


@pytest.mark.parametrize("code", ["?", "-9", "9", "99", "n.a.", "#N/A"])
def test_what_stands_for_a_missing_class_is_no_class(code: str) -> None:
    guess = guess_outcome("ill", ["0", "1", "1"] * 30 + [code] * 6, source="rows.csv")

    assert isinstance(guess, TargetGuess)
    assert list(guess.classes) == ["no", "yes"]
    assert guess.missing == 6
    assert repr(code) in guess.evidence


def test_a_class_of_its_own_stays_one() -> None:
    words = guess_outcome("cause", ["flu", "cold", "unknown"] * 9, source="rows.csv")
    answers = guess_outcome("vote", ["-1", "0", "1"] * 30, source="rows.csv")

    assert isinstance(words, TargetGuess)
    assert isinstance(answers, TargetGuess)
    assert len(words.classes) == len(answers.classes) == 3


def test_a_class_that_is_read_as_missing_is_told_where_it_leaves_one_alone() -> None:
    with pytest.raises(DataError, match=r"got 1 value\(s\) beside 40 cells that are empty or say"):
        guess_outcome("region", ["NA"] * 40 + ["EU"] * 40, source="rows.csv")


def test_a_class_of_two_rows_is_refused_and_one_of_three_lowers_the_folds() -> None:
    """For two folds and a test set, which is the least that a training takes."""
    with pytest.raises(DataError, match=r"1 of its 2 values stand in two rows only \('1'\)"):
        guess_outcome("y", ["0"] * 40 + ["1"] * 2, source="rows.csv")

    assert guess_outcome("y", ["0"] * 40 + ["1"] * 3, source="rows.csv").most_folds == 2
    assert guess_outcome("y", [f"{i / 7}" for i in range(12)], source="rows.csv").most_folds == 5
