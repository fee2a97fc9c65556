from typing import Any

import pytest

from driftline.errors import ProblemError
from driftline.settling import settle, tell_dates
from tests.support import make_problem

PROBLEM = make_problem(
    columns={
        "stage": {"kind": "category", "categories": {"1": ["one"], "2": []}},
        "age": {"kind": "integer"},
        "seen": {"kind": "date"},
    }
)
BETWEEN = "ExpectColumnValuesToBeBetween"


def settled(expect: str = BETWEEN, **arguments: Any) -> dict[str, Any]:
    return settle(expect, arguments, PROBLEM, "expectations/tiny.yaml: expectations.0")


def test_pairs_mean_the_values_that_the_table_holds() -> None:
    found = settled(column_A="stage", column_B="outcome", value_pairs_set=[["one", "0"], [2, 1]])

    assert found["value_pairs_set"] == [["1", "well"], ["2", "ill"]]


def test_the_parts_of_a_distribution_mean_the_values_that_the_table_holds() -> None:
    parts = {"values": [1, 2.0], "weights": [0.5, 0.5]}

    found = settled(column="stage", partition_object=parts)

    assert found["partition_object"] == {"values": ["1", "2"], "weights": [0.5, 0.5]}


def test_a_bound_in_quotes_is_a_number_where_the_column_has_numbers() -> None:
    assert settled(column="age", min_value="50")["min_value"] == 50.0


def test_a_null_in_a_set_is_no_code() -> None:
    assert settled(column="stage", value_set=["1", "null"])["value_set"] == ["1", None]


@pytest.mark.parametrize(
    "expect",
    [
        "ExpectColumnValueLengthsToEqual",
        "ExpectColumnValuesToMatchRegex",
        "ExpectColumnValuesToMatchStrftimeFormat",
    ],
)
@pytest.mark.parametrize(("column", "kind"), [("age", "number"), ("seen", "date")])
def test_a_rule_on_text_is_refused_where_a_column_holds_none(
    expect: str, column: str, kind: str
) -> None:
    """A whole number is a float when it is checked: `50` has four characters there."""
    with pytest.raises(ProblemError, match=f"column '{column}' is a {kind}; wanted a category"):
        settled(expect, column=column)


@pytest.mark.parametrize(
    ("expect", "bounds", "told"),
    [
        (BETWEEN, {"min_value": "2024-01-05", "max_value": "2024-12-31"}, "between 2024-01-05 and"),
        (BETWEEN, {"max_value": "2024-12-31"}, "up to 2024-12-31"),
        ("ExpectColumnMinToBeBetween", {"min_value": "2024-01-05"}, "the first from 2024-01-05"),
    ],
)
def test_bounds_of_dates_are_told_as_dates(expect: str, bounds: dict[str, Any], told: str) -> None:
    arguments = {"column": "seen", **bounds}

    assert (tell_dates(expect, arguments, PROBLEM) or "").startswith(told)
    assert all(isinstance(settled(expect, **arguments)[key], float) for key in bounds)


def test_other_bounds_tell_nothing_of_dates() -> None:
    assert tell_dates(BETWEEN, {"column": "age", "min_value": 3}, PROBLEM) is None
    unique = "ExpectColumnUniqueValueCountToBeBetween"
    assert tell_dates(unique, {"column": "seen", "min_value": 3}, PROBLEM) is None


def test_a_condition_on_rows_is_settled_with_the_other_arguments() -> None:
    found = settled(column="age", min_value=3, row_condition="stage == 1 and outcome == 1")

    assert found["row_condition"] == "stage == '1' and outcome == 'ill'"
    assert found["condition_parser"] == "pandas"


def test_a_pair_of_another_length_is_refused() -> None:
    with pytest.raises(ProblemError, match=r"value_pairs_set: got \['1'\], wanted lists of two"):
        settled(column_A="stage", column_B="outcome", value_pairs_set=[["1"]])


def test_a_code_for_missing_in_a_pair_is_a_missing_value() -> None:
    problem = make_problem(
        columns={"stage": {"kind": "category", "categories": ["1", "2"], "missing_codes": ["?"]}}
    )
    arguments = {
        "column_A": "stage",
        "column_B": "outcome",
        "value_pairs_set": [["?", "0"]],
    }

    found = settle(BETWEEN, arguments, problem, "expectations/tiny.yaml: expectations.0")

    assert found["value_pairs_set"] == [[None, "well"]]


OF_TYPE, IN_TYPES = "ExpectColumnValuesToBeOfType", "ExpectColumnValuesToBeInTypeList"


@pytest.mark.parametrize(
    ("column", "types"),
    [
        ("age", ["int", "int64", "Int64", "INTEGER", "float64"]),
        ("seen", ["datetime64[ns]", "Timestamp", "DATE"]),
        ("stage", ["str", "object", "STRING", "category", "int64", "bool"]),
        ("outcome", ["int64", "str", "boolean"]),
    ],
)
def test_a_type_means_the_kind_that_is_declared(column: str, types: list[str]) -> None:
    """A cleaned table holds whole numbers and dates as floats, and codes as text."""
    stored = "float64" if column in {"age", "seen"} else "str"

    for name in types:
        assert settled(OF_TYPE, column=column, type_=name)["type_"] == stored
        assert stored in settled(IN_TYPES, column=column, type_list=["x", name])["type_list"]


@pytest.mark.parametrize(
    ("column", "name", "wanted"),
    [("age", "str", "whole numbers"), ("seen", "int", "dates"), ("stage", "date", "categories")],
)
def test_a_type_that_the_declared_kind_never_has_is_refused(
    column: str, name: str, wanted: str
) -> None:
    with pytest.raises(ProblemError, match=f"type_: got '{name}', wanted a type of {wanted}, as"):
        settled(OF_TYPE, column=column, type_=name)


def test_a_boolean_of_yaml_is_a_code_as_in_tables() -> None:
    assert settled(column="outcome", value_set=["false", "true"])["value_set"] == ["well", "ill"]
    assert settled(column="stage", value_set=["true"])["value_set"] == ["1"]
