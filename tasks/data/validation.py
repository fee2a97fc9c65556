"""Great Expectations: runs a problem's suite over a table and renders its Data Docs page."""

import contextlib
import io as streams
import logging
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftline.errors import ProblemError, ValidationFailedError
from driftline.expectations import Expectation, Suite
from tasks.data.data_docs import render_page
from tasks.decorators import work

_NUMBER = "driftline_number"
_OF_DATES = re.compile(r"(?:the (?:first|latest) )?(?:between|from|up to) ")  # bounds in words
_SUMMARIES = re.compile(r"Count|Mean|Stdev|Sum|Proportion|Type")


@dataclass(frozen=True)
class Validation:
    """What a suite found: what failed by severity, row faults by position, and the page."""

    success: bool
    critical: tuple[str, ...]
    failed: tuple[str, ...]
    faults: dict[int, tuple[str, ...]]
    checked: int
    page: bytes


@work(name="check expectations")
def check_expectations(table: pd.DataFrame, suite: Suite, read_as: str = "") -> Validation:
    """Run every expectation; a warning that points at rows yields their positions and reason.

    `read_as` says on the page how the table was read.
    """
    result = _run(table, suite)
    critical: list[str] = []
    failed: list[str] = []
    faults: dict[int, list[str]] = {}
    paired = _paired(suite, result)
    for expectation, outcome in paired:
        _refuse_error(outcome, suite, expectation, table)
        if outcome.success:
            continue
        name = _describe(expectation, outcome)
        failed.append(name)
        rows = outcome.result.get("unexpected_index_list")
        if expectation.severity == "critical":
            critical.append(name)
        elif expectation.severity == "warning" and rows:
            for row in rows:
                faults.setdefault(int(row), []).append(_short(expectation))
    for outcome in result.results:
        outcome.result = _plain(outcome.result)  # the page cannot show numpy's numbers
    told = [(one, bool(outcome.success)) for one, outcome in paired]
    return Validation(
        success=not critical,
        critical=tuple(critical),
        failed=tuple(failed),
        faults={row: tuple(reasons) for row, reasons in faults.items()},
        checked=len(suite.expectations),
        page=render_page(result, told, read_as),
    )


def _run(table: pd.DataFrame, suite: Suite) -> Any:
    import great_expectations as gx

    _quieten()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = source.add_batch_definition_whole_dataframe("rows")
    expectations = gx.ExpectationSuite(suite.name)
    for number, expectation in enumerate(suite.expectations):
        expectations.add_expectation(_build(gx, expectation, suite, number))
    rows = batch.get_batch(batch_parameters={"dataframe": table})
    with contextlib.redirect_stderr(streams.StringIO()):
        try:  # not by a validation definition, whose store cannot hold numpy's booleans
            return rows.validate(
                context.suites.add(expectations),
                result_format={"result_format": "COMPLETE", "exclude_unexpected_values": True},
            )
        except Exception as error:  # noqa: BLE001 - what a suite may ask for has no end
            message = f"expectations/{suite.name}.yaml: could not be evaluated"
            raise ProblemError(f"{message} ({type(error).__name__})") from None


def _paired(suite: Suite, result: Any) -> list[tuple[Expectation, Any]]:
    """Each expectation with its outcome.

    The library returns outcomes grouped by column, and one only for several that ask the same.
    """
    outcomes = {outcome.expectation_config.meta[_NUMBER]: outcome for outcome in result.results}
    asked = {i: (one.expect, one.arguments) for i, one in enumerate(suite.expectations)}
    paired = []
    for i, expectation in enumerate(suite.expectations):
        same = [k for k in (i, *outcomes) if k in outcomes and asked[k] == asked[i]]
        if not same:
            message = f"expectations/{suite.name}.yaml: {expectation.expect} was not evaluated"
            raise ProblemError(message)
        paired.append((expectation, outcomes[same[0]]))
    return paired


def _quieten() -> None:
    """What a suite finds is told by us; the library's own log speaks of its temporary folders."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("great_expectations"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _build(gx: Any, expectation: Expectation, suite: Suite, number: int) -> Any:
    kind = getattr(gx.expectations, expectation.expect, None)
    file = f"expectations/{suite.name}.yaml"
    if kind is None:
        message = f"{file}: expect: got {expectation.expect!r}, wanted a Great Expectations class"
        raise ProblemError(message)
    try:
        return kind(
            **expectation.arguments,
            severity=expectation.severity,
            notes=expectation.meaning,
            meta={_NUMBER: number},
        )
    except Exception as error:  # noqa: BLE001 - each class of the library checks in its own way
        lines = str(error).splitlines()
        why = "; ".join(lines[1:3] or lines)
        message = f"{file}: {expectation.expect}: arguments do not fit: {why}"
        raise ProblemError(message) from None


def _refuse_error(
    outcome: Any, suite: Suite, expectation: Expectation, table: pd.DataFrame
) -> None:
    """What could not be checked has not failed: the library has no answer, or raised an error."""
    raised = str(outcome.exception_info or "")
    if "'raised_exception': True" in raised or not (outcome.success or outcome.result):
        named = [name for name in _columns(expectation) if name in table]
        kinds = [
            f"{name!r} ({'numbers' if table[name].dtype.kind == 'f' else 'text'})" for name in named
        ]
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


def _describe(expectation: Expectation, outcome: Any) -> str:
    count = outcome.result.get("unexpected_count")
    observed = outcome.result.get("observed_value")
    if not _SUMMARIES.search(expectation.expect):
        observed = None  # a largest value or a list of those found is somebody's own
    what = "rows" if "unexpected_index_list" in outcome.result else "values"
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
