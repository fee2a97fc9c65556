"""Typical values of the training rows: what a form starts with, and what a record is compared with.

Each is a median or the most frequent category, so that it tells of no one person.
"""

import math

import numpy as np
from numpy.typing import NDArray

from driftline.contract import Contract
from driftline.date_parts import recover_days
from driftline.dates import spell_date
from driftline.fields import FieldSpec, InvalidValueError

Typical = tuple[tuple[str, float | str], ...]


def find_typical(X: NDArray[np.float32], contract: Contract) -> Typical:  # noqa: N803
    """Per field the median, or the most frequent category, of encoded rows (rows, features).

    A field of which no row has a value is left out, and one whose median lies on a missing code.
    """
    found, start = [], 0
    for field in contract.fields:
        stop = start + len(field.feature_names)
        value = _typical_of(field, X[:, start:stop])
        if value is not None and _is_value(field, value):
            found.append((field.name, value))
        start = stop
    return tuple(found)


def _typical_of(field: FieldSpec, part: NDArray[np.float32]) -> float | str | None:
    if field.parts:
        return _typical_date(field, part)
    if part.shape[1] > 1 or (field.kind == "category" and not field.ordered):
        counts = np.nansum(part, axis=0)
        return field.categories[int(np.argmax(counts))] if counts.any() else None
    known = part[:, 0][np.isfinite(part[:, 0])]
    if not len(known):
        return None
    if field.kind == "category":
        return field.categories[int(np.argmax(np.bincount(known.astype(np.int64))))]
    return _within(field, np.float32(np.median(known)))


def _typical_date(field: FieldSpec, part: NDArray[np.float32]) -> str | None:
    """The day with the medians of its parts; None where they do not tell one."""
    known = part[np.isfinite(part).all(axis=1)]
    if not len(known):
        return None
    days = recover_days(np.median(known, axis=0).tolist(), field.parts, field.fixed_day)
    return None if days is None else str(_within(field, np.float32(days)))


def _is_value(field: FieldSpec, value: float | str) -> bool:
    try:
        return math.isfinite(field.encode(value))
    except InvalidValueError:
        return False


def _within(field: FieldSpec, middle: np.float32) -> float | str:
    """A number as a record has it: the shortest that is the same float32, and in its range."""
    if field.kind == "date":
        day = float(np.floor(middle))
        return spell_date(day if field.low is None else max(day, field.low))
    number = float(str(middle))
    if field.low is not None and field.high is not None:
        number = min(max(number, field.low), field.high)
    return int(number) if field.kind == "integer" else number
