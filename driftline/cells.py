"""A raw column's cells as Python's own values, and as the numbers that they are."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from driftline.spelling import is_marker, plain_minus, read_number, tidy


def cells_of(series: pd.Series) -> list[Any]:
    """A column's cells as Python's own values, None where one is missing.

    A float32 is the decimal number that it was written as, not its nearest float64.
    """
    if series.dtype in {np.dtype("float32"), np.dtype("float16")}:
        series = pd.Series(series.to_numpy().astype(str).astype(float))
    objects = series.astype("object")
    return list(objects.where(series.notna(), None))


def read_numbers(series: pd.Series, words: frozenset[str]) -> tuple[np.ndarray, np.ndarray]:
    """A column's numbers, nan where one is missing, and which cells are none."""
    quick = _read_plain_numbers(series)
    if quick is not None:
        return quick, np.zeros(len(quick), dtype=bool)
    read = [read_number_cell(cell, words) for cell in cells_of(series)]
    failed = np.array([number is None for number in read], dtype=bool)
    return np.array([math.nan if n is None else n for n in read], dtype=float), failed


def _read_plain_numbers(series: pd.Series) -> np.ndarray | None:
    """The same at once where every cell is a number, or text of plain digits; None elsewhere."""
    if series.dtype in {np.dtype("float32"), np.dtype("float16")}:
        return series.to_numpy().astype(str).astype(float)
    if pd.api.types.is_numeric_dtype(series):
        return np.array(series.to_numpy(dtype=float, na_value=math.nan))
    if pd.api.types.infer_dtype(series) in {"integer", "floating", "mixed-integer-float"}:
        try:
            return np.array(series.to_numpy(dtype=float, na_value=math.nan))
        except OverflowError:
            return None
    return _read_plain_text(series.to_numpy(dtype=object))


def _read_plain_text(cells: np.ndarray) -> np.ndarray | None:
    """Text of plain digits at once, nan where a cell is empty; None where there is any other."""
    try:
        there = np.asarray(cells != "", dtype=bool)  # a list cannot be compared so
        text = "".join(cells[there])
        found = cells[there].astype(float)
    except (TypeError, ValueError, OverflowError):
        return None
    if not text.isascii() or "_" in text or not np.isfinite(found).all():
        return None
    values = np.full(len(cells), math.nan)
    values[there] = found
    return values


def read_number_cell(cell: Any, words: frozenset[str]) -> float | None:
    """The number that a cell is, nan where it is missing, None where it is none."""
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        number = read_number(cell)
        if number is None:
            text = tidy(cell)
            plain = plain_minus(text)
            is_missing = text in words or plain in words or is_marker(text)
            number = math.nan if is_missing else read_number(plain)
        return number
    if not isinstance(cell, int | float | Decimal):
        return None
    try:
        return float(cell)
    except OverflowError:
        return math.inf
