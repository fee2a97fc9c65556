"""The fields of a record: which values each takes, as which numbers, and what is wrong with others.

Needs numpy and the standard library only, as serving does.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from driftline.date_parts import Part, part_days
from driftline.dates import read_iso, spell_date, spell_end
from driftline.spelling import MISSING, declare_categories, is_marker, part_codes, spell, tidy

FLOAT32_MAX = float(np.finfo(np.float32).max)

ISO_WANTED = "must be an ISO date in quotes, such as 2024-12-31 or 2024-12-31T14:30"

_A_DAY = 10_000.0  # of which no range says anything: 1997-05-19

_NAME = re.compile(r"[A-Za-z][A-Za-z_ .&-]{0,63}")

_SPELT = frozenset({str, int, float, bool})  # what JSON has and a category may be spelt as

Encoder = Callable[[Any], float]
FaultKind = Literal[
    "missing",
    "out_of_range",
    "not_a_number",
    "not_whole",
    "not_a_category",
    "not_a_date",
    "undefined",  # a computed feature whose problem refuses that
    "unknown_field",  # a name that the contract does not know
    "malformed",  # no record at all, or values in another number
]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field of a record: in words for its sender, as a kind for counting."""

    field: str
    problem: str
    kind: FaultKind

    @property
    def column(self) -> str:
        """The contract's field that is at fault, or "": a sender's own names are never kept."""
        return "" if self.kind in {"unknown_field", "malformed"} else self.field


class InvalidRecordError(ValueError):
    """A record breaks the contract: `faults` names each field and its problem, never its value."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults, in contract order."""
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in self.fields))

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Each field at fault and its problem."""
        return tuple((fault.field, fault.problem) for fault in self.faults)


class InvalidValueError(ValueError):
    """A value that its field does not take."""

    def __init__(self, kind: FaultKind, problem: str) -> None:
        """Keep the kind beside the words."""
        super().__init__(problem)
        self.kind: FaultKind = kind


@dataclass(frozen=True)
class FieldSpec:
    """One field of a record."""

    name: str
    kind: str
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()  # another spelling, and the category it means
    ordered: bool = False
    unseen: str | None = None  # the category that values count as which are none
    allow_missing: bool = False
    missing_codes: tuple[str, ...] = ()
    unit: str | None = None
    description: str | None = None
    parts: tuple[Part, ...] = ()  # of a date that is seen as other numbers than its days
    as_of: str | float | None = None  # for an age: another field of dates, or the days of one

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the vector's elements that this field fills."""
        if self.kind == "category" and not self.ordered:
            return tuple(f"{self.name}={category}" for category in self.categories)
        if self.parts:
            return tuple(f"{self.name}.{part}" for part in self.parts)
        return (self.name,)

    @cached_property
    def encode(self) -> Encoder:
        """Value to number: itself, a category's index, or nan where missing; else an error."""
        if self.kind == "date":
            return _date_encoder(self)
        return _category_encoder(self) if self.kind == "category" else _number_encoder(self)

    @property
    def fixed_day(self) -> float | None:
        """The days of the date that ages count to, where it is no other field's."""
        return self.as_of if isinstance(self.as_of, int | float) else None

    def part(self, days: float, as_of: float | None = None) -> list[float]:
        """The elements of a date with parts; `as_of` is the other field's, where it names one."""
        return part_days(days, self.parts, as_of if self.fixed_day is None else self.fixed_day)

    @property
    def middle(self) -> float | str:
        """A value that the field takes: the middle of its range, or its first category."""
        if self.kind == "category":
            return self.categories[0]
        middle = None if self.low is None or self.high is None else (self.low + self.high) / 2
        if self.kind == "date":
            return spell_date(float(int(_A_DAY if middle is None else middle)))
        if middle is None:
            return 0
        return int(middle) if self.kind == "integer" else middle

    @property
    def codes(self) -> tuple[float | str, ...]:
        """The missing codes as a record gives them: numbers where they are some."""
        if self.kind in {"category", "date"}:
            return self.missing_codes
        numbers, words = part_codes(self.missing_codes)
        return (*sorted(numbers), *sorted(words))


def _missing(spec: FieldSpec) -> float:
    if spec.allow_missing:
        return math.nan
    raise InvalidValueError("missing", "is required")


def _number_encoder(spec: FieldSpec) -> Encoder:
    low = -FLOAT32_MAX if spec.low is None else spec.low
    high = FLOAT32_MAX if spec.high is None else spec.high
    codes, words = part_codes(spec.missing_codes)
    is_integer = spec.kind == "integer"

    def encode(value: Any) -> float:
        if value is None:
            return _missing(spec)
        if type(value) is not float and type(value) is not int:
            if type(value) is str and words and tidy(value) in words:
                return _missing(spec)
            raise InvalidValueError("not_a_number", "must be a number")
        if value != value:  # noqa: PLR0124 - nan is missing in a table and never valid JSON
            return _missing(spec)
        if value in codes:
            return _missing(spec)
        if not low <= value <= high:
            raise InvalidValueError("out_of_range", _range_text(spec))
        if is_integer and value != int(value):
            raise InvalidValueError("not_whole", "must be a whole number")
        return float(value)

    return encode


def _range_text(spec: FieldSpec) -> str:
    if spec.low is None or spec.high is None:
        return "must be a finite number"
    if spec.kind == "date":
        return f"must be between {spell_date(spec.low)} and {spell_end(spec.high)}"
    return f"must be between {spec.low:g} and {spec.high:g}"


def _date_encoder(spec: FieldSpec) -> Encoder:
    low = -FLOAT32_MAX if spec.low is None else spec.low
    high = FLOAT32_MAX if spec.high is None else spec.high
    codes = frozenset(spec.missing_codes)

    def encode(value: Any) -> float:
        if value is None or (type(value) is float and math.isnan(value)):
            return _missing(spec)
        days = read_iso(value) if type(value) is str else None
        if codes and type(value) is str:
            text = tidy(value) if days is None else spell_date(days)
            if text in codes:
                return _missing(spec)
        if days is None:
            raise InvalidValueError("not_a_date", ISO_WANTED)
        if not low <= days <= high:
            raise InvalidValueError("out_of_range", _range_text(spec))
        return days

    return encode


def _category_encoder(spec: FieldSpec) -> Encoder:
    index = {category: float(i) for i, category in enumerate(spec.categories)}
    others: dict[str, list[str]] = {}
    for alias, category in spec.aliases:
        others.setdefault(category, []).append(alias)
    find = declare_categories(spec.categories, others, spec.missing_codes).find

    def encode(value: Any) -> float:
        if value is None or (type(value) is float and math.isnan(value)):
            return _missing(spec)
        if type(value) not in _SPELT:
            raise InvalidValueError("not_a_category", "must be one of its categories")
        meaning = find(value)
        if meaning is None and spec.unseen is not None:
            meaning = MISSING if is_marker(spell(value)) else spec.unseen
        if meaning is None:
            wanted = f"must be one of: {', '.join(spec.categories)}"
            raise InvalidValueError("not_a_category", wanted)
        return _missing(spec) if meaning == MISSING else index[meaning]

    return encode


def safe_name(name: str) -> str:
    """A sender's own field name, shown only where it reads like a name and not like data."""
    return name if _NAME.fullmatch(name) else "(unprintable name)"
