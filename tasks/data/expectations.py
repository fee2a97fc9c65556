"""Great Expectations over a table in a file: a piece at a time where a rule speaks of single rows.

What a rule of single rows finds adds up, and whether enough of them keep it (`mostly`) is judged by
the sums. Every other rule sees all rows of the columns that it names, and no others.
"""

import contextlib
import difflib
import io as streams
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.errors import ProblemError
from driftline.expectations import Expectation, Suite
from tasks.data.tables import StoredTable

_NUMBER = "driftline_number"
_SHOWN = 20  # positions that the library names beside all of them

_METHOD = re.compile(r"(?<!\.str)(?<!\.dt)\.(\w+)\(")
_METHODS_OF_ROWS: Final = frozenset(
    {"isin", "isnull", "notnull", "isna", "notna", "between", "abs"}
)
# Rules whose finding about a row depends on nothing but that row
OF_ROWS: Final = frozenset(
    f"Expect{name}"
    for name in (
        "ColumnValuesToBeBetween",
        "ColumnValuesToBeInSet",
        "ColumnValuesToNotBeInSet",
        "ColumnValuesToBeNull",
        "ColumnValuesToNotBeNull",
        "ColumnValuesToMatchRegex",
        "ColumnValuesToNotMatchRegex",
        "ColumnValuesToMatchRegexList",
        "ColumnValuesToNotMatchRegexList",
        "ColumnValueLengthsToBeBetween",
        "ColumnValueLengthsToEqual",
        "ColumnPairValuesAToBeGreaterThanB",
        "ColumnPairValuesToBeEqual",
        "ColumnPairValuesToBeInSet",
        "MulticolumnSumToEqual",
        "SelectColumnValuesToBeUniqueWithinRecord",
    )
)
_OF_SCHEMA: Final = frozenset(
    f"Expect{name}"
    for name in (
        "ColumnToExist",
        "TableColumnCountToBeBetween",
        "TableColumnCountToEqual",
        "TableColumnsToMatchOrderedList",
        "TableColumnsToMatchSet",
    )
)

Asked = Sequence[tuple[int, Expectation]]


@dataclass
class Findings:
    """What the library said of each expectation, by its number, and of the batch it saw last.

    `rows` holds the positions of the rows that break a rule, where it speaks of rows.
    """

    outcomes: dict[int, Any] = field(default_factory=dict)
    rows: dict[int, list[NDArray[np.int64]]] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    def find_rows(self, number: int) -> NDArray[np.int64] | None:
        """The positions of an expectation, ascending; None where it speaks of no rows."""
        found = self.rows.get(number)
        return None if found is None else np.sort(np.concatenate(found))


def evaluate(table: StoredTable, suite: Suite) -> Findings:
    """The outcome of every expectation, as if the library had seen all rows of all columns."""
    library, asked = _Library(suite), list(enumerate(suite.expectations))
    of_rows = [each for each in asked if _is_of_rows(each[1])]
    names = columns_behind([one for _, one in of_rows], table)
    for piece in table.pieces(names) if of_rows else ():
        library.add(piece, of_rows)
    for columns, some in _by_columns([each for each in asked if each not in of_rows], table):
        library.add(_take(table, columns, some), some)
    return library.findings


def columns_behind(expectations: Sequence[Expectation], table: StoredTable) -> list[str]:
    """The columns that any of these rules looks at, in the table's order."""
    named: set[str] = set()
    for one in expectations:
        given = one.arguments
        keys = ("column", "column_A", "column_B")
        named |= {str(given[key]) for key in keys if key in given}
        named |= {str(name) for name in given.get("column_list") or ()}
        condition = str(given.get("row_condition", ""))  # a name that is in it by chance is no harm
        named |= {name for name in table.columns if condition and name in condition}
    return [name for name in table.columns if name in named]


def _is_of_rows(expectation: Expectation) -> bool:
    """Whether each row is judged by itself; `age > age.mean()` is a condition on all of them."""
    mostly = expectation.arguments.get("mostly", 1.0)
    asked = set(_METHOD.findall(str(expectation.arguments.get("row_condition", ""))))
    is_by_rows = asked <= _METHODS_OF_ROWS
    return expectation.expect in OF_ROWS and isinstance(mostly, int | float) and is_by_rows


def _by_columns(asked: Asked, table: StoredTable) -> Iterator[tuple[list[str], Asked]]:
    groups: dict[tuple[str, ...], list[tuple[int, Expectation]]] = {}
    for number, one in asked:
        is_of_schema = one.expect in _OF_SCHEMA
        names = table.columns if is_of_schema else tuple(columns_behind([one], table))
        groups.setdefault(names, []).append((number, one))
    for names, some in groups.items():
        yield list(names), some


def _take(table: StoredTable, names: list[str], asked: Asked) -> pd.DataFrame:
    """The columns of a rule; some rows where it asks for columns only, one column for their number.

    What is known of no rule may look at anything.
    """
    if all(one.expect in _OF_SCHEMA for _, one in asked):
        return next(table.pieces())
    if names:
        return table.select(names)
    is_of_count = all(one.expect.startswith("ExpectTableRowCount") for _, one in asked)
    return table.select(table.columns[:1] if is_of_count else table.columns)


class _Library:
    """Great Expectations with a suite: what it says of tables one after the other."""

    def __init__(self, suite: Suite) -> None:
        import great_expectations as gx

        _quieten()
        self._suite = suite
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        source = self._context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
        self._batch = source.add_batch_definition_whole_dataframe("rows")
        self._rules = {
            number: _build(gx, one, suite, number) for number, one in enumerate(suite.expectations)
        }
        self.findings = Findings()

    def add(self, table: pd.DataFrame, asked: Asked) -> None:
        """Evaluate some expectations over rows that follow on those that they have seen."""
        result = self._evaluate(table, [number for number, _ in asked])
        self.findings.meta = result.meta
        for outcome in result.results:
            number = outcome.expectation_config.meta[_NUMBER]
            rows = outcome.result.pop("unexpected_index_list", None)
            if rows is not None:
                places = np.array(rows, dtype=np.int64)
                self.findings.rows.setdefault(number, []).append(places)
            known = self.findings.outcomes.get(number)
            mostly = self._suite.expectations[number].arguments.get("mostly", 1.0)
            merged = outcome if known is None else _merge(known, outcome, mostly)
            self.findings.outcomes[number] = merged

    def _evaluate(self, table: pd.DataFrame, numbers: list[int]) -> Any:
        import great_expectations as gx

        # one by one it would compare each with all before it
        kept = [self._rules[number] for number in self._without_repeats(numbers)]
        expectations = gx.ExpectationSuite(self._suite.name, kept)
        rows = self._batch.get_batch(batch_parameters={"dataframe": table})
        with contextlib.redirect_stderr(streams.StringIO()):
            try:  # not by a validation definition, whose store cannot hold numpy's booleans
                return rows.validate(
                    expectations,
                    result_format={
                        "result_format": "COMPLETE",
                        "exclude_unexpected_values": True,
                        "return_unexpected_index_query": False,
                    },
                )
            except Exception as error:  # noqa: BLE001 - what a suite may ask for has no end
                message = f"expectations/{self._suite.name}.yaml: could not be evaluated"
                raise ProblemError(f"{message} ({type(error).__name__})") from None

    def _without_repeats(self, numbers: list[int]) -> list[int]:
        """The first of rules that are the same but for what they mean, as the library keeps it."""
        first: dict[str, int] = {}
        for number in numbers:
            one = self._suite.expectations[number]
            first.setdefault(
                repr((one.expect, one.severity, sorted(one.arguments.items()))), number
            )
        return list(first.values())


def _merge(known: Any, other: Any, mostly: float) -> Any:
    """The outcome for the rows of both, as the library would have found it for all at once."""
    if has_raised(known) or has_raised(other):
        return known if has_raised(known) else other
    had, has = known.result, other.result
    for name in ("element_count", "unexpected_count", "missing_count"):
        if name in had:
            had[name] += has[name]
    first = [*had["partial_unexpected_index_list"], *has["partial_unexpected_index_list"]]
    had["partial_unexpected_index_list"] = first[:_SHOWN]
    rows, wrong, missing = (
        had.get(name, 0) for name in ("element_count", "unexpected_count", "missing_count")
    )
    there = rows - missing
    percents = {
        "unexpected_percent": _percent(wrong, there),
        "missing_percent": _percent(missing, rows),
        "unexpected_percent_total": _percent(wrong, rows),
        "unexpected_percent_nonmissing": _percent(wrong, there),
    }
    had |= {name: percent for name, percent in percents.items() if name in had}
    known.success = not there or (there - wrong) / there >= mostly
    return known


def _percent(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None


def has_raised(outcome: Any) -> bool:
    """Whether the library raised an error in the place of an answer."""
    return "'raised_exception': True" in str(outcome.exception_info or "")


def summarise(findings: Findings, suite: Suite) -> Any:
    """The library's own result of a suite: outcomes by column, in the order in which it tells them.

    A column stands where it is named first; rules without one are a group of their own.
    """
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )

    groups: dict[str, list[Any]] = {}
    for number, one in enumerate(suite.expectations):
        column = one.arguments.get("column")
        group = groups.setdefault(column if isinstance(column, str) else "", [])
        group += [findings.outcomes[number]] if number in findings.outcomes else []
    outcomes = [outcome for group in groups.values() for outcome in group]
    held = sum(bool(outcome.success) for outcome in outcomes)
    return ExpectationSuiteValidationResult(
        success=held == len(outcomes),
        results=outcomes,
        suite_name=suite.name,
        statistics={
            "evaluated_expectations": len(outcomes),
            "successful_expectations": held,
            "unsuccessful_expectations": len(outcomes) - held,
            "success_percent": _percent(held, len(outcomes)),
        },
        meta=findings.meta,
    )


def _quieten() -> None:
    """What a suite finds is told by us; the library's own log speaks of its temporary folders."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("great_expectations"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _build(gx: Any, expectation: Expectation, suite: Suite, number: int) -> Any:
    kind = getattr(gx.expectations, expectation.expect, None)
    file = f"expectations/{suite.name}.yaml"
    if kind is None:
        known = [name for name in dir(gx.expectations) if name.startswith("Expect")]
        close = difflib.get_close_matches(expectation.expect, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        message = f"{file}: expect: got {expectation.expect!r}, wanted a Great Expectations class"
        raise ProblemError(message + hint)
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
