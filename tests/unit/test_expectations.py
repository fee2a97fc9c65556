import pytest

from driftline.errors import ProblemError
from driftline.expectations import derive_expectations, parse_suite
from driftline.problem import Problem, parse_problem
from tests.support import ROOT


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes"])
def test_the_suites_that_ship_are_valid(name: str) -> None:
    files = [f"data/problems/{name}.yaml", f"expectations/{name}.yaml"]
    texts = [(ROOT / file).read_text("utf-8") for file in files]
    problem = parse_problem(texts[0], name=name, file=files[0])

    suite = parse_suite(texts[1], problem=problem, file=files[1])

    assert suite.name == name
    assert {"critical", "warning"} <= {one.severity for one in suite.expectations}


def test_what_the_problem_says_of_its_columns_is_checked_row_by_row(problem: Problem) -> None:
    derived = derive_expectations(problem)

    said = {(one.expect, one.arguments["column"]) for one in derived}
    assert said == {
        ("ExpectColumnValuesToBeBetween", "age"),
        ("ExpectColumnValuesToNotBeNull", "age"),
        ("ExpectColumnValuesToBeBetween", "level"),
        ("ExpectColumnValuesToBeInSet", "sex"),
        ("ExpectColumnValuesToNotBeNull", "sex"),
        ("ExpectColumnValuesToNotBeNull", "outcome"),
    }
    assert {one.severity for one in derived} == {"warning"}


def test_a_suite_may_stand_without_what_the_problem_implies(problem: Problem) -> None:
    suite = parse_suite("derive: false", problem=problem, file="expectations/tiny.yaml")

    assert suite.expectations == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("expectation: []", "expectation: unknown key; did you mean 'expectations'?"),
        (
            "expectations: [{expect: ExpectX, severity: fatal}]",
            "expectations.0.severity: got 'fatal', wanted: 'critical', 'warning' or 'info'",
        ),
        ("expectations: [{expect: check_it}]", "expectations.0.expect: got 'check_it', wanted: "),
        (
            "expectations: [{expect: ExpectX, arguments: {column: height}}]",
            "expectations.0 (ExpectX): arguments.column: got 'height', wanted one of age, level, ",
        ),
    ],
)
def test_a_mistake_in_a_suite_is_named(text: str, message: str, problem: Problem) -> None:
    with pytest.raises(ProblemError) as raised:
        parse_suite(text, problem=problem, file="expectations/tiny.yaml")

    assert str(raised.value).startswith(f"expectations/tiny.yaml: {message}")
