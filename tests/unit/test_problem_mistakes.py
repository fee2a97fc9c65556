from typing import Any

import pytest

from driftline.errors import ProblemError
from driftline.problem import check_name, parse_problem
from tests.support import MOODS, TINY, make_problem


@pytest.mark.parametrize("name", ["Tiny", "9lives", "a b", "../tiny", "", "a" * 64, "tiny-one"])
def test_a_name_that_could_not_be_a_file_and_a_bento_is_refused(name: str) -> None:
    with pytest.raises(ProblemError) as raised:
        check_name(name)

    wanted = f"problem: got {name!r}, wanted a name of lower-case letters, digits and _"
    assert str(raised.value) == wanted


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"colums": {}}, "colums: unknown key; did you mean 'columns'?"),
    ({"seed": 1}, "seed: unknown key; wanted some of alerts, candidates, card, "),
    ({"descripton": "x"}, "descripton: unknown key; wanted some of alerts, "),
    (
        {"source": {"kind": "file", "path": "rows.csv", "location": "rows.csv"}},
        "source.file.path: unknown key; wanted some of kind, location",
    ),
    (
        {"target": {"name": "outcome", "kind": "number", "classes": {"a": [0]}}},
        "target.classes: unknown key of this kind; it belongs to another one",
    ),
    (
        {"columns": {"age": {"type": "integer"}}},
        "columns.age.type: unknown key; wanted some of aliases, as_of, categories, ",
    ),
    ({"title": None}, "title: missing; wanted a value"),
    ({"columns": {}}, "columns: got {}, wanted: "),
    (
        {"columns": {"age": {"rnage": [0, 1]}}},
        "columns.age.rnage: unknown key; did you mean 'range'?",
    ),
    (
        {"columns": {"age": {"range": [120, 0]}}},
        "columns.age.range: got [120, 0], wanted the low end below the high end",
    ),
    (
        {"columns": {"age": {"range": [0, 1, 2]}}},
        "columns.age.range: got",
    ),
    (
        {"columns": {"age": {"kind": "text"}}},
        "columns.age.kind: got 'text', wanted: 'number', 'integer', 'category' or 'date'",
    ),
    (
        {"columns": {"sex": {"kind": "category", "categories": ["F"]}}},
        "columns.sex: got 1 categories, wanted at least 2",
    ),
    (
        {"columns": {"sex": {"kind": "category", "categories": ["F", "F"]}}},
        "columns.sex: categories: a category is given twice",
    ),
    (
        {"columns": {"sex": {"kind": "category", "categories": ["F", "M"], "range": [0, 1]}}},
        "columns.sex: range: a category has none; wanted `categories` only",
    ),
    (
        {"columns": {"age": {"categories": ["F", "M"]}}},
        "columns.age: categories and ordered: got them on kind 'number', wanted 'category'",
    ),
    (
        {"gates": [{"metric": "test_beauty", "at_least": 0.5}]},
        "gates.0.metric: got 'test_beauty', wanted test_<m>, cv_<m>_mean",
    ),
    (
        {"gates": [{"metric": "test_recall"}]},
        "gates.0: test_recall: wanted exactly one of at_least and at_most",
    ),
    (
        {"gates": [{"metric": "test_recall", "at_least": 60}]},
        "gates.0: test_recall: at_least: got 60, wanted at most 1: it is no percentage",
    ),
    (
        {"gates": [{"metric": "test_recall", "at_least": 0.5, "at_most": 0.9}]},
        "gates.0: test_recall: wanted exactly one of at_least and at_most",
    ),
    (
        {"goal": {"maximise": "beauty"}},
        "goal: maximise: got 'beauty', wanted one of accuracy, precision",
    ),
    (
        {"goal": {"maximise": "f1", "subject_to": {"roc_auc": 0.9}}},
        "goal: subject_to: got 'roc_auc', wanted one of accuracy",
    ),
    (
        {"comparison": {"metric": "beauty"}},
        "comparison.metric: got 'beauty', wanted: 'brier', 'log_loss'",
    ),
    ({"comparison": {"margin": -1}}, "comparison.margin: got -1, wanted: "),
    (
        {"comparison": {"metric": "brier", "subject_to": {"recall": 0.9}}},
        "comparison: subject_to: got it with 'brier', wanted metric one of accuracy, precision",
    ),
    (
        {"comparison": {"subject_to": {"recall": 0.9}}},
        "comparison: subject_to: got it with no metric, wanted metric one of accuracy",
    ),
    (
        {"goal": {"maximise": "f1", "subject_to": {"recall": 95}}},
        "goal: subject_to.recall: got 95, wanted a share between 0 and 1",
    ),
    (
        {"target": {"name": "outcome", "classes": {"ill": [1]}, "positive": "ill"}},
        "target.classes: got {'ill': ['1']}, wanted: ",
    ),
    (
        {"target": {"name": "outcome", "classes": {"well": [0], "ill": [1]}, "positive": "sick"}},
        "target: positive: got 'sick', wanted one of well, ill",
    ),
    (
        {"target": {"name": "outcome", "classes": {"well": [0], "ill": [1]}}},
        "target: positive: got 0 classes, wanted exactly one of two",
    ),
    (
        {"target": {"name": "outcome", "classes": {"well": [1], "ill": [1]}, "positive": "ill"}},
        "target: classes: a source value belongs to two classes; wanted one",
    ),
    (
        {"candidates": ["logistic_regresion"]},
        "candidates: got logistic_regresion, wanted some of dummy",
    ),
    ({"candidates": []}, "candidates: got none, wanted some of dummy"),
    (
        {"candidates": ["dummy"]},
        "candidates: got the dummy baseline alone, wanted a candidate that could serve",
    ),
    (
        {"risk_bands": {"medium": 0.7, "high": 0.3}},
        "risk_bands: got medium 0.7 and high 0.3, wanted medium below high",
    ),
    ({"max_quarantined_share": 5}, "max_quarantined_share: got 5, wanted: less than 1"),
    ({"source": {"kind": "oracle"}}, "source: got"),
    ({"ignored": ["age"]}, "(whole file): columns, target and ignored share a name"),
    (
        {"columns": {"age": {}, "years": {"aliases": ["age"]}}},
        "(whole file): years and age both answer to 'age'; wanted one",
    ),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES, ids=[m for _, m in MISTAKES])
def test_a_mistake_is_named_with_file_key_got_and_wanted(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ProblemError) as raised:
        make_problem(**changes)

    assert str(raised.value).startswith(f"data/problems/tiny.yaml: {message}")


def test_a_column_given_twice_is_refused() -> None:
    text = "title: t\ncolumns:\n  age: {}\n  sex: {}\n  age: {}\n"

    with pytest.raises(ProblemError, match=r"tiny.yaml: line 5: key 'age' is given twice"):
        parse_problem(text, name="tiny", file="tiny.yaml")


@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        ({"goal": {"maximise": "net_benefit"}}, "net_benefit"),
        ({"gates": [{"metric": "cv_specificity_mean", "at_least": 0.5}]}, "specificity"),
    ],
)
def test_a_metric_of_two_classes_is_refused_for_three(changes: dict[str, Any], metric: str) -> None:
    with pytest.raises(ProblemError, match=f"{metric} needs two classes; this target has 3"):
        make_problem(MOODS, name="moods", **changes)


@pytest.mark.parametrize(
    ("base", "costs", "told"),
    [
        (MOODS, {"low": 10, "even": 1}, "got low, even, wanted each class: low, even, high"),
        (MOODS, {"low": 10, "even": 0, "high": 5}, "miss_costs.even: got 0, wanted more than 0"),
        (TINY, {"well": 1, "ill": 5}, "got it with two classes, whose threshold the goal sets"),
    ],
)
def test_costs_that_cannot_be_meant_are_told(
    base: dict[str, Any], costs: dict[str, float], told: str
) -> None:
    with pytest.raises(ProblemError, match=told):
        make_problem(base, name="moods", goal={"maximise": "f1", "miss_costs": costs})


@pytest.mark.parametrize(
    ("base", "goal", "told"),
    [
        (MOODS, {"low": {"even": 1, "high": 1}}, "got low, wanted each class: low, even, high"),
        (
            MOODS,
            {"low": {"even": 1}, "even": {"low": 1, "high": 1}, "high": {"low": 1, "even": 1}},
            "cost_matrix.low: got even, wanted each other class: even, high",
        ),
        (
            MOODS,
            {
                "low": {"even": -1, "high": 1},
                "even": {"low": 1, "high": 1},
                "high": {"low": 1, "even": 1},
            },
            "cost_matrix.low.even: got -1, wanted 0 or more",
        ),
        (MOODS, {"low": {"even": 0, "high": 0}}, "cost_matrix.low: got no cost, wanted one above"),
        (TINY, {"well": {"ill": 1}, "ill": {"well": 5}}, "cost_matrix: got it with two classes"),
        (MOODS, {}, "cost: wanted goal.miss_costs or goal.cost_matrix"),
    ],
)
def test_a_cost_matrix_that_cannot_be_meant_is_told(
    base: dict[str, Any], goal: dict[str, Any], told: str
) -> None:
    with pytest.raises(ProblemError, match=told):
        make_problem(base, name="moods", goal={"minimise": "cost", "cost_matrix": goal})


def test_costs_are_given_in_one_way() -> None:
    goal = {
        "maximise": "f1",
        "miss_costs": {"low": 1, "even": 1, "high": 1},
        "cost_matrix": {"low": {"even": 1, "high": 1}},
    }

    with pytest.raises(ProblemError, match="got miss_costs and cost_matrix, wanted one of them"):
        make_problem(MOODS, name="moods", goal=goal)


def test_a_threshold_condition_is_refused_for_three_classes() -> None:
    goal = {"maximise": "accuracy", "subject_to": {"recall": 0.9}}

    with pytest.raises(ProblemError, match="sets a threshold; wanted it with two classes only"):
        make_problem(MOODS, name="moods", goal=goal)


@pytest.mark.parametrize("bound", [".nan", ".inf"])
def test_a_bound_that_is_no_number_is_refused(bound: str) -> None:
    text = f"title: t\nmax_quarantined_share: {bound}\n"

    with pytest.raises(ProblemError, match="max_quarantined_share: got"):
        parse_problem(text, name="tiny", file="tiny.yaml")


def test_an_alias_of_two_categories_is_refused() -> None:
    categories = {"male": ["m"], "female": ["m"]}

    with pytest.raises(ProblemError, match="'m' means 'male' and 'female'; wanted one"):
        make_problem(columns={"sex": {"kind": "category", "categories": categories}})


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ({"kind": "category", "categories": ["a", "b"], "unseen": "c"}, "unseen: got 'c', wanted"),
        ({"kind": "number", "unseen": "c"}, "unseen: got it on kind 'number'"),
    ],
)
def test_what_others_count_as_is_one_of_the_categories(column: dict[str, Any], why: str) -> None:
    with pytest.raises(ProblemError, match=why):
        make_problem(columns={"town": column})


def test_a_range_beyond_float32_is_refused() -> None:
    with pytest.raises(ProblemError, match="wanted ends within"):
        make_problem(columns={"flow": {"range": [0, 1e39]}})
