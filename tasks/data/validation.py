"""What a problem's suite finds in a table: what failed, which rows are at fault, and the page."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftline.errors import ProblemError, ValidationFailedError
from driftline.expectations import Expectation, Suite
from driftline.quarantine import RowFaults
from tasks.data.data_docs import render_page
from tasks.data.expectations import Findings, evaluate, has_raised, summarise
from tasks.data.tables import StoredTable
from tasks.decorators import work

_OF_DATES = re.compile(r"(?:the (?:first|latest) )?(?:between|from|up to) ")  # bounds in words
_SUMMARIES = re.compile(r"Count|Mean|Stdev|Sum|Proportion|Type")


@dataclass(frozen=True)
class Validation:
    """What a suite found: what failed by severity, what is wrong with single rows, and the page."""

    success: bool
    critical: tuple[str, ...]
    failed: tuple[str, ...]
    faults: RowFaults
    checked: int
    page: bytes


@work(name="check expectations")
def check_expectations(table: StoredTable, suite: Suite, read_as: str = "") -> Validation:
    """Run every expectation; a warning that points at rows yields their positions and reason.

    `read_as` says on the page how the table was read.
    """
    findings = evaluate(table, suite)
    critical: list[str] = []
    failed: list[str] = []
    faults = RowFaults()
    paired = _paired(suite, findings)
    for expectation, number in paired:
        outcome, rows = findings.outcomes[number], findings.find_rows(number)
        _refuse_error(outcome, suite, expectation, table)
        if outcome.success:
            continue
        name = _describe(expectation, outcome, "values" if rows is None else "rows")
        failed.append(name)
        if expectation.severity == "critical":
            critical.append(name)
        elif expectation.severity == "warning" and rows is not None:
            faults.add_rows(_short(expectation), rows)
    for outcome in findings.outcomes.values():
        outcome.result = _plain(outcome.result)  # the page cannot show numpy's numbers
    told = [(one, bool(findings.outcomes[number].success)) for one, number in paired]
    return Validation(
        success=not critical,
        critical=tuple(critical),
        failed=tuple(failed),
        faults=faults,
        checked=len(suite.expectations),
        page=render_page(summarise(findings, suite), told, read_as),
    )


def _paired(suite: Suite, findings: Findings) -> list[tuple[Expectation, int]]:
    """Each expectation with the number of its outcome: there is one for several that ask alike."""
    asked = {i: (one.expect, one.arguments) for i, one in enumerate(suite.expectations)}
    paired = []
    for i, expectation in enumerate(suite.expectations):
        known = findings.outcomes
        same = [k for k in (i, *known) if k in known and asked[k] == asked[i]]
        if not same:
            message = f"expectations/{suite.name}.yaml: {expectation.expect} was not evaluated"
            raise ProblemError(message)
        paired.append((expectation, same[0]))
    return paired


def _refuse_error(outcome: Any, suite: Suite, expectation: Expectation, table: StoredTable) -> None:
    """What could not be checked has not failed: the library has no answer, or raised an error."""
    if has_raised(outcome) or not (outcome.success or outcome.result):
        named = [name for name in _columns(expectation) if name in table]
        kinds = [f"{name!r} ({'numbers' if name in table.numbers else 'text'})" for name in named]
        asked = f" of {', '.join(kinds)}" if kinds else ""
        message = (
            f"expectations/{suite.name}.yaml: {expectation.expect}{asked} could not be evaluated; "
            "wanted a rule, and arguments, that fit its columns"
        )
        raise ProblemError(message)


def _columns(expectation: Expectation) -> list[str]:
    """The columns that an expectation names."""
    given = expectation.arguments
    named = [given[key] for key in ("column", "column_A", "column_B") if key in given]
    return [str(name) for name in (*named, *given.get("column_list", ()))]


def _short(expectation: Expectation) -> str:
    column = ", ".join(_columns(expectation)) or "table"
    kind = expectation.expect
    meaning = expectation.meaning or ""
    if kind == "ExpectColumnValuesToNotBeNull":
        return f"{column}: missing"
    if kind == "ExpectColumnValuesToBeBetween":
        low, high = (expectation.arguments.get(key) for key in ("min_value", "max_value"))
        if _OF_DATES.match(meaning):
            return f"{column}: not {meaning}"
        is_plain = isinstance(low, int | float) and isinstance(high, int | float)
        return (
            f"{column}: not between {low:g} and {high:g}" if is_plain else f"{column}: out of range"
        )
    if kind == "ExpectColumnValuesToBeInSet":
        return f"{column}: not one of its categories"
    return f"{column}: {meaning or kind}"


def _describe(expectation: Expectation, outcome: Any, what: str) -> str:
    count = outcome.result.get("unexpected_count")
    observed = outcome.result.get("observed_value")
    if not _SUMMARIES.search(expectation.expect):
        observed = None  # a largest value or a list of those found is somebody's own
    detail = f" ({count} {what})" if count else f" (got {observed})" if observed is not None else ""
    known = {"column", "column_A", "column_B", "column_list", "value_set"}
    if _OF_DATES.match(expectation.meaning or ""):
        known |= {"min_value", "max_value"}
    arguments = {k: v for k, v in expectation.arguments.items() if k not in known}
    wanted = ", ".join(f"{key}={value}" for key, value in arguments.items())
    name = expectation.meaning or expectation.expect
    column = ", ".join(_columns(expectation)) or "table"
    return f"{column}: {name}{f' [{wanted}]' if wanted else ''}{detail}"


def _plain(value: Any) -> Any:
    """Numpy's numbers, booleans and arrays as Python's own, however deep they lie."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(one) for one in value]
    return _plain(value.tolist()) if isinstance(value, np.generic | np.ndarray) else value


def refuse_critical(validation: Validation, *, source: str, page: str) -> None:
    """Raise `ValidationFailedError` naming every critical expectation that failed."""
    if not validation.success:
        named = "; ".join(validation.critical)
        message = f"{source}: critical expectations failed: {named} (report: {page})"
        raise ValidationFailedError(message)
