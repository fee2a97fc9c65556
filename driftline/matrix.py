"""Cleaned tables to float32 matrices, a column at a time.

The answer is always that of `Contract.encode_table`: what a column holds beyond plain values is
left to it, so that `Contract.encode` alone decides what is wrong with a record and how it is said.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.contract import Contract
from driftline.dates import spell_date
from driftline.fields import FLOAT32_MAX, FieldSpec, InvalidValueError
from driftline.spelling import part_codes

Floats = NDArray[np.float64]
LEAST_ROWS = 50  # below which records are as fast


def as_sent(table: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Cleaned rows with their dates as requests have them: ISO text, None where one is missing."""
    dates = [field.name for field in contract.fields if field.kind == "date"]
    texts = {
        name: pd.Series(_each(table[name], spell_date), index=table.index, dtype="object")
        for name in dates
    }
    return table.assign(**texts) if texts else table


def encode_cleaned(table: pd.DataFrame, contract: Contract) -> NDArray[np.float32]:
    """Cleaned rows as a float32 matrix (rows, features); dates are days, as cleaning leaves them.

    Raises `InvalidRecordError` for the first row that breaks the contract.
    """
    quick = _encode_quickly(table, contract) if len(table) >= LEAST_ROWS else None
    if quick is not None:
        return quick
    names = [field.name for field in contract.fields]
    records = as_sent(table[names], contract).to_dict(orient="records")
    return contract.encode_table(records)  # type: ignore[arg-type] # names are strings


def _encode_quickly(table: pd.DataFrame, contract: Contract) -> NDArray[np.float32] | None:
    """The matrix, or None where some value has to be looked at by itself."""
    width = sum(len(field.feature_names) for field in contract.fields)
    # features are computed of the exact numbers; without any, what is kept is all that is made
    dtype = np.float64 if contract.features else np.float32
    matrix: NDArray[Any] = np.zeros((len(table), width), dtype=dtype)
    days: dict[str, Floats] = {}
    start = 0
    for field in contract.fields:
        values = _numbers_of(table[field.name], field)
        if values is None:
            return None
        width = len(field.feature_names)
        if field.kind == "category" and not field.ordered:
            there = np.flatnonzero(~np.isnan(values))
            matrix[there, start + values[there].astype(np.intp)] = 1.0
        else:
            with np.errstate(over="ignore"):
                matrix[:, start] = values
        if field.kind == "date":
            days[field.name] = values
        start += width
    computed = contract.computed.append(matrix) if contract.features else matrix
    if computed is None:
        return None
    _part_dates(computed, days, contract)
    with np.errstate(over="ignore"):
        return computed.astype(np.float32, copy=False)


def _numbers_of(column: pd.Series, field: FieldSpec) -> Floats | None:
    """The numbers that `field.encode` makes of a column, nan where a value is missing."""
    if field.kind in {"number", "integer"}:
        return _plain_numbers(column, field)
    if field.kind == "date":
        if column.dtype != np.float64:
            return None
        return _encode_each(column, lambda days: field.encode(spell_date(days)), field)
    if pd.api.types.infer_dtype(column) not in {"string", "empty"}:
        return None
    return _encode_each(column, field.encode, field)


def _plain_numbers(column: pd.Series, field: FieldSpec) -> Floats | None:
    if column.dtype != np.float64:
        return None
    values = column.to_numpy(copy=True)
    codes, _ = part_codes(field.missing_codes)
    if codes:
        values[np.isin(values, list(codes))] = math.nan
    low = -FLOAT32_MAX if field.low is None else field.low
    high = FLOAT32_MAX if field.high is None else field.high
    missing = np.isnan(values)
    fits = missing | ((values >= low) & (values <= high))
    if field.kind == "integer":
        fits &= missing | (values == np.floor(values))
    if not fits.all() or (missing.any() and not field.allow_missing):
        return None
    return values


def _encode_each(
    column: pd.Series, encode: Callable[[Any], float], field: FieldSpec
) -> Floats | None:
    try:
        numbers = _each(column, encode, missing=math.nan)
    except InvalidValueError:
        return None
    if column.isna().any() and not field.allow_missing:
        return None
    return numbers.astype(np.float64)


def _each(column: pd.Series, read: Callable[[Any], Any], *, missing: Any = None) -> NDArray[Any]:
    """What is read of each cell; one that comes again is read once."""
    codes, values = pd.factorize(column)
    meanings = np.empty(len(values) + 1, dtype=object)
    meanings[:-1] = [read(value) for value in values.tolist()]
    meanings[-1] = missing  # a missing cell's code is -1
    return meanings[codes]


def _part_dates(matrix: NDArray[Any], days: dict[str, Floats], contract: Contract) -> None:
    """Put the parts of dates in place of their days; each pair of a day and its end once."""
    start = 0
    for field in contract.fields:
        width = len(field.feature_names)
        if field.parts:
            own = days[field.name].tolist()
            as_of = (
                days[field.as_of].tolist() if isinstance(field.as_of, str) else [None] * len(own)
            )
            known: dict[Any, list[float]] = {}
            for row, pair in enumerate(zip(own, as_of, strict=True)):
                if pair not in known:
                    known[pair] = field.part(*pair)
                matrix[row, start : start + width] = known[pair]
        start += width
