"""The strict model of `expectations/<problem>.yaml`, and the expectations a problem file implies.

`critical` ends a run; `warning` sets single rows aside where the expectation speaks of rows, and is
reported where it speaks of the table; `info` is reported only.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from driftline.documents import parse_document
from driftline.errors import ProblemError
from driftline.problem import Problem

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
    """Read a suite's text; a column that the problem does not declare is a `ProblemError`."""
    content = parse_document(text, file=file, model=_SuiteFile)
    known = {*problem.columns, problem.target.name}
    for i, expectation in enumerate(content.expectations):
        column = expectation.arguments.get("column")
        if column is not None and column not in known:
            message = f"{file}: expectations.{i}.arguments.column: got {column!r}, wanted one of "
            raise ProblemError(message + ", ".join(sorted(known)))
    derived = derive_expectations(problem) if content.derive else ()
    return Suite(name=problem.name, expectations=(*derived, *content.expectations))


def derive_expectations(problem: Problem) -> tuple[Expectation, ...]:
    """What the problem file already says of each column, as row-level expectations."""
    derived: list[Expectation] = []
    for name, spec in problem.columns.items():
        if spec.range is not None:
            low, high = spec.range
            bounds = {"column": name, "min_value": low, "max_value": high}
            derived.append(_expect("ExpectColumnValuesToBeBetween", bounds))
        if spec.categories:
            members = {"column": name, "value_set": list(spec.categories)}
            derived.append(_expect("ExpectColumnValuesToBeInSet", members))
        if spec.missing == "forbid":
            derived.append(_expect("ExpectColumnValuesToNotBeNull", {"column": name}))
    target = problem.target.name
    derived.append(_expect("ExpectColumnValuesToNotBeNull", {"column": target}))
    return tuple(derived)


def _expect(expect: str, arguments: dict[str, Any]) -> Expectation:
    return Expectation(expect=expect, severity="warning", arguments=arguments)
