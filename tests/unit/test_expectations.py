import pytest

from driftline.errors import ProblemError
from driftline.expectations import derive_expectations, parse_suite
from driftline.problem import Problem, parse_problem
from tests.support import ROOT, SHIPPED, make_problem


@pytest.mark.parametrize("name", SHIPPED)
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
            "expectations: [{expect: expect_column_to_exist}]",
            "expectations.0.expect: got 'expect_column_to_exist', wanted: a Great ",
        ),
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


CODED = make_problem(
    columns={
        "stage": {"kind": "category", "categories": {"1": ["one"], "2": []}},
        "age": {"kind": "integer"},
    }
)


@pytest.mark.parametrize(
    ("column", "written", "meant"),
    [
        ("stage", "[1, 2.0, one, 3]", ["1", "2", "1", "3"]),
        ("age", "[1, 2.5]", [1.0, 2.5]),
        ("outcome", "[0, ill]", ["well", "ill"]),
    ],
)
def test_a_set_of_values_means_what_the_table_holds(
    column: str, written: str, meant: list[object]
) -> None:
    arguments = f"{{column: {column}, value_set: {written}}}"
    text = f"derive: false\nexpectations: [{{expect: ExpectX, arguments: {arguments}}}]"

    suite = parse_suite(text, problem=CODED, file="expectations/tiny.yaml")

    assert suite.expectations[0].arguments["value_set"] == meant


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{column_A: age, column_B: x}", "arguments.column_B: got 'x', wanted one of age"),
        ("{column_list: [age, y]}", "arguments.column_list: got 'y', wanted one of age"),
        ("{column: age, value_set: [a]}", "arguments.value_set: got 'a', wanted numbers"),
    ],
)
def test_a_suite_that_does_not_fit_its_problem_is_named(arguments: str, message: str) -> None:
    text = f"expectations: [{{expect: ExpectX, arguments: {arguments}}}]"

    with pytest.raises(ProblemError) as raised:
        parse_suite(text, problem=CODED, file="expectations/tiny.yaml")

    assert str(raised.value).startswith(
        f"expectations/tiny.yaml: expectations.0 (ExpectX): {message}"
    )


DATED = make_problem(columns={"seen": {"kind": "date"}, "low": {}, "high": {}})


@pytest.mark.parametrize(
    ("rule", "arguments", "message"),
    [
        ("ExpectColumnValuesToBeBetween", "{column: seen, min_value: 2024}", "min_value: got 2024"),
        ("ExpectColumnMaxToBeBetween", "{column: seen, max_value: 20.5}", "max_value: got 20.5"),
        ("ExpectX", "{column: low, severity: critical}", "severity: no argument"),
        ("ExpectX", "{column: low, id: mine}", "id: no argument"),
        ("ExpectX", "{column: low, meta: {notes: a}}", "meta: no argument"),
        ("ExpectX", "{column_list: [low, high], sum_total: forty}", "sum_total: got 'forty'"),
    ],
)
def test_what_would_check_nothing_or_be_lost_is_refused(
    rule: str, arguments: str, message: str
) -> None:
    text = f"expectations: [{{expect: {rule}, arguments: {arguments}}}]"

    with pytest.raises(ProblemError) as raised:
        parse_suite(text, problem=DATED, file="expectations/tiny.yaml")

    place = f"expectations/tiny.yaml: expectations.0 ({rule}): arguments"
    assert str(raised.value).startswith(f"{place}.{message}")


def test_a_sum_that_is_given_as_text_is_a_number() -> None:
    arguments = "{column_list: [low, high], sum_total: '40'}"
    text = f"derive: false\nexpectations: [{{expect: ExpectX, arguments: {arguments}}}]"

    suite = parse_suite(text, problem=DATED, file="expectations/tiny.yaml")

    assert suite.expectations[0].arguments["sum_total"] == 40.0
