"""From a raw table of text or typed cells to the problem's columns, typed and normalised.

Owns values (spaces, missing markers, missing codes) and types; names are `driftline.naming`'s. A
cell that does not coerce becomes missing, is counted, and marks its row for quarantine.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from driftline.cells import cells_of, read_number_cell, read_numbers
from driftline.columns import NO_DATE
from driftline.computed import find_undefined
from driftline.dates import WANTED
from driftline.design import check_weights, mark_weights
from driftline.digests import GROUP, WEIGHT
from driftline.errors import DataError
from driftline.groups import mark_groups
from driftline.naming import rename
from driftline.oddities import Cells, refuse_empty
from driftline.problem import LARGEST, Column, Problem
from driftline.spelling import (
    MISSING,
    is_marker,
    part_codes,
    spell,
    tidy,
)

A_DATE: Final = f"{MISSING}date"  # no text of a cell: tidied text never holds this mark


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

    A column without any usable value is an error too, unless the rows are but a part of a table:
    what becomes of a part's row never depends on the other rows in it.
    """
    renamed = rename(raw, problem, source=source, with_target=with_target)
    if not len(renamed):
        message = f"{source}: got a header and no rows, wanted at least one row"
        raise DataError(message)
    columns: dict[str, pd.Series] = {}
    uncoerced: dict[str, int] = {}
    faults: dict[int, list[str]] = {}
    for name, spec in problem.columns.items():
        columns[name], failed = _coerce(renamed[name], spec)
        for reason, rows in failed.items():
            _note(rows, f"{name}: {reason}", name, uncoerced, faults)
    if with_target:
        target = problem.target.name
        columns[target] = problem.target.read(_read_each(renamed[target], problem.target.find))
        missing = columns[target].isna().to_numpy()
        _note(missing, f"{target}: {problem.target.fault}", target, uncoerced, faults)
        columns |= _beside(raw, problem)
    table = pd.DataFrame(columns)
    if not is_part:
        _refuse_unweighted(table, problem, source=source)
        _refuse_empty_columns(table, renamed, source=source)
    frozen = {row: tuple(reasons) for row, reasons in faults.items()}
    return CleanTable(table=table, uncoerced=uncoerced, faults=frozen)


def _beside(raw: pd.DataFrame, problem: Problem) -> dict[str, pd.Series]:
    """What rows belong together and what each counts, where it is named and they have it."""
    kept, found = keep_ignored(raw, problem), {}
    if problem.group is not None and problem.group in kept:
        found[GROUP] = mark_groups(cells_of(kept[problem.group]), problem)
    if problem.weight is not None and problem.weight in kept:
        numbers = [read_number_cell(cell, frozenset()) for cell in cells_of(kept[problem.weight])]
        found[WEIGHT] = mark_weights(numbers)
    return found


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
            wrong[f"{name}: not {spec.range_text}"] = (values < low) | (values > high)
        if spec.categories:
            known = values.isin(list(spec.categories)) | values.isna()
            wrong[f"{name}: not one of its categories"] = ~known
        for reason, rows in wrong.items():
            for row in np.flatnonzero(rows.to_numpy()):
                faults.setdefault(int(row), []).append(reason)
    for reason, undefined in _undefined(cleaned.table, problem).items():
        for row in np.flatnonzero(undefined):
            faults.setdefault(int(row), []).append(reason)
    return {row: tuple(reasons) for row, reasons in faults.items()}


def _undefined(table: pd.DataFrame, problem: Problem) -> dict[str, np.ndarray]:
    columns = {
        name: table[name].to_numpy(dtype=np.float64)
        for name, spec in problem.columns.items()
        if spec.kind != "category"
    }
    return find_undefined(columns, problem.computed, len(table))


def keep_ignored(raw: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """The columns that the problem ignores, such as a table's own ids, as text under their names.

    Text stays as it was written, and a whole number has no `.0`, whatever else its column holds.
    """
    kept: dict[str, pd.Series] = {}
    for i, written in enumerate(raw.columns):
        name = tidy(str(written))
        if name in problem.ignored and name not in kept:
            cells = cells_of(raw.iloc[:, i])
            texts = [c if isinstance(c, str) or c is None else spell(c) for c in cells]
            kept[name or "unnamed"] = pd.Series(texts, dtype="string")
    return pd.DataFrame(kept, index=range(len(raw)))


def _note(
    failed: np.ndarray,
    reason: str,
    name: str,
    uncoerced: dict[str, int],
    faults: dict[int, list[str]],
) -> None:
    rows = np.flatnonzero(failed)
    if len(rows):
        uncoerced[name] = uncoerced.get(name, 0) + len(rows)
    for row in rows:
        faults.setdefault(int(row), []).append(reason)


def _coerce(series: pd.Series, spec: Column) -> tuple[pd.Series, dict[str, np.ndarray]]:
    """A column as its kind has it, and which rows hold what it cannot have, by reason."""
    if spec.kind == "category":
        texts = _read_each(series, lambda cell: _read_category(cell, spec))
        is_date = (texts == A_DATE).to_numpy(dtype=bool)
        return texts.where(~is_date, None), {"a date, not one of its categories": is_date}
    if spec.kind == "date":
        days, failed = _read_dates(series, spec)
        return days, {f"not {WANTED[spec.order]}": failed}
    codes, words = part_codes(spec.missing_codes)
    values, failed = read_numbers(series, words)
    values[np.isin(values, list(codes))] = math.nan
    failed |= np.isinf(values)
    if spec.kind == "integer":
        failed |= np.isfinite(values) & (values != np.floor(values))
    beyond = ~failed & (np.abs(values) > LARGEST)
    wanted = "whole number" if spec.kind == "integer" else "number"
    reasons = {f"not a {wanted}": failed, "must be a finite number": beyond}
    return pd.Series(np.where(failed | beyond, math.nan, values)), reasons


def _read_each(series: pd.Series, read: Callable[[Any], str | float | None]) -> pd.Series:
    """What each cell means, None where it is missing; a value that comes again is read once.

    Cells of several types are read one by one: `1`, `1.0` and `True` are one value to pandas.
    """
    is_text = pd.api.types.infer_dtype(series) in {"string", "empty"}
    if series.dtype == object and not is_text:
        cells = cells_of(series)
        return pd.Series([None if c is None else read(c) for c in cells], dtype="object")
    codes, values = pd.factorize(series)
    meanings = np.empty(len(values) + 1, dtype=object)
    meanings[:-1] = [read(cell) for cell in cells_of(pd.Series(values))]
    return pd.Series(meanings[codes], dtype="object")  # a missing cell's code is -1, the last


def _read_category(cell: Any, spec: Column) -> str | None:
    """The category that a cell means, its own text where it means none, None where missing."""
    meaning = spec.spellings.find(cell)
    if meaning is not None:
        return None if meaning == MISSING else meaning
    if isinstance(cell, date) and not spec.unseen:
        return A_DATE
    text = spell(cell)
    return None if is_marker(text) else spec.unseen or text


def read_days(series: pd.Series, spec: Column) -> pd.Series:
    """The days of a column of dates, nan where there is none."""
    days, _ = _read_dates(series, spec)
    return pd.Series(days.to_numpy(), index=series.index, name=series.name)


def _read_dates(series: pd.Series, spec: Column) -> tuple[pd.Series, np.ndarray]:
    """The days, nan where one is missing, and which cells are no dates."""

    def read(cell: Any) -> float | str | None:
        is_empty = isinstance(cell, str) and is_marker(tidy(cell))
        return None if is_empty else spec.read_day(cell)

    days = _read_each(series, read)
    failed = (days == NO_DATE).to_numpy(dtype=bool)
    return days.where(~failed, None).astype("float64"), failed


def _refuse_unweighted(table: pd.DataFrame, problem: Problem, *, source: str) -> None:
    if WEIGHT in table:
        wrong = np.flatnonzero(table[WEIGHT].isna())
        first = int(wrong[0]) if len(wrong) else 0
        check_weights(len(wrong), first, len(table), problem, source=source)


def _refuse_empty_columns(table: pd.DataFrame, raw: pd.DataFrame, *, source: str) -> None:
    empty = [str(name) for name in table.columns if table[name].isna().all()]
    cells = {name: Cells() for name in empty}
    for name in [name for name in empty if name in raw]:
        cells[name].add(cells_of(raw[name]))
    refuse_empty(cells, source=source)
