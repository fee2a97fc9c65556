from typing import Any

import pytest

from driftline.candidates import USUAL
from driftline.errors import ProblemError
from driftline.problem import parse_problem
from tests.support import MOODS, ROOT, SHIPPED, TINY, make_problem

COLUMNS = TINY["columns"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_problems_that_ship_are_valid(name: str) -> None:
    file = f"data/problems/{name}.yaml"

    problem = parse_problem((ROOT / file).read_text("utf-8"), name=name, file=file)

    assert problem.name == name
    assert problem.is_binary == (name in {"breast_cancer", "diabetes"})
    assert set(problem.example) == set(problem.columns)


def test_a_problem_that_says_little_compares_every_usual_candidate() -> None:
    problem = make_problem(candidates=None)

    assert problem.candidates == USUAL


def test_yes_and_no_stay_text_as_categories() -> None:
    problem = make_problem(MOODS, name="moods")

    assert problem.columns["sleeps"].categories == ("YES", "NO")


def test_a_title_says_that_rows_are_made_up() -> None:
    source = {"kind": "synthetic", "name": "mental_health"}

    make_problem(source=source, title="Moods, from synthetic rows")
    with pytest.raises(ProblemError, match=r"title: got 'A tiny .*wanted the word synthetic"):
        make_problem(source=source)


def test_unquoted_yes_and_no_stay_text_as_classes() -> None:
    """A person writes `YES: []` without quotes, which YAML 1.1 reads as the key True."""
    text = """
title: t
source: {kind: file, location: rows.csv}
target: {name: asked, classes: {NO: [], YES: []}, positive: YES}
goal: {maximise: f1}
columns:
  answer: {kind: category, categories: [YES, NO]}
"""

    problem = parse_problem(text, name="asked", file="asked.yaml")

    assert problem.classes == ("NO", "YES")
    assert problem.positive_indices == (1,)
    assert problem.columns["answer"].categories == ("YES", "NO")


def test_numbers_stand_for_classes_and_categories_as_text() -> None:
    columns = {"code": {"kind": "category", "categories": [1, 2.5]}}

    problem = make_problem(columns=columns)

    assert problem.columns["code"].categories == ("1", "2.5")
    assert problem.target.values_of("ill") == ("1", "ill")


def test_a_name_with_underscores_has_dashes_in_deployments() -> None:
    problem = make_problem(name="very_tiny")

    assert problem.slug == "very-tiny"


def test_costs_of_missing_a_class_are_weighed_against_the_highest() -> None:
    goal = {"maximise": "f1", "miss_costs": {"low": 10, "even": 1, "high": 5}}

    assert make_problem(MOODS, name="moods", goal=goal).costs == (1.0, 0.1, 0.5)
    assert make_problem(MOODS, name="moods").costs == ()


def test_costs_of_each_answer_stand_by_truth_and_answer() -> None:
    matrix = {
        "low": {"even": 10, "high": 20},
        "even": {"low": 1, "high": 0},
        "high": {"even": 2, "low": 4},
    }
    goal = {"minimise": "cost", "cost_matrix": matrix}

    costs = make_problem(MOODS, name="moods", goal=goal).costs

    assert costs == ((0.0, 0.5, 1.0), (0.05, 0.0, 0.0), (0.2, 0.1, 0.0))


def test_codes_without_quotes_are_what_was_written() -> None:
    text = """
title: t
source: {kind: file, location: rows.csv}
target: {name: asked, classes: {NO: [00], YES: [01]}, positive: YES}
goal: {maximise: f1}
columns:
  code: {kind: category, categories: [007, 010, 1.50, 8:30], missing_codes: [000]}
  1: {missing: allow, missing_codes: [-9, "?"]}
example: {code: 010, 1: 5}
ignored: [2020]
"""

    problem = parse_problem(text, name="asked", file="asked.yaml")

    code = problem.columns["code"]
    assert code.categories == ("007", "010", "1.50", "8:30")
    assert code.missing_codes == ("000",)
    assert problem.target.values_of("YES") == ("01", "YES")
    assert problem.example == {"code": "010", "1": 5.0}
    assert problem.ignored == ("2020",)


def test_declared_text_is_in_its_normal_form() -> None:
    columns = {
        " gro\u0308\u00dfe ": {"aliases": ["Height  (cm)"], "missing_codes": [" ?"]},
        "answer": {"kind": "category", "categories": [" yes", "no  idea "]},
    }

    problem = make_problem(columns=columns)

    assert [*problem.columns] == ["gr\u00f6\u00dfe", "answer"]
    assert problem.columns["gr\u00f6\u00dfe"].aliases == ("Height (cm)",)
    assert problem.columns["gr\u00f6\u00dfe"].missing_codes == ("?",)
    assert problem.columns["answer"].categories == ("yes", "no idea")


@pytest.mark.parametrize(
    "column",
    [
        {"categories": {"male": ["M", "m"], "female": ["F"], "other": None}},
        {
            "categories": ["male", "female", "other"],
            "category_aliases": {"male": ["M", "m"], "female": ["F"]},
        },
    ],
)
def test_a_category_may_have_other_spellings(column: dict[str, Any]) -> None:
    sex = make_problem(columns={"sex": {"kind": "category"} | column}).columns["sex"]

    assert sex.categories == ("male", "female", "other")
    assert sex.category_aliases == {"male": ("M", "m"), "female": ("F",)}
