"""What a model may see of the dates of a table that nobody has described: an age, or its parts.

Rests on the guesses of columns and on the cells; what it proposes stands in the problem file.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from driftline.cells import cells_of
from driftline.columns import NO_DATE, Column
from driftline.date_parts import YEAR_DAYS, Part, part_days
from driftline.dated import MOSTLY
from driftline.dates import Order
from driftline.inference import Guess
from driftline.spelling import tidy

OLDEST: Final = 120  # years
YOUNGEST: Final = 1.0  # the span of ages below which it is no birth beside the date of an event

_BIRTH: Final = re.compile(
    r"birth|(^|[_\s.-])(dob|born|geb|bday)([_\s.-]|$)|geboren|geburt|naissance", re.IGNORECASE
)


def propose_parts(columns: Sequence[Guess], rows: pd.DataFrame) -> list[Guess]:
    """The guesses, dates among them with an age or the parts of the calendar that vary."""
    places = {tidy(str(name)): place for place, name in enumerate(rows.columns)}
    days = {
        guess.name: _days_of(guess, cells_of(rows.iloc[:, places[guess.name]]))
        for guess in columns
        if guess.kind == "date" and guess.role == "input"
    }
    births = [name for name in days if _BIRTH.search(name)]
    events = [name for name in days if name not in births]
    return [
        _with_age(guess, days, events)
        if guess.name in births
        else _with_parts(guess, days[guess.name])
        if guess.name in days
        else guess
        for guess in columns
    ]


def _days_of(guess: Guess, cells: Sequence[Any]) -> np.ndarray:
    order = cast("Order | None", guess.keys.get("format"))
    column = Column(kind="date", format=order, missing_codes=guess.keys.get("missing_codes", ()))
    read = [None if cell is None else column.read_day(cell) for cell in cells]
    return np.array([np.nan if day in {None, NO_DATE} else day for day in read], dtype=np.float64)


def _with_age(guess: Guess, days: dict[str, np.ndarray], events: Sequence[str]) -> Guess:
    """A date of birth as the age at the first event that has one in nearly every row."""
    for event in events:
        ages = (days[event] - days[guess.name]) / YEAR_DAYS
        known = ages[np.isfinite(ages)]
        both = np.isfinite(days[guess.name]) & np.isfinite(days[event])
        if both.sum() < MOSTLY * np.isfinite(days[guess.name]).sum():
            continue
        is_age = (known >= 0) & (known <= OLDEST)
        if is_age.mean() >= MOSTLY and np.ptp(known[is_age]) >= YOUNGEST:
            low, high = known[is_age].min(), known[is_age].max()
            told = f"a birth, from {low:.0f} to {high:.0f} years before {event}, as an age"
            keys = {**guess.keys, "parts": ["age"], "as_of": event}
            return replace(guess, keys=keys, evidence=f"{guess.evidence}; {told}")
    told = "a birth without the date of an event to count an age to (as_of), so one number of days"
    return replace(guess, evidence=f"{guess.evidence}; {told}")


def _with_parts(guess: Guess, days: np.ndarray) -> Guess:
    parts = find_parts(days[np.isfinite(days)])
    if parts == ["days"]:
        return guess
    told = f"{', '.join(parts)} vary (without parts it is one number of days)"
    return replace(guess, keys={**guess.keys, "parts": parts}, evidence=f"{guess.evidence}; {told}")


def find_parts(days: np.ndarray) -> list[Part]:
    """The parts that vary over these days, none of which is missing.

    Within a year a month tells no more than the days do; from two years on the calendar takes
    their place.
    """
    names: list[Part] = ["year", "month", "weekday", "hour"]
    seen = [part_days(float(day), names, None) for day in np.unique(days)]
    several = (len(set(column)) > 1 for column in zip(*seen, strict=True))
    varied = dict(zip(names, several, strict=True))
    is_long = float(np.ptp(days)) >= 2 * YEAR_DAYS
    calendar: list[Part] = ["year", "month"] if is_long else ["days"]
    kept = [part for part in calendar if varied.get(part, True)]
    clock: list[Part] = ["weekday", "hour"]
    return kept + [part for part in clock if varied[part]]
