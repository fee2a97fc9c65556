"""The tiny problem's rows, checked against rules."""

from typing import Any

import pandas as pd
import yaml

from driftline.cleaning import CleanTable
from driftline.expectations import Suite, parse_suite
from driftline.problem import Problem
from tasks.data.cleaning import clean_rows
from tasks.data.tables import store_table
from tasks.data.validation import Validation, check_expectations
from tests.support import make_problem, tiny_rows

PROBLEM = make_problem()
STUCK = {
    "expect": "ExpectColumnMeanToBeBetween",
    "severity": "critical",
    "meaning": "ages are plausible",
    "arguments": {"column": "age", "min_value": 30, "max_value": 80},
}


def suite_of(*expectations: dict[str, Any], problem: Problem = PROBLEM) -> Suite:
    text = yaml.safe_dump({"expectations": list(expectations)}, sort_keys=False)
    return parse_suite(text, problem=problem, file="expectations/tiny.yaml")


def cleaned(**changes: Any) -> CleanTable:
    return clean_rows.fn(tiny_rows().assign(**changes), PROBLEM, source="rows.csv")


def check(table: pd.DataFrame, *expectations: dict[str, Any]) -> Validation:
    return check_expectations.fn(store_table(table), suite_of(*expectations))


def faults_of(validation: Validation) -> dict[int, tuple[str, ...]]:
    return validation.faults.within(0, 240)
