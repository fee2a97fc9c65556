"""The raw rows of a problem, completed from other tables as a problem file's joins say.

What is filled in is what a request would have, and is cleaned and judged as any other cell.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from driftline.cells import cells_of
from driftline.cleaning import CleanTable, clean, read_days
from driftline.columns import Column
from driftline.dates import DAY_SECONDS, spell_date
from driftline.errors import DataError
from driftline.filling import is_missing
from driftline.joins import Join
from driftline.problem import Problem
from driftline.spelling import spell_key, tidy
from driftline.timelines import NONE, TOO_OLD, Timeline, Values, build_timeline

NO_DATE = "no date"  # what a cell is filled in as that is none, and is refused as


def read_timeline(raw: pd.DataFrame, problem: Problem, name: str, *, source: str) -> Timeline:
    """The table of a join by its key, its values as requests have them.

    `DataError` names a column that is not there, or holds nothing to join by.
    """
    join = problem.joins[name]
    wanted: dict[str, tuple[str, ...]] = {join.key: (join.key,), join.at: (join.at,)}
    wanted |= {field: (field, *problem.columns[field].aliases) for field in join.fields}
    found = {each: _find_column(raw, names) for each, names in wanted.items()}
    missing = [each for each, series in found.items() if series is None]
    if missing:
        message = f"{source}: no column {', '.join(map(repr, missing))}; wanted it for the join"
        raise DataError(f"{message} {name!r}")
    there = {each: series for each, series in found.items() if series is not None}
    keys, seconds = _spell_keys(there[join.key]), _seconds(there[join.at], _dates(join))
    columns = {field: _values(there[field], problem, field, source=source) for field in join.fields}
    timeline = build_timeline(keys, seconds, columns)
    if not timeline.keys:
        message = f"{source}: got no row with both {join.key!r} and a date in {join.at!r}, wanted"
        raise DataError(f"{message} some for the join {name!r}")
    return timeline


def join_rows(
    raw: pd.DataFrame, problem: Problem, timelines: Mapping[str, Timeline], *, source: str
) -> tuple[pd.DataFrame, dict[str, Counter[str]]]:
    """The rows with what the joins fill in, and of each how many rows found what.

    What rows bring themselves stays, or is a `DataError` where the join refuses it.
    """
    joined, told = raw.reset_index(drop=True), {}
    for name, join in problem.joins.items():
        places = {field: _place(joined, problem, field) for field in join.fields}
        own = {f: None if at is None else joined.iloc[:, at] for f, at in places.items()}
        there = [field for field, series in own.items() if series is not None]
        if there and join.given == "refuse":
            message = f"{source}: column {there[0]!r} is filled in by the join {name!r}"
            raise DataError(f"{message}; wanted it left out")
        has_key = _find_column(joined, (join.key,)) is not None
        if len(there) == len(own) and (not has_key or _are_whole(own.values())):
            continue  # rows that are whole already, such as those of a log
        rows = _find_rows(joined, problem, name, timelines[name], source=source)
        told[name] = Counter({NONE: "none", TOO_OLD: "too old"}.get(row, "found") for row in rows)
        filled = {
            field: _fill(rows, timelines[name].columns[field], series)
            for field, series in own.items()
        }
        aside = [i not in places.values() for i in range(joined.shape[1])]
        kept = joined.iloc[:, np.flatnonzero(aside)]
        joined = pd.concat([kept, pd.DataFrame(filled)], axis="columns")
    return joined, told


def _find_rows(
    raw: pd.DataFrame, problem: Problem, name: str, timeline: Timeline, *, source: str
) -> list[int]:
    """The row of a timeline that counts for each row."""
    join = problem.joins[name]
    column = problem.columns.get(join.as_of)
    keys = _insist_on_column(raw, (join.key,), join, name, source=source)
    aliases = () if column is None else column.aliases
    dates = _insist_on_column(raw, (join.as_of, *aliases), join, name, source=source)
    moments = _seconds(dates, _dates(join) if column is None else column)
    return [
        timeline.find(key, second, join.max_age_seconds)
        for key, second in zip(_spell_keys(keys), moments, strict=True)
    ]


def _insist_on_column(
    raw: pd.DataFrame, names: tuple[str, ...], join: Join, name: str, *, source: str
) -> pd.Series:
    found = _find_column(raw, names)
    if found is None:
        message = f"{source}: no column {names[0]!r}; wanted it for the join {name!r}, which"
        raise DataError(f"{message} fills in {', '.join(map(repr, join.fields))}")
    return found


def _find_column(raw: pd.DataFrame, names: tuple[str, ...]) -> pd.Series | None:
    place = _find_place(raw, names)
    return None if place is None else raw.iloc[:, place]


def _place(raw: pd.DataFrame, problem: Problem, field: str) -> int | None:
    return _find_place(raw, (field, *problem.columns[field].aliases))


def _find_place(raw: pd.DataFrame, names: tuple[str, ...]) -> int | None:
    """The first column with one of these names; what is given twice is cleaning's to refuse."""
    written = [tidy(str(name)) for name in raw.columns]
    return next((i for i, name in enumerate(written) if name in names), None)


def _dates(join: Join) -> Column:
    return Column(kind="date", format=join.format)


def _seconds(series: pd.Series, column: Column) -> list[int | None]:
    """Whole seconds since 1970, None where there is no date."""
    days = read_days(series, column).tolist()
    return [None if math.isnan(day) else round(day * DAY_SECONDS) for day in days]


def _spell_keys(series: pd.Series) -> list[str | None]:
    known: dict[Any, str | None] = {}
    spelt = []
    for cell in cells_of(series):
        if not isinstance(cell, str):
            spelt.append(spell_key(cell))
            continue
        if cell not in known:
            known[cell] = spell_key(cell)
        spelt.append(known[cell])
    return spelt


def _values(series: pd.Series, problem: Problem, field: str, *, source: str) -> Values:
    """A field's values as requests have them; what it cannot have stays what it cannot have."""
    spec = problem.columns[field]
    alone = problem.model_copy(update={"columns": {field: spec}, "ignored": ()})
    raw = pd.DataFrame({field: series.to_numpy()})
    cleaned = clean(raw, alone, source=source, with_target=False, is_part=True)
    if spec.kind in {"number", "integer"}:
        numbers = cleaned.table[field].to_numpy(dtype=np.float64, copy=True)
        numbers[list(cleaned.faults)] = np.inf
        return Values(numbers, is_whole=spec.kind == "integer")
    return _text_values(cleaned, field, is_date=spec.kind == "date")


def _text_values(cleaned: CleanTable, field: str, *, is_date: bool) -> Values:
    codes, values = pd.factorize(cleaned.table[field])
    numbers = np.where(codes < 0, np.nan, codes.astype(np.float64))
    texts = [spell_date(day) for day in values.tolist()] if is_date else list(map(str, values))
    numbers[list(cleaned.faults)] = len(texts)
    return Values(numbers, tuple([*texts, NO_DATE] if is_date else texts))


def _fill(rows: list[int], values: Values, own: pd.Series | None) -> pd.Series:
    """A column's cells: a row's own where it has one, else what the join found."""
    found: list[Any] = [values.get(row) if row >= 0 else None for row in rows]
    if own is not None:
        found = [
            other if is_missing(cell) else cell
            for cell, other in zip(cells_of(own), found, strict=True)
        ]
    elif values.texts is None:
        return pd.Series(found, dtype="float64")
    return pd.Series(found, dtype="object")


def _are_whole(columns: Iterable[pd.Series | None]) -> bool:
    return not any(series is None or any(map(is_missing, cells_of(series))) for series in columns)
