"""The strict model of `expectations/<problem>.yaml`, and the expectations a problem file implies.

`critical` ends a run; `warning` sets single rows aside where the expectation speaks of rows, and is
reported where it speaks of the table; `info` is reported only.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from driftline.dates import WANTED, count_days, read_date
from driftline.documents import parse_document
from driftline.errors import ProblemError
from driftline.problem import NumberTarget, Problem, Target
from driftline.spelling import read_number, spell, tidy

# Where a suite's own text counts: names of columns, and values that may be codes
WRITTEN = tuple(
    f"expectations.*.arguments.{key}"
    for key in ("column", "column_A", "column_B", "column_list", "column_set", "value_set")
)

Severity = Literal["critical", "warning", "info"]


class Expectation(BaseModel):
    """One expectation by its Great Expectations name, such as `ExpectColumnMeanToBeBetween`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expect: str = Field(pattern=r"^Expect[A-Za-z]+$")
    severity: Severity = "warning"
    meaning: str | None = None
    arguments: dict[str, Any] = {}


class _SuiteFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    derive: bool = True
    expectations: tuple[Expectation, ...] = ()


@dataclass(frozen=True)
class Suite:
    """Every expectation of a problem, the derived ones first."""

    name: str
    expectations: tuple[Expectation, ...]


def parse_suite(text: str, *, problem: Problem, file: str) -> Suite:
    """Read a suite's text; a column that the problem does not declare is a `ProblemError`.

    A set of values of a coded column means the codes, however they are spelt.
    """
    content = parse_document(text, file=file, model=_SuiteFile, written=WRITTEN)
    own = [
        expectation.model_copy(
            update={"arguments": _settle(expectation.arguments, problem, f"{file}: {place}")}
        )
        for place, expectation in (
            (f"expectations.{i} ({one.expect})", one) for i, one in enumerate(content.expectations)
        )
    ]
    derived = derive_expectations(problem) if content.derive else ()
    return Suite(name=problem.name, expectations=(*derived, *own))


def _settle(arguments: dict[str, Any], problem: Problem, where: str) -> dict[str, Any]:
    """Arguments with the names and the codes that the cleaned table has."""
    settled = dict(arguments)
    known = {*problem.columns, problem.target.name}
    for key in ("column", "column_A", "column_B", "column_list", "column_set"):
        given = arguments.get(key)
        if given is None:
            continue
        names = [tidy(str(name)) for name in (given if isinstance(given, list) else [given])]
        for name in names:
            if name not in known:
                message = f"{where}: arguments.{key}: got {name!r}, wanted one of "
                raise ProblemError(message + ", ".join(sorted(known)))
        settled[key] = names if isinstance(given, list) else names[0]
    column, values = settled.get("column"), arguments.get("value_set")
    if column in problem.columns and problem.columns[column].kind == "date":
        for key in ("min_value", "max_value"):
            if key in settled and isinstance(settled[key], str | date):
                settled[key] = _settle_date(settled[key], f"{where}: arguments.{key}")
    if isinstance(column, str) and isinstance(values, list):
        key = f"{where}: arguments.value_set"
        settled["value_set"] = [_settle_value(value, column, problem, key) for value in values]
    return settled


def _settle_value(value: Any, column: str, problem: Problem, key: str) -> Any:
    if value is None or value in {"null", "~"}:
        return None
    spec = problem.columns.get(column, problem.target)
    if isinstance(spec, Target):
        return spec.find(value) or spell(value)
    if spec.kind == "category":
        return spec.spellings.find(value) or spell(value)
    if spec.kind == "date":
        return _settle_date(value, key)
    number = read_number(tidy(str(value)))
    if number is None:
        message = f"{key}: got {value!r}, wanted numbers, as column {column!r} has"
        raise ProblemError(message)
    return number


def _settle_date(value: Any, key: str) -> float:
    """The days that a date is in the cleaned table."""
    days = count_days(value) if isinstance(value, date) else read_date(str(value))
    if days is None:
        message = f"{key}: got {value!r}, wanted {WANTED['iso']}"
        raise ProblemError(message)
    return days


def derive_expectations(problem: Problem) -> tuple[Expectation, ...]:
    """What the problem file already says of each column, as row-level expectations."""
    derived: list[Expectation] = []
    for name, spec in problem.columns.items():
        if spec.range is not None:
            low, high = spec.range
            bounds = {"column": name, "min_value": low, "max_value": high}
            meaning = spec.range_text if spec.kind == "date" else None
            derived.append(_expect("ExpectColumnValuesToBeBetween", bounds, meaning))
        if spec.categories:
            members = {"column": name, "value_set": list(spec.categories)}
            derived.append(_expect("ExpectColumnValuesToBeInSet", members))
        if spec.missing == "forbid":
            derived.append(_expect("ExpectColumnValuesToNotBeNull", {"column": name}))
    target = problem.target
    derived.append(_expect("ExpectColumnValuesToNotBeNull", {"column": target.name}))
    if isinstance(target, NumberTarget) and target.range is not None:
        bounds = {"column": target.name, "min_value": target.range[0], "max_value": target.range[1]}
        derived.append(_expect("ExpectColumnValuesToBeBetween", bounds))
    return tuple(derived)


def _expect(expect: str, arguments: dict[str, Any], meaning: str | None = None) -> Expectation:
    return Expectation(expect=expect, severity="warning", meaning=meaning, arguments=arguments)
