"""The signs in a text table's numbers: told by its columns, respelt as the point and no other."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from driftline.spelling import MINUSES, plain_minus

_EXPONENT = r"(?:[eE][+-]?\d+)?"
_GAPS = "'\u2019 \u00a0\u2009\u202f"  # thousands of Swiss and of printed numbers
_COMMA = re.compile(rf"[+{MINUSES}-]?(?:\d{{1,3}}(?:[.{_GAPS}]\d{{3}})+|\d+)(?:,\d+)?{_EXPONENT}")
_POINT = re.compile(rf"[+{MINUSES}-]?(?:\d{{1,3}}(?:[,{_GAPS}]\d{{3}})+|\d*)(?:\.\d*)?{_EXPONENT}")
_EITHER = re.compile(
    rf"[+{MINUSES}-]?[1-9]\d{{0,2}}[.,]\d{{3}}"
)  # 1,234: a thousand or a little more than one
_GROUPED = re.compile(rf"\d([.,{_GAPS}])\d{{3}}(?:\D|$)")
_SIGN = re.compile(rf"[.,{_GAPS}]")


def is_number(cell: str) -> bool:
    """Whether a cell is a number, whatever its signs mean."""
    return bool(_COMMA.fullmatch(cell) or (cell.strip(".") and _POINT.fullmatch(cell)))


def tell_signs(
    columns: Mapping[int, Sequence[str]], separator: str, decimal: str | None = None
) -> tuple[str, str, list[int]]:
    """The decimal sign, unless it is known, that of thousands, and the places of marked numbers.

    A column such as 1.234 or 1,234, which may mean either, goes by the columns that leave no doubt.
    """
    votes: Counter[str] = Counter()
    doubtful: Counter[str] = Counter()
    marked = [place for place, cells in columns.items() if _find_marked(cells)]
    for place in marked:
        cells = _find_marked(columns[place])
        is_doubtful = all(_EITHER.fullmatch(cell) for cell in cells)
        (doubtful if is_doubtful else votes)[_tell_sign(cells, separator)] += 1
    votes = votes or doubtful
    decimal = decimal or ("," if votes[","] > votes["."] else ".")
    found = (sign for place in marked for cell in columns[place] for sign in _GROUPED.findall(cell))
    grouped = Counter(sign for sign in found if sign != decimal)
    return decimal, grouped.most_common(1)[0][0] if grouped else "", marked


def _find_marked(cells: Sequence[str]) -> list[str]:
    """The numbers of a column that have a sign in them; none where most of it are no numbers."""
    marked = [cell for cell in cells if _SIGN.search(cell) and is_number(cell)]
    is_of_numbers = len(marked) >= len(cells) / 2 or all(map(is_number, cells))
    return marked if is_of_numbers else []


def _tell_sign(marked: Sequence[str], separator: str) -> str:
    """`,` or `.`: the decimal sign with which these numbers are written."""
    if all(_EITHER.fullmatch(cell) for cell in marked):
        if separator == "," or all("." in cell for cell in marked):
            return "."
        return ","
    comma = sum(_COMMA.fullmatch(cell) is not None for cell in marked)
    point = sum(_POINT.fullmatch(cell) is not None for cell in marked)
    return "," if comma > point else "."


def written_exactly(decimal: str, thousands: str) -> re.Pattern[str]:
    """The numbers that are written with these two signs and no other."""
    groups = rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|" if thousands else ""
    return re.compile(rf"[+-]?(?:{groups}\d*)(?:{re.escape(decimal)}\d*)?{_EXPONENT}")


def respell(
    table: pd.DataFrame, places: Iterable[int], *, decimal: str, thousands: str
) -> pd.DataFrame:
    """Numbers with the point as their decimal sign and no other; what is no number stays."""
    if decimal == "." and not thousands:
        return table
    pattern = _COMMA if decimal == "," else _POINT
    made = table.copy()
    for place in places:
        if place < made.shape[1]:
            cells = [_respell(one, pattern, decimal, thousands) for one in table.iloc[:, place]]
            made.isetitem(place, np.array(cells, dtype=object))
    return made


def _respell(cell: Any, pattern: re.Pattern[str], decimal: str, thousands: str) -> Any:
    text = cell.strip() if isinstance(cell, str) else ""
    if not text or not pattern.fullmatch(text):
        return cell
    if thousands:
        text = text.replace(thousands, "")
    return plain_minus(text.replace(decimal, "."))
