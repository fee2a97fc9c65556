"""Whether a column holds dates, in which order they are written, and which dates it may hold."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from driftline.dates import ORDERS, Order, read_date, spell_date

TRIED = 200  # texts of which one has to be a date before all are read
MOSTLY = 0.98  # of the cells that a kind has to fit; the others are set aside row by row
FIRST_DAY, LAST_DAY = -25_567.0, 47_482.0  # 1900 to 2100: what 8 digits may mean
MOST_DAYS = (-719_162.0, 2_932_896.0)  # of the years 1 to 9999
FIVE_YEARS = 1826.0
LEAST_OF_A_CODE = 3  # cells that hold a date which stands for none
ROOM = 0.5  # before the first date, as a share of their span

_STANDS_FOR_NONE = frozenset(
    day
    for text in (
        *("0001-01-01", "1600-01-01", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31"),
        *("1900-01-01", "1970-01-01", "2099-12-31", "2999-12-31", "9999-01-01", "9999-12-31"),
    )
    if (day := read_date(text)) is not None
)
_NO_DATE = re.compile(r"0{2,4}([./-])00?\1(0000|00?)( 00:00(:00)?)?")
_DIGITS = re.compile(r"\d{8}")


def describe_dates(counts: Counter[str], words: Sequence[str]) -> tuple[dict[str, Any], str] | None:
    """The keys of a column of dates, and what speaks for it; None where it is none.

    `counts` are its different texts, `words` those that stand for a missing value.
    """
    if not any(read_date(text, order) for text in islice(counts, TRIED) for order in ORDERS):
        return None
    codes = sorted([text for text in counts if _NO_DATE.fullmatch(text)] + list(words))
    total = counts.total() - sum(counts[text] for text in codes if _NO_DATE.fullmatch(text))
    days = {order: _read_days(counts, order) for order in ORDERS}
    sums = {order: sum(counts[text] for text in found) for order, found in days.items()}
    order = max(ORDERS, key=lambda each: sums[each])
    placeholders = _find_placeholders(days[order], counts)
    codes = sorted({*codes, *placeholders})
    found = sorted(day for text, day in days[order].items() if text not in placeholders)
    if not total or sums[order] < MOSTLY * total or found[0] == found[-1]:
        return None
    keys: dict[str, Any] = {"kind": "date"}
    told = f"dates from {spell_date(found[0])} to {spell_date(found[-1])}"
    if order != "iso":
        keys["format"] = order
        told += f", {order.replace('_', ' ')}"
        if sums["day_first"] == sums["month_first"]:
            told += " (or month first: no day beyond 12 tells)"
    keys["range"] = _with_room(found[0], found[-1])
    if codes:
        keys["missing_codes"] = codes
        told += f"; {', '.join(codes)} stand for a missing value"
    return keys, told


def _find_placeholders(days: Mapping[str, float], counts: Counter[str]) -> list[str]:
    """Well-known dates that stand for none: repeated, and farther off than all others are apart."""
    others = [day for day in days.values() if math.floor(day) not in _STANDS_FOR_NONE]
    if len(set(others)) < 2:  # noqa: PLR2004 - nothing to be far from
        return []
    room = max(max(others) - min(others), FIVE_YEARS)
    return [
        text
        for text, day in days.items()
        if math.floor(day) in _STANDS_FOR_NONE
        and counts[text] >= LEAST_OF_A_CODE
        and not min(others) - room <= day <= max(others) + room
    ]


def _read_days(counts: Counter[str], order: Order) -> dict[str, float]:
    """The days of the texts that are dates in that order; a number of 8 digits may be one."""
    days = {text: read_date(text, order) for text in counts}
    return {
        text: day
        for text, day in days.items()
        if day is not None and (not _DIGITS.fullmatch(text) or FIRST_DAY <= day <= LAST_DAY)
    }


def _with_room(low: float, high: float) -> list[date]:
    """From half as much again before the first to as much again after the last, or five years."""
    room = high - low
    begin = max(low - ROOM * room, MOST_DAYS[0])
    end = min(high + max(room, FIVE_YEARS), MOST_DAYS[1])
    return [date.fromisoformat(spell_date(float(int(day)))[:10]) for day in (begin, end)]
