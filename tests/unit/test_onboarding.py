"""The files of a problem that nobody wrote: they parse, and say why."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.errors import DataError
from driftline.expectations import parse_suite
from driftline.leaks import read_classes
from driftline.onboarding import guess_target, onboard_table
from driftline.problem import Problem, parse_problem
from driftline.reading import Reading


def table(rows: int = 300, **columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    outcome = rng.integers(0, 2, rows)
    made = {
        "patient id": [f"P{i:05d}" for i in range(rows)],
        "age (years)": rng.integers(18, 90, rows),
        "level/µmol": np.round(rng.normal(outcome, 1.5), 2),
        "sex": rng.choice(["m", "f"], rows),
        "outcome": np.where(outcome, "Yes", "No"),
    }
    return pd.DataFrame(made | columns).astype(str)


def read(rows: pd.DataFrame, target: str = "outcome") -> Problem:
    made = onboard_table(rows, name="mine", target=target, location="my table.csv")
    problem = parse_problem(made.problem, name="mine", file="mine.yaml")
    parse_suite(made.suite, problem=problem, file="mine.yaml")
    return problem


def test_what_is_written_is_a_problem_and_its_suite() -> None:
    problem = read(table())

    assert list(problem.columns) == ["age (years)", "level/µmol", "sex"]
    assert problem.columns["age (years)"].unit == "years"
    assert problem.ignored == ("patient id",)
    assert problem.target.positive == ("Yes",)
    assert problem.goal.maximise == "roc_auc"


def test_signs_that_mean_something_in_yaml_are_text_in_all_that_is_written() -> None:
    """A comma in a list parts two values, and in a place two keys."""
    outcome = np.where(table()["outcome"] == "Yes", "1,5", "[2,5}")
    level = np.where(table()["sex"] == "m", "low, none", "{high}")

    made = onboard_table(
        table(outcome=outcome, level=level), name="mine", target="outcome", location="a, b}.csv"
    )
    problem = parse_problem(made.problem, name="mine", file="mine.yaml")

    assert dict(problem.target.classes) == {"1,5": ("1,5",), "[2,5}": ("[2,5}",)}
    assert problem.columns["level"].categories == ("low, none", "{high}")
    assert problem.source.model_dump()["location"] == "a, b}.csv"


def test_numbers_that_no_model_can_be_fitted_on_are_left_out_or_set_aside() -> None:
    large = table()["level/µmol"].astype(float)

    problem = read(table(huge=large * 1e39, some=large.mask(large.index == 7, 1e308)))

    assert "huge" in problem.ignored
    assert max(map(abs, problem.columns["some"].range)) < 100


def test_a_table_of_its_target_alone_is_told_so() -> None:
    with pytest.raises(DataError, match=r"predict 'outcome' from; wanted a column of numbers"):
        read(table()[["outcome"]])


@pytest.mark.parametrize("header", [False, None])
def test_how_a_table_is_written_is_pinned_where_no_line_names_its_columns(
    header: bool | None,
) -> None:
    """Else files that are written otherwise would be refused, whose names say what they hold."""
    found = Reading(separator=";", decimal=",", encoding="cp1252", header=header)

    made = onboard_table(table(), name="mine", target="outcome", location="t.csv", reading=found)

    pinned = parse_problem(made.problem, name="mine", file="mine.yaml").reading
    assert pinned == (found if header is False else Reading())
    assert "cp1252" in made.problem


def test_the_target_is_found_in_any_case_and_else_named() -> None:
    assert read(table(), "OUTCOME").target.name == "outcome"
    with pytest.raises(DataError, match="--target: got 'result', wanted one of its columns: 'pat"):
        read(table(), "result")


@pytest.mark.parametrize(
    ("cells", "classes", "positive"),
    [
        (["0", "1", "0"] * 9, {"no": ("0",), "yes": ("1",)}, "yes"),
        (["0.0 ", "1.0 ", "1.0 "] * 9, {"no": ("0.0",), "yes": ("1.0",)}, "yes"),
        (["benign", "malignant"] * 9, None, "malignant"),
        (["a", "b", "b"] * 9, None, "a"),
        (["1.0", "2.0", "3.0"] * 9, {"1": ("1",), "2": ("2",), "3": ("3",)}, None),
    ],
)
def test_classes_and_the_positive_one(
    cells: list[str], classes: dict[str, tuple[str, ...]] | None, positive: str | None
) -> None:
    values: list[Any] = [float(c) if c.endswith(".0") else c for c in cells]

    target = guess_target("y", values, source="rows.csv")

    assert target.positive == positive
    assert classes is None or dict(target.classes) == classes


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["yes"] * 20, r"got 1 value\(s\), wanted at least two"),
        ([str(i) for i in range(200)], "got 200 different values, wanted at most 30 classes"),
        (
            ["yes", "no", "no"],
            r"1 of its 2 values stand in one row only \('yes'\); wanted several rows",
        ),
    ],
)
def test_a_target_that_cannot_be_predicted_is_refused(cells: list[str], fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        guess_target("y", cells, source="rows.csv")


def test_a_column_that_tells_all_is_left_out_and_told() -> None:
    rows = table()
    rows["discharge code"] = np.where(rows["outcome"] == "Yes", "7", "3")
    made = onboard_table(rows, name="mine", target="outcome", location="my.csv")

    (leak,) = [guess for guess in made.columns if guess.name == "discharge code"]
    assert leak.role == "ignored"
    assert "alone it tells 'outcome' nearly perfectly" in leak.evidence
    assert "discharge code" in read(rows).ignored


def test_rows_of_a_person_stand_together_rather_than_those_of_a_thing() -> None:
    cells = np.arange(300)
    rows = table(300, **{"product_id": cells // 2 + 1000, "patient id": cells // 3 + 5000})
    made = onboard_table(rows, name="mine", target="outcome", location="my.csv")

    assert read(rows).group == "patient id"
    assert "which may be meant of these too: product_id" in made.problem


def test_a_good_column_is_no_leak() -> None:
    rows = table(2000)

    classes = read_classes(list(rows["outcome"]))

    assert 0.6 < classes.tell_apart(list(rows["level/µmol"])) < 0.8
    assert classes.tell_apart(list(rows["sex"])) == pytest.approx(0.5, abs=0.05)


def test_what_a_person_should_know_is_told() -> None:
    rows = table(300, outcome=np.where(np.arange(300) % 50 == 0, "yes", "no"))
    rows = pd.concat([rows, rows.head(4)], ignore_index=True)
    made = onboard_table(rows, name="mine", target="outcome", location="my.csv")

    told = "; ".join(made.remarks)
    assert "4 of 304 rows repeat an earlier one" in told
    assert "the rarest class has" in told
    assert "304 rows are few" in told


def test_rows_without_an_outcome_do_not_end_the_run() -> None:
    rows = table()
    rows.loc[:59, "outcome"] = ""

    assert read(rows).max_quarantined_share == pytest.approx(0.25)


def test_a_table_of_ids_alone_is_refused() -> None:
    rows = table()[["patient id", "outcome"]]

    with pytest.raises(DataError, match="no column is left to predict 'outcome' from: patient id"):
        read(rows)


def test_a_table_of_free_text_alone_is_told_what_to_add() -> None:
    rng = np.random.default_rng(1)
    words = ["fever", "cough", "mild", "severe", "reports", "nausea", "weeks", "left", "arm", "leg"]
    notes = [" ".join(rng.choice(words, 14)) for _ in range(80)]
    rows = pd.DataFrame({"note": notes, "outcome": ["yes", "no"] * 40})

    with pytest.raises(DataError, match=r"note: free text.*; wanted a column of numbers") as told:
        read(rows)

    assert all(text not in str(told.value) for text in notes)
    rows["age"] = rng.integers(18, 90, len(rows)).astype(str)
    assert set(read(rows).columns) == {"age"}


def test_a_name_that_stands_twice_is_refused_before_anything_is_written() -> None:
    rows = table()
    rows.columns = pd.Index(["patient id", "age", "age ", "sex", "outcome"])

    with pytest.raises(DataError, match="'age': got several columns of this name, wanted each"):
        read(rows)


def test_columns_without_a_name_are_left_out() -> None:
    rows = table().assign(**{"": "1", " ": [str(i) for i in range(300)]})

    assert read(rows).ignored == ("patient id", "")
