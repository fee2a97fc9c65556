"""The strict model of `expectations/<problem>.yaml`, and the expectations a problem file implies.

`critical` ends a run; `warning` sets single rows aside where the expectation speaks of rows, and is
reported where it speaks of the table; `info` is reported only.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from driftline.documents import parse_document
from driftline.problem import NumberTarget, Problem
from driftline.settling import NAMES, VALUES, settle, tell_dates

# Where a suite's own text counts: names of columns, and values that may be codes
WRITTEN = tuple(f"expectations.*.arguments.{key}" for key in (*NAMES, *VALUES))

_CLASS = re.compile(r"Expect[A-Za-z]+")

Severity = Literal["critical", "warning", "info"]


class Expectation(BaseModel):
    """One expectation by its Great Expectations name, such as `ExpectColumnMeanToBeBetween`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expect: str
    severity: Severity = "warning"
    meaning: str | None = None
    arguments: dict[str, Any] = {}

    @field_validator("expect")
    @classmethod
    def _names_a_class(cls, name: str) -> str:
        if _CLASS.fullmatch(name):
            return name
        made = "".join(part.capitalize() for part in name.split("_"))
        such = made if _CLASS.fullmatch(made) else "ExpectColumnValuesToNotBeNull"
        message = f"got {name!r}, wanted: a Great Expectations class, such as {such!r}"
        raise ValueError(message)


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
        one.model_copy(
            update={
                "arguments": settle(
                    one.expect, one.arguments, problem, f"{file}: expectations.{i} ({one.expect})"
                ),
                "meaning": one.meaning or tell_dates(one.expect, one.arguments, problem),
            }
        )
        for i, one in enumerate(content.expectations)
    ]
    derived = derive_expectations(problem) if content.derive else ()
    return Suite(name=problem.name, expectations=(*derived, *own))


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
