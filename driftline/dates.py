"""Dates, with times or without, as numbers: days since 1970-01-01.

What names a zone is taken to UTC; what names none stays as it is. Times count to the second. Needs
the standard library only, since serving encodes with it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

Order = Literal["iso", "day_first", "month_first"]

ORDERS: Final[tuple[Order, ...]] = ("iso", "day_first", "month_first")
WANTED: Final = {
    "iso": "a date such as 2024-12-31, or 2024-12-31T14:30",
    "day_first": "a date such as 31.12.2024, or 2024-12-31",
    "month_first": "a date such as 12/31/2024, or 2024-12-31",
}
DAY_SECONDS: Final = 86_400
END_OF_DAY: Final = (DAY_SECONDS - 1) / DAY_SECONDS
MOST_CHARACTERS = 40

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PIVOT = 69  # two digits from here on mean the last century, as POSIX has it
_NOON, _DAY_HOURS, _HOUR_MINUTES = 12, 24, 60
_FARTHEST_HOURS = 14  # of any zone from UTC
_YEAR_DIGITS = 4
_TIME = r"(?:(?:T|,? )(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)? ?([AP]M)?)?"
_ZONE = r" ?(Z|UTC|[+-]\d{2}:?\d{2})?"
_ISO_TIME = r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?()(Z|[+-]\d{2}:?\d{2})?)?"
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})" + _ISO_TIME)
_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.])(\d{1,2})(?:[-/.])(\d{1,2})" + _TIME + _ZONE)
_YEAR_LAST = re.compile(
    r"(\d{1,2})(?:[-/.]|,? )(\d{1,2})(?:[-/.]|,? )(\d{4}|\d{2})" + _TIME + _ZONE
)
_MONTH_OF_YEAR = re.compile(r"(\d{1,2})(?:[-/.]|,? )(\d{4})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?()Z?)?")
_DECIMAL = re.compile(r"[+-]?\d*\.\d*")  # one point parts no date
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})[A-Z]{{0,6}}\b\.?")


def read_iso(text: str) -> float | None:
    """The days of an ISO date, or of a date and time; None where it is none."""
    match = _ISO.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    return None if match is None else _count(match.groups())


def read_date(text: str, order: Order = "iso") -> float | None:
    """The days of a date as tables hold it; one that begins with its year is read in any order.

    A month by its name and a year, as in Mar-2018, is the month's first day.
    """
    if _DECIMAL.fullmatch(text):
        return None
    upper = text.strip().upper()
    if len(upper) > MOST_CHARACTERS or not any(letter.isdigit() for letter in upper):
        return None
    match = _YEAR_FIRST.fullmatch(upper) or _COMPACT.fullmatch(upper)
    if match is not None:
        return _count(match.groups())
    named = _MONTH.sub(lambda found: str(_MONTHS.index(found[1]) + 1), upper, count=1)
    month_of_year = _MONTH_OF_YEAR.fullmatch(named) if named != upper else None
    if month_of_year is not None and order != "iso":
        return _count((month_of_year[2], month_of_year[1], "1", *[None] * 4))
    match = _YEAR_LAST.fullmatch(named)
    if match is None or (order == "iso" and named == upper):
        return None
    first, second, year, *rest = match.groups()
    is_month_first = upper[0].isalpha() if named != upper else order == "month_first"
    month, day = (first, second) if is_month_first else (second, first)
    return _count((_whole_year(year), month, day, *rest))


def _whole_year(year: str) -> str:
    if len(year) == _YEAR_DIGITS:
        return year
    return f"{'19' if int(year) >= _PIVOT else '20'}{year}"


def _count(parts: Sequence[str | None]) -> float | None:
    year, month, day, hour, minute, second, half, zone = (*parts, None)[:8]
    hours = int(hour or 0)
    if half and hours < _DAY_HOURS:
        hours = hours % _NOON + (_NOON if half == "PM" else 0)
    try:
        moment = datetime(
            int(year or 0), int(month or 0), int(day or 0), hours, int(minute or 0),
            int(second or 0), tzinfo=UTC,
        )  # fmt: skip
        return count_days(moment - _offset(zone))
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    """How far a zone is from UTC; `ValueError` where none is so far."""
    if zone is None or zone in {"Z", "UTC"}:
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if (
        minutes >= _HOUR_MINUTES
        or hours * _HOUR_MINUTES + minutes > _FARTHEST_HOURS * _HOUR_MINUTES
    ):
        raise ValueError(zone)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def count_days(moment: date) -> float:
    """Days since the epoch of a date, or of a date and time."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round((moment - _EPOCH).total_seconds()) / DAY_SECONDS


def count_moment(year: int, month: int, day: int) -> float:
    """Days since the epoch of a day of the calendar."""
    return count_days(date(year, month, day))


def moment_of(days: float) -> datetime:
    """The moment, to the second, in UTC."""
    return _EPOCH + timedelta(seconds=round(days * DAY_SECONDS))


def spell_date(days: float) -> str:
    """The ISO date, with its time where it has one."""
    return moment_of(days).replace(tzinfo=None).isoformat().removesuffix("T00:00:00")


def spell_end(days: float) -> str:
    """The end of a range, whose last day counts whole."""
    return spell_date(days).removesuffix("T23:59:59")


def read_bounds(low: object, high: object) -> tuple[float, float]:
    """The two ends of a range of dates; `ValueError` says what was wanted."""
    ends = []
    for end in (low, high):
        days = count_days(end) if isinstance(end, date) else None
        days = read_date(end) if isinstance(end, str) else days
        if days is None:
            message = f"got {end!r}, wanted {WANTED['iso']}"
            raise ValueError(message)
        ends.append(days)
    begin, last = ends
    if not begin < last:
        message = f"got [{low}, {high}], wanted the low end below the high end"
        raise ValueError(message)
    return begin, last + END_OF_DAY if last.is_integer() else last
