from typing import Any

import pytest

from driftline.cleaning import CleanTable, faults_of_values
from driftline.errors import ProblemError, ValidationFailedError
from driftline.quarantine import RowFaults
from tasks.data.cleaning import CleanedRows, SeparatedRows, clean_rows, separate_rows
from tasks.data.tables import store_table
from tasks.data.validation import Validation, refuse_critical
from tests.support import tiny_rows
from tests.tasks.data.checking import PROBLEM, STUCK, check, cleaned, faults_of


def part(cleaned: CleanTable, faults: RowFaults | None = None) -> SeparatedRows:
    """The rows parted by what is wrong with their values, and by these faults."""
    refused = RowFaults()
    refused.add(faults_of_values(cleaned, PROBLEM))
    rows = CleanedRows(store_table(cleaned.table), refused, cleaned.uncoerced)
    return separate_rows.fn(rows, faults or RowFaults(), PROBLEM, source="rows.csv")


def test_sound_rows_pass_every_expectation(sound: Validation) -> None:
    assert sound.success
    assert (sound.critical, sound.failed, faults_of(sound)) == ((), (), {})
    assert sound.checked == 8


def test_a_critical_failure_says_what_was_wanted_and_got() -> None:
    validation = check(cleaned(age=20).table, STUCK)

    assert not validation.success
    with pytest.raises(ValidationFailedError) as raised:
        refuse_critical(validation, source="rows.csv", page="docs.html")
    assert str(raised.value) == (
        "rows.csv: critical expectations failed: age: ages are plausible "
        "[min_value=30, max_value=80] (got 20.0) (report: docs.html)"
    )


@pytest.mark.parametrize(
    "expectation",
    [
        {
            "expect": "ExpectColumnMaxToBeBetween",
            "arguments": {"column": "age", "max_value": 100},
        },
        {
            "expect": "ExpectColumnDistinctValuesToBeInSet",
            "arguments": {"column": "sex", "value_set": ["F", "M"]},
        },
        {
            "expect": "ExpectColumnMostCommonValueToBeInSet",
            "arguments": {"column": "sex", "value_set": ["F", "M"], "ties_okay": True},
        },
        {
            "expect": "ExpectColumnValuesToMatchRegex",
            "arguments": {"column": "sex", "regex": "^[FM]$"},
        },
    ],
    ids=lambda expectation: expectation["expect"],
)
def test_a_failure_does_not_show_anybodys_value(expectation: dict[str, Any]) -> None:
    table = cleaned().table.assign(sex="Jane-Doe-1234")
    table.loc[3, "age"] = 98765

    validation = check(table, expectation | {"severity": "critical"})

    [failure] = [each for each in validation.critical if expectation["arguments"]["column"] in each]
    assert "Jane-Doe-1234" not in failure
    assert "98765" not in failure


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_a_failure_that_is_not_critical_lets_the_run_go_on(severity: str) -> None:
    validation = check(cleaned(age=20).table, STUCK | {"severity": severity})

    refuse_critical(validation, source="rows.csv", page="docs.html")

    assert validation.success
    assert len(validation.failed) == 1
    assert faults_of(validation) == {}


def test_rows_that_fail_a_warning_are_named_with_their_reasons() -> None:
    table = cleaned().table
    table.loc[3, "age"] = 130
    table.loc[[3, 5], "sex"] = "X"
    table.loc[7, "age"] = None

    validation = check(table)

    assert validation.success
    assert faults_of(validation) == {
        3: ("age: not between 0 and 120", "sex: not one of its categories"),
        5: ("sex: not one of its categories",),
        7: ("age: missing",),
    }


def test_rows_that_fail_an_info_are_only_reported() -> None:
    expectation = {
        "expect": "ExpectColumnValuesToBeBetween",
        "severity": "info",
        "arguments": {"column": "age", "max_value": 50},
    }

    validation = check(cleaned().table, expectation)

    assert faults_of(validation) == {}
    assert len(validation.failed) == 1


def test_faults_of_cleaning_and_of_expectations_are_set_aside_together() -> None:
    raw = tiny_rows().astype(object)
    raw.loc[3, "age"] = "old"
    raw.loc[5, "sex"] = "X"
    table = clean_rows.fn(raw, PROBLEM, source="rows.csv")

    separated = part(table, check(table.table).faults)

    assert len(separated.kept) == 238
    assert list(separated.quarantined["reasons"]) == [
        "age: not a whole number; age: missing",
        "sex: not one of its categories",
    ]


def test_too_many_rows_with_faults_end_the_run() -> None:
    table = cleaned(sex="X").table

    with pytest.raises(ValidationFailedError, match=r"240 of 240 rows \(100.0%\) fail"):
        part(CleanTable(table), check(table).faults)


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ({"expect": "ExpectColumnValuesToBeNice"}, "expect: got 'ExpectColumnValuesToBeNice'"),
        (
            {
                "expect": "ExpectColumnMeanToBeBetween",
                "arguments": {"column": "age", "minimum": 1},
            },
            "ExpectColumnMeanToBeBetween: arguments do not fit: ",
        ),
        (
            {"expect": "ExpectColumnMeanToBeBetween", "arguments": {"column": "sex"}},
            "ExpectColumnMeanToBeBetween",
        ),
    ],
    ids=["unknown", "arguments", "text"],
)
def test_a_suite_that_cannot_be_run_is_an_error_of_its_file(
    expectation: dict[str, Any], message: str
) -> None:
    with pytest.raises(ProblemError) as raised:
        check(cleaned().table, expectation)

    assert str(raised.value).startswith(f"expectations/tiny.yaml: {message}")


def test_a_rule_on_quantiles_is_checked_and_shown() -> None:
    """Its outcome holds numpy's booleans, deep inside."""
    ranges = {"quantiles": [0.25, 0.5], "value_ranges": [[0, 120], [0, 120]]}
    rule = {
        "expect": "ExpectColumnQuantileValuesToBeBetween",
        "arguments": {"column": "age", "quantile_ranges": ranges},
    }

    validation = check(cleaned().table, rule)

    assert validation.success
    assert validation.page


@pytest.mark.parametrize(
    "rule",
    [
        {"expect": "ExpectColumnValuesToBeBetween", "arguments": {"column": "sex", "min_value": 1}},
        {"expect": "ExpectColumnValuesToMatchRegex", "arguments": {"column": "sex", "regex": "("}},
        {"expect": "ExpectColumnMeanToBeBetween", "arguments": {"column": "sex", "min_value": "a"}},
        {"expect": "ExpectColumnMeanToBeBetween", "arguments": {"severity": "info"}},
        {"expect": "ExpectX", "arguments": {}},
    ],
)
def test_a_rule_that_cannot_be_checked_is_a_mistake_in_the_suite(rule: dict[str, Any]) -> None:
    with pytest.raises(ProblemError, match=r"^expectations/tiny\.yaml: "):
        check(cleaned().table, rule)


def test_rows_that_the_contract_refuses_are_set_aside_whatever_the_suite_says() -> None:
    aged = clean_rows.fn(tiny_rows().assign(age=[500, *[40] * 239]), PROBLEM, source="rows.csv")

    rows = part(aged)

    assert rows.reasons == {"age: not between 0 and 120": 1}


def test_a_rule_that_the_problem_implies_too_keeps_its_own_severity() -> None:
    """The library answers once for two that ask the same."""
    rule = {
        "expect": "ExpectColumnValuesToBeInSet",
        "severity": "critical",
        "arguments": {"column": "sex", "value_set": ["F", "M"]},
    }

    validation = check(cleaned(sex="x").table, rule)

    assert len(validation.critical) == 1
    assert faults_of(validation)[0] == ("sex: not one of its categories",)


def test_a_condition_on_a_code_holds_for_its_rows() -> None:
    table = cleaned(age=30).table
    rule = {
        "expect": "ExpectColumnValuesToBeBetween",
        "arguments": {"column": "age", "min_value": 40, "row_condition": "outcome == 1"},
    }

    faults = faults_of(check(table, rule))

    assert set(faults) == set(table.index[table["outcome"] == "ill"])


def test_a_rule_that_the_library_cannot_check_is_no_finding() -> None:
    rule = {
        "expect": "ExpectColumnValuesToMatchLikePattern",
        "arguments": {"column": "sex", "like_pattern": "F%"},
    }

    with pytest.raises(ProblemError, match=r"LikePattern of 'sex' \(text\) could not be evaluated"):
        check(cleaned().table, rule)


def test_a_rule_on_two_columns_names_both() -> None:
    rule = {
        "expect": "ExpectColumnPairValuesToBeEqual",
        "arguments": {"column_A": "age", "column_B": "level"},
    }

    reasons = {one for each in faults_of(check(cleaned().table, rule)).values() for one in each}

    assert reasons == {"age, level: ExpectColumnPairValuesToBeEqual"}
