"""A suite over a table in pieces finds what the library finds in all of it at once."""

from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.expectations import Suite, parse_suite
from tasks.data import tables
from tasks.data.expectations import OF_ROWS, Findings, evaluate, summarise
from tasks.data.tables import store_table
from tests.support import make_problem

PROBLEM = make_problem()
COMPLETE = {"result_format": "COMPLETE", "exclude_unexpected_values": True}


def rule(expect: str, **arguments: Any) -> dict[str, Any]:
    return {"expect": f"Expect{expect}", "arguments": arguments}


RULES = [
    rule("ColumnValuesToBeBetween", column="age", min_value=30, max_value=60, mostly=0.6),
    rule("ColumnValuesToBeBetween", column="age", min_value=40, row_condition="sex == 'F'"),
    rule("ColumnValuesToBeBetween", column="level", min_value=9, row_condition="age > age.mean()"),
    rule("ColumnValuesToBeInSet", column="sex", value_set=["F", "M"], mostly=0.9),
    rule("ColumnValuesToNotBeInSet", column="sex", value_set=["M"], mostly=0.5),
    rule("ColumnValuesToBeNull", column="level", mostly=0.1),
    rule("ColumnValuesToNotBeNull", column="level", mostly=0.8),
    rule("ColumnValuesToMatchRegex", column="sex", regex="F|X", mostly=0.5),
    rule("ColumnValuesToNotMatchRegex", column="sex", regex="X"),
    rule("ColumnValuesToMatchRegexList", column="sex", regex_list=["F", "M"]),
    rule("ColumnValuesToNotMatchRegexList", column="sex", regex_list=["X", "Y"]),
    rule("ColumnValueLengthsToBeBetween", column="sex", min_value=1, max_value=1),
    rule("ColumnValueLengthsToEqual", column="sex", value=1, mostly=0.7),
    rule("ColumnPairValuesAToBeGreaterThanB", column_A="age", column_B="level", mostly=0.9),
    rule("ColumnPairValuesToBeEqual", column_A="age", column_B="level"),
    rule(
        "ColumnPairValuesToBeInSet",
        column_A="sex",
        column_B="outcome",
        value_pairs_set=[["F", 0], ["M", 1]],
    ),
    rule("MulticolumnSumToEqual", column_list=["age", "level"], sum_total=40),
    rule("SelectColumnValuesToBeUniqueWithinRecord", column_list=["age", "level"]),
    rule("ColumnValuesToBeUnique", column="age", mostly=0.5),
    rule("CompoundColumnsToBeUnique", column_list=["age", "sex"]),
    rule("ColumnValueZScoresToBeLessThan", column="age", threshold=1.5, double_sided=True),
    rule("ColumnMeanToBeBetween", column="age", min_value=45, max_value=60),
    rule("ColumnStdevToBeBetween", column="level", min_value=1),
    rule("ColumnMedianToBeBetween", column="age", min_value=45, row_condition="level > 0"),
    rule("ColumnMostCommonValueToBeInSet", column="sex", value_set=["F"]),
    rule("ColumnUniqueValueCountToBeBetween", column="age", min_value=5),
    rule("ColumnProportionOfUniqueValuesToBeBetween", column="age", min_value=0.5),
    rule(
        "ColumnQuantileValuesToBeBetween",
        column="age",
        quantile_ranges={"quantiles": [0.1, 0.9], "value_ranges": [[18, 40], [60, 90]]},
    ),
    rule(
        "ColumnKLDivergenceToBeLessThan",
        column="sex",
        partition_object={"values": ["F", "M"], "weights": [0.5, 0.5]},
        threshold=0.1,
    ),
    rule("ColumnToExist", column="age"),
    rule("TableRowCountToBeBetween", min_value=20),
    rule("TableColumnCountToEqual", value=4),
    rule("TableColumnsToMatchSet", column_set=["age", "level", "sex", "outcome"]),
]


@pytest.fixture
def suite() -> Suite:
    text = yaml.safe_dump({"expectations": RULES})
    return parse_suite(text, problem=PROBLEM, file="expectations/tiny.yaml")


def judge_whole(table: pd.DataFrame, suite: Suite) -> dict[int, Any]:
    """What the library says of all rows of all columns at once."""
    source = gx.get_context(mode="ephemeral").data_sources.add_pandas("rows")
    batch = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("rows")
    asked = gx.ExpectationSuite("tiny")
    for number, one in enumerate(suite.expectations):
        kind = getattr(gx.expectations, one.expect)
        asked.add_expectation(kind(**one.arguments, meta={"number": number}))
    rows = batch.get_batch(batch_parameters={"dataframe": table})
    result = rows.validate(asked, result_format=COMPLETE)
    return {each.expectation_config.meta["number"]: each for each in result.results}


def judge_in_pieces(table: pd.DataFrame, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Findings:
    """Seven rows of a rule's columns at a time, or so."""
    monkeypatch.setattr(tables, "PIECE_CELLS", 28)
    return evaluate(store_table(table), suite)


def random_rows(seed: int, rows: int) -> pd.DataFrame:
    """A cleaned table with whatever may be left in one: values that are missing, and odd ones."""
    rng = np.random.default_rng(seed)
    ages = rng.integers(18, 90, rows).astype(float)
    ages[rng.random(rows) < 0.1] = np.nan
    levels = np.where(rng.random(rows) < 0.3, np.nan, rng.integers(-5, 60, rows))
    choices = np.array(["F", "M", "X", None], dtype=object)
    return pd.DataFrame(
        {
            "age": ages,
            "level": levels,
            "sex": choices[rng.choice(4, rows, p=[0.45, 0.4, 0.05, 0.1])],
            "outcome": np.array(["well", "ill"], dtype=object)[rng.integers(0, 2, rows)],
        }
    )


def test_every_rule_of_rows_is_among_those_that_are_tried() -> None:
    assert {each["expect"] for each in RULES} >= OF_ROWS


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 9999), rows=st.integers(30, 60))
def test_pieces_give_the_outcomes_of_the_whole(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, seed: int, rows: int
) -> None:
    table = random_rows(seed, rows)

    found = judge_in_pieces(table, suite, monkeypatch)

    wanted = judge_whole(table, suite)
    assert set(found.outcomes) == set(wanted)
    for number, outcome in wanted.items():
        told = dict(outcome.result)
        told.pop("unexpected_index_query", None)
        places = told.pop("unexpected_index_list", None)
        got, name = found.outcomes[number], suite.expectations[number].expect
        assert (got.success, got.result) == (outcome.success, told), name
        at = found.find_rows(number)
        assert (at is None) == (places is None), name
        assert at is None or at.tolist() == sorted(places), name


def test_whether_most_rows_keep_a_rule_is_judged_over_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whole pieces break the rule, and the table keeps it."""
    table = random_rows(0, 100).assign(age=[200.0] * 14 + [50.0] * 86)
    most = rule("ColumnValuesToBeBetween", column="age", max_value=120, mostly=0.85)
    text = yaml.safe_dump({"derive": False, "expectations": [most]})
    kept = parse_suite(text, problem=PROBLEM, file="expectations/tiny.yaml")

    (outcome,) = judge_in_pieces(table, kept, monkeypatch).outcomes.values()

    assert outcome.success
    assert outcome.result["unexpected_count"] == 14


def test_outcomes_are_told_by_column_in_the_order_of_the_suite(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = random_rows(0, 40)

    result = summarise(judge_in_pieces(table, suite, monkeypatch), suite)

    wanted = judge_whole(table, suite)
    asked = [(o.expectation_config.type, o.success) for o in wanted.values()]
    assert [(o.expectation_config.type, o.success) for o in result.results] == asked
    assert result.statistics["evaluated_expectations"] == len(wanted)


def test_a_rule_that_stands_twice_is_judged_once_as_the_library_keeps_it() -> None:
    """A library of a thousand rules compared each with all before it, which took a minute."""
    adults = rule("ColumnValuesToBeBetween", column="age", min_value=30)
    others = [adults | {"meaning": "again"}, adults | {"severity": "critical"}]
    text = yaml.safe_dump({"derive": False, "expectations": [adults, *others]})
    suite = parse_suite(text, problem=PROBLEM, file="expectations/tiny.yaml")

    found = evaluate(store_table(random_rows(0, 40)), suite)

    assert set(found.outcomes) == {0, 2}
