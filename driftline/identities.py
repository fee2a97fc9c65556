"""Columns that name rows, or what several rows belong to, told by their names and cells."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from driftline.levels import MOST_CATEGORIES
from driftline.spelling import read_number

MOST_UNIQUE: Final = 0.95
LEAST_ROWS_OF_AN_ID: Final = 20

_ID = re.compile(
    r"(^|[_\s.-])(id|ids|uuid|guid|key|mrn|ssn|index|row|record|serial|nr|number|nbr|no)$|id$|^unnamed"
    r"|^(row|case)[_\s.-]?(names?|id|nr|no|numbers?)$",
    re.IGNORECASE,
)
_SURELY_ID = re.compile(r"(^|[_\s.-])(id|ids|uuid|guid|mrn|ssn|nr|nbr)$", re.IGNORECASE)
_ID_IN_CAMEL_CASE = re.compile(r"[a-z](ID|Id|NR|Nr|Nbr|UUID)$")
_PERSON = re.compile(
    r"patient|person|subject|member|customer|client|user|case|individual|household", re.IGNORECASE
)


Found = tuple[Literal["id", "group"], str]


def names_person(name: str) -> bool:
    """Whether a column's name is that of a person, or of people who belong together."""
    return bool(_PERSON.search(name))


def find_identity(name: str, present: Sequence[str], counts: Counter[str]) -> Found | None:
    """Whether a column names rows (`id`) or what several rows belong to (`group`), and why."""
    unique = len(counts) / len(present)
    is_surely = bool(_SURELY_ID.search(name) or _ID_IN_CAMEL_CASE.search(name))
    is_named, is_person = is_surely or bool(_ID.search(name)), names_person(name)
    if len(present) < LEAST_ROWS_OF_AN_ID or _has_fractions(counts):
        return None
    if unique >= MOST_UNIQUE and (is_named or _is_sequence(present)):
        told = f"{unique:.0%} of its values occur once" + (", and its name says id" * is_named)
        return "id", told
    is_persons = is_person and (is_named or bool(_PERSON.fullmatch(name)))
    if (is_persons or is_surely) and unique < MOST_UNIQUE and len(counts) > MOST_CATEGORIES:
        named = "named as a person's" if is_person else "named as an id"
        return "group", f"{len(counts)} values for {len(present)} rows, {named}: several rows each"
    return None


def _has_fractions(counts: Counter[str]) -> bool:
    numbers = map(read_number, counts)  # one is enough: not all are read
    return any(number is not None and not number.is_integer() for number in numbers)


def _is_sequence(present: Sequence[str]) -> bool:
    """Whether the values count up or down by one, as a row number does."""
    numbers = [read_number(text) for text in present]
    if any(number is None for number in numbers):
        return False
    steps = np.diff(np.array(numbers, dtype=float))
    return bool(len(steps) and (np.all(steps == 1) or np.all(steps == -1)))
