"""The arguments of an expectation, in the names and the values that a cleaned table has.

A suite may spell a code, a class or a date as it likes; a rule on it then means what it says. What
no rule of its kind can mean of a column is refused.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from driftline.dates import WANTED, count_days, read_date
from driftline.errors import ProblemError
from driftline.problem import Problem, Target
from driftline.row_conditions import settle_condition
from driftline.spelling import MISSING, is_marker, read_number, spell, tidy
from driftline.storage_types import RULES, settle_types

NAMES = ("column", "column_A", "column_B", "column_list", "column_set")
VALUES = ("value_set", "value_pairs_set", "partition_object.values")
BOUNDS = ("min_value", "max_value")
NO_ARGUMENTS = ("id", "meta", "notes", "severity")  # the library's own, that no rule checks by

_OF_VALUES = re.compile(r"ColumnValuesToBeBetween|Column(?:Max|Min|Mean|Median|Sum)ToBe")
_OF_TEXT = re.compile(r"Length|Regex|LikePattern|Json|Strftime|Dateutil")


def settle(
    expect: str, arguments: Mapping[str, Any], problem: Problem, where: str
) -> dict[str, Any]:
    """Arguments with the names and the values that the cleaned table has.

    Raises:
        ProblemError: Naming the place `where` and the argument that cannot be meant.
    """
    settled = dict(arguments)
    _refuse_no_arguments(arguments, where)
    for key in NAMES:
        if arguments.get(key) is not None:
            settled[key] = _settle_names(arguments[key], problem, f"{where}: arguments.{key}")
    column = settled.get("column")
    if isinstance(column, str):
        _refuse_text_rule(expect, column, problem, where)
        if _OF_VALUES.search(expect):
            settled |= _settle_bounds(settled, column, problem, where)
        settled |= _settle_sets(settled, column, problem, where)
        if expect in RULES:
            spec = problem.columns.get(column, problem.target)
            settled |= settle_types(settled, column, spec, where)
    if isinstance(settled.get("sum_total"), str):
        settled["sum_total"] = _settle_total(settled["sum_total"], f"{where}: arguments.sum_total")
    pairs = settled.get("value_pairs_set")
    if isinstance(pairs, list):
        both = (str(settled.get("column_A")), str(settled.get("column_B")))
        settled["value_pairs_set"] = [
            _settle_pair(pair, both, problem, f"{where}: arguments.value_pairs_set")
            for pair in pairs
        ]
    if settled.get("row_condition") is not None:
        settled |= settle_condition(
            settled["row_condition"],
            {name: problem.columns.get(name, problem.target) for name in _known(problem)},
            lambda value, name: settle_value(value, name, problem, key=f"{where}: row_condition"),
            f"{where}: arguments.row_condition",
        )
    return settled


def tell_dates(expect: str, arguments: Mapping[str, Any], problem: Problem) -> str | None:
    """What bounds of a column of dates mean, in words; None of any other rule."""
    spec = problem.columns.get(tidy(str(arguments.get("column"))))
    if not _OF_VALUES.search(expect):
        return None
    low, high = (arguments.get(key) for key in BOUNDS)
    if spec is None or spec.kind != "date" or (low is None and high is None):
        return None
    what = {"ExpectColumnMaxToBeBetween": "the latest ", "ExpectColumnMinToBeBetween": "the first "}
    told = f"from {low}" if high is None else f"up to {high}"
    if low is not None and high is not None:
        told = f"between {low} and {high}"
    return f"{what.get(expect, '')}{told}"


def settle_value(value: Any, column: str, problem: Problem, *, key: str) -> Any:
    """A value as a column of the cleaned table has it: a category, a class, a number, days."""
    spec = problem.columns.get(column, problem.target)
    if value is None:
        return None
    if isinstance(spec, Target):
        return spec.find(value) or spec.find(_as_boolean(value)) or spell(value)
    if spec.kind == "category":
        found = spec.spellings.find(value) or spec.spellings.find(_as_boolean(value))
        return _settle_code(value, found)
    if isinstance(value, str) and is_marker(tidy(value)):
        return None
    if spec.kind == "date":
        return _settle_date(value, key)
    number = read_number(tidy(str(value)))
    if number is None:
        message = f"{key}: got {value!r}, wanted numbers, as column {column!r} has"
        raise ProblemError(message)
    return number


def _as_boolean(value: Any) -> Any:
    """A boolean of YAML, which a suite keeps as it is written; anything else stays."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _settle_code(value: Any, meaning: str | None) -> str | None:
    text = spell(value)
    is_missing = meaning == MISSING or (meaning is None and is_marker(text))
    return None if is_missing else meaning or text


def _known(problem: Problem) -> list[str]:
    return [*problem.columns, problem.target.name]


def _settle_names(given: Any, problem: Problem, key: str) -> Any:
    names = [tidy(str(name)) for name in (given if isinstance(given, list) else [given])]
    known = _known(problem)
    for name in names:
        if name not in known:
            wanted = ", ".join(sorted(known))
            message = f"{key}: got {name!r}, wanted one of {wanted}"
            raise ProblemError(message)
    return names if isinstance(given, list) else names[0]


def _refuse_no_arguments(arguments: Mapping[str, Any], where: str) -> None:
    """A severity among the arguments would be lost, and what people note belongs in `meaning`."""
    for key in NO_ARGUMENTS:
        if key in arguments:
            beside = "`severity`" if key == "severity" else "words, if any, as `meaning`"
            message = f"{where}: arguments.{key}: no argument; wanted {beside} beside `arguments`"
            raise ProblemError(message)


def _settle_total(given: str, key: str) -> float:
    """A sum that is given as text: no sum of numbers would equal it."""
    number = read_number(tidy(given))
    if number is None:
        message = f"{key}: got {given!r}, wanted a number"
        raise ProblemError(message)
    return number


def _refuse_text_rule(expect: str, column: str, problem: Problem, where: str) -> None:
    """Numbers and dates are no text any more when they are checked: `50` is 50.0."""
    spec = problem.columns.get(column, problem.target)
    if not isinstance(spec, Target) and spec.kind != "category" and _OF_TEXT.search(expect):
        kind = "date" if spec.kind == "date" else "number"
        message = f"{where}: column {column!r} is a {kind}; wanted a category, whose text it reads"
        raise ProblemError(message)


def _settle_bounds(
    arguments: Mapping[str, Any], column: str, problem: Problem, where: str
) -> dict[str, Any]:
    spec = problem.columns.get(column, problem.target)
    if isinstance(spec, Target) or spec.kind == "category":
        return {}
    written = str | date | int | float if spec.kind == "date" else str | date  # 2024 is no date
    return {
        key: settle_value(arguments[key], column, problem, key=f"{where}: arguments.{key}")
        for key in BOUNDS
        if isinstance(arguments.get(key), written)
    }


def _settle_sets(
    arguments: Mapping[str, Any], column: str, problem: Problem, where: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(arguments.get("value_set"), list):
        key = f"{where}: arguments.value_set"
        values = arguments["value_set"]
        found["value_set"] = [settle_value(one, column, problem, key=key) for one in values]
    parts = arguments.get("partition_object")
    if isinstance(parts, dict) and isinstance(parts.get("values"), list):
        key = f"{where}: arguments.partition_object.values"
        values = [settle_value(one, column, problem, key=key) for one in parts["values"]]
        found["partition_object"] = parts | {"values": values}
    return found


def _settle_pair(pair: Any, columns: tuple[str, str], problem: Problem, key: str) -> list[Any]:
    if not isinstance(pair, list) or len(pair) != len(columns):
        message = f"{key}: got {pair!r}, wanted lists of two values"
        raise ProblemError(message)
    return [
        settle_value(one, column, problem, key=key)
        for one, column in zip(pair, columns, strict=True)
    ]


def _settle_date(value: Any, key: str) -> float:
    """The days that a date is in the cleaned table."""
    days = count_days(value) if isinstance(value, date) else read_date(str(value))
    if days is None:
        message = f"{key}: got {value!r}, wanted {WANTED['iso']}"
        raise ProblemError(message)
    return days
