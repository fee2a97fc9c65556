"""From a raw table of text or typed cells to the problem's columns, typed and normalised.

Owns names (byte-order marks, spaces, aliases), values (spaces, missing markers, missing codes) and
types. A cell that does not coerce becomes missing, is counted, and marks its row for quarantine.
"""

import difflib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from driftline.errors import DataError
from driftline.problem import Column, Problem

MISSING_MARKERS = frozenset({"", "na", "n/a", "nan", "null", "<na>"})


@dataclass(frozen=True)
class CleanTable:
    """Columns under the problem's names plus the target as class names, and what did not fit.

    `table` has a plain range index. `uncoerced` counts cells per column; `faults` holds, per row
    position, the reasons found so far.
    """

    table: pd.DataFrame
    uncoerced: dict[str, int] = field(default_factory=dict)
    faults: dict[int, tuple[str, ...]] = field(default_factory=dict)


def clean(
    raw: pd.DataFrame, problem: Problem, *, source: str, with_target: bool, is_part: bool = False
) -> CleanTable:
    """Give every column its name and type; `DataError` names columns that are not as declared.

    A column without any usable value is an error too, unless the rows are but a part of the table.
    """
    renamed = _rename(raw, problem, source=source, with_target=with_target)
    if not len(renamed):
        message = f"{source}: got a header and no rows, wanted at least one row"
        raise DataError(message)
    columns: dict[str, pd.Series] = {}
    uncoerced: dict[str, int] = {}
    faults: dict[int, list[str]] = {}
    for name, spec in problem.columns.items():
        columns[name], failed = _coerce(renamed[name], spec)
        wanted = "whole number" if spec.kind == "integer" else "number"
        _note(failed, f"{name}: not a {wanted}", name, uncoerced, faults)
    if with_target:
        target = problem.target.name
        columns[target], failed = _coerce_target(renamed[target], problem)
        _note(failed, f"{target}: not one of its classes", target, uncoerced, faults)
    table = pd.DataFrame(columns)
    if not is_part:
        _refuse_empty_columns(table, source=source)
    frozen = {row: tuple(reasons) for row, reasons in faults.items()}
    return CleanTable(table=table, uncoerced=uncoerced, faults=frozen)


def faults_of_values(cleaned: CleanTable, problem: Problem) -> dict[int, tuple[str, ...]]:
    """Rows whose values the contract would refuse, by position, with every reason."""
    faults = {row: list(reasons) for row, reasons in cleaned.faults.items()}
    for name, spec in problem.columns.items():
        values = cleaned.table[name]
        wrong: dict[str, pd.Series] = {}
        if spec.missing == "forbid":
            wrong[f"{name}: missing"] = values.isna()
        if spec.range is not None:
            low, high = spec.range
            wrong[f"{name}: not between {low:g} and {high:g}"] = (values < low) | (values > high)
        if spec.categories:
            known = values.isin(list(spec.categories)) | values.isna()
            wrong[f"{name}: not one of its categories"] = ~known
        for reason, rows in wrong.items():
            for row in np.flatnonzero(rows.to_numpy()):
                faults.setdefault(int(row), []).append(reason)
    return {row: tuple(reasons) for row, reasons in faults.items()}


def _note(
    failed: np.ndarray,
    reason: str,
    name: str,
    uncoerced: dict[str, int],
    faults: dict[int, list[str]],
) -> None:
    rows = np.flatnonzero(failed)
    if len(rows):
        uncoerced[name] = len(rows)
    for row in rows:
        faults.setdefault(int(row), []).append(reason)


def _tidy(name: object) -> str:
    return " ".join(str(name).replace("\ufeff", "").split())


def _rename(raw: pd.DataFrame, problem: Problem, *, source: str, with_target: bool) -> pd.DataFrame:
    named: dict[str, tuple[str, ...]] = {
        name: (name, *spec.aliases) for name, spec in problem.columns.items()
    }
    target = problem.target
    named[target.name] = (target.name, *target.aliases)
    owner = {_tidy(alias): name for name, aliases in named.items() for alias in aliases}
    ignored = {_tidy(name) for name in problem.ignored}
    got = [_tidy(name) for name in raw.columns]

    unexpected = [name for name in got if name not in owner and name not in ignored]
    known = [owner[name] for name in got if name in owner]
    duplicated = sorted({name for name in known if known.count(name) > 1})
    wanted = [name for name in named if with_target or name != target.name]
    if not known:  # perhaps a row of values in the place of a header: its cells are not shown
        message = (
            f"{source}: got {len(got)} columns and none that the problem file declares, wanted a "
            f"first line that names {', '.join(map(repr, wanted))}"
        )
        raise DataError(message)
    missing = [name for name in wanted if name not in known]
    if unexpected or duplicated or missing:
        raise DataError(_describe_columns(source, missing, unexpected, duplicated))
    kept = [i for i, name in enumerate(got) if name in owner]
    renamed = raw.iloc[:, kept].reset_index(drop=True)
    renamed.columns = pd.Index([owner[got[i]] for i in kept])
    return renamed


def _describe_columns(
    source: str, missing: list[str], unexpected: list[str], duplicated: list[str]
) -> str:
    parts = []
    if missing:
        hints = []
        for name in missing:
            close = difflib.get_close_matches(name, unexpected, n=1)
            hints.append(f"{name!r}" + (f" (is it {close[0]!r}? add an alias)" if close else ""))
        parts.append(f"missing: {', '.join(hints)}")
    if duplicated:
        parts.append(f"given more than once: {', '.join(map(repr, duplicated))}")
    if unexpected:
        parts.append(f"unexpected: {', '.join(map(repr, unexpected))} (declare or ignore them)")
    return f"{source}: columns are not as the problem file declares; " + "; ".join(parts)


def _coerce(series: pd.Series, spec: Column) -> tuple[pd.Series, np.ndarray]:
    if spec.kind == "category":
        text = _text(series, spec.missing_codes, keep=frozenset(spec.categories))
        return text, np.zeros(len(text), dtype=bool)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        numbers, failed = series.astype("float64"), np.zeros(len(series), dtype=bool)
    else:
        text = _text(series, (), keep=frozenset())
        numbers = pd.to_numeric(text, errors="coerce").astype("float64")
        failed = (numbers.isna() & text.notna()).to_numpy()
    values = numbers.to_numpy()
    failed |= np.isinf(values)
    if spec.kind == "integer":
        failed |= ~np.isnan(values) & (values != np.floor(values))
    codes = [float(code) for code in spec.missing_codes]
    return numbers.mask(numbers.isin(codes) | failed), failed


def _coerce_target(series: pd.Series, problem: Problem) -> tuple[pd.Series, np.ndarray]:
    target = problem.target
    name_of = {value: name for name in target.classes for value in target.values_of(name)}
    text = _text(series, (), keep=frozenset(name_of))
    names = text.map(name_of).astype("object")
    return names, names.isna().to_numpy()


def _text(series: pd.Series, codes: tuple[str, ...], keep: frozenset[str]) -> pd.Series:
    """Cells as trimmed text, whole numbers without `.0`, missing as None."""
    if pd.api.types.is_float_dtype(series):
        text = series.map(lambda value: f"{value:g}", na_action="ignore")
    else:
        text = series.map(_tidy, na_action="ignore")
    is_missing = text.isna() | text.isin(list(codes))
    is_missing |= text.str.lower().isin(list(MISSING_MARKERS)) & ~text.isin(list(keep))
    return text.astype("object").where(~is_missing, None)


def _refuse_empty_columns(table: pd.DataFrame, *, source: str) -> None:
    empty = [str(name) for name in table.columns if table[name].isna().all()]
    if empty:
        names = ", ".join(map(repr, empty))
        message = f"{source}: column {names}: got no usable value at all, wanted at least one"
        raise DataError(message)
