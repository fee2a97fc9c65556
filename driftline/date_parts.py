"""Which numbers a model sees of a date: parts of the calendar, or an age as of another date.

Every part follows from the record and the problem file alone, never from today, so that a training
and an answer years later agree. Needs the standard library only, since serving encodes with it.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal

from driftline.dates import DAY_SECONDS, count_moment, moment_of

Part = Literal["days", "year", "month", "weekday", "day_of_year", "hour", "age"]

YEAR_DAYS: Final = 365.2425  # of the Gregorian calendar on average


def part_days(days: float, parts: Sequence[Part], as_of: float | None) -> list[float]:
    """The parts of a date as numbers, nan where it is missing, and of an age without its day.

    `days` and `as_of` count since 1970-01-01. A weekday is 1 on Mondays, as ISO 8601 has it; an
    hour has its minutes as a fraction; an age is in years, below 0 of what comes later.
    """
    if math.isnan(days):
        return [math.nan] * len(parts)
    moment = moment_of(days)
    found: dict[Part, float] = {
        "days": days,
        "year": moment.year,
        "month": moment.month,
        "weekday": moment.isoweekday(),
        "day_of_year": moment.timetuple().tm_yday,
        "hour": (days - math.floor(days)) * 24,
        "age": math.nan if as_of is None else (as_of - days) / YEAR_DAYS,
    }
    return [float(found[part]) for part in parts]


def recover_days(
    elements: Sequence[float], parts: Sequence[Part], as_of: float | None
) -> float | None:
    """A day that has these parts, to the second; None where they do not tell it."""
    found = dict(zip(parts, map(float, elements), strict=True))
    if any(math.isnan(value) for value in found.values()):
        return None
    if "days" in found:
        return found["days"]
    if "age" in found and as_of is not None:
        return round((as_of - found["age"] * YEAR_DAYS) * DAY_SECONDS) / DAY_SECONDS
    if "year" not in found:
        return None
    hour = found.get("hour", 0.0) / 24
    if "day_of_year" in found:
        return _first_of(found["year"], 1) + int(found["day_of_year"]) - 1 + hour
    return _first_of(found["year"], found["month"]) + hour if "month" in found else None


def _first_of(year: float, month: float) -> float:
    return count_moment(int(year), int(month), 1)
