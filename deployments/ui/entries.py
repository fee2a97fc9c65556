"""The entries of the form, made from the fields that the service tells of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from driftline.fields import FieldSpec

_MARKDOWN = re.compile(r"([\\`*\[\]$~])")


@dataclass(frozen=True)
class Entry:
    """One entry: how it is called, what it begins with, and within which bounds."""

    name: str
    kind: str
    label: str
    start: Any  # None where it begins empty
    low: float | int | None
    high: float | int | None
    step: float | int
    options: tuple[str, ...]
    may_be_empty: bool


def make_entry(field: FieldSpec, typical: Any) -> Entry:
    """An entry begins with what is typical; empty, for unknown, where a value may be missing."""
    convert = int if field.kind == "integer" else float
    is_number = field.kind in {"number", "integer"}
    bounds = [
        None if end is None or not is_number else convert(end) for end in (field.low, field.high)
    ]
    start = None if field.allow_missing else typical
    return Entry(
        name=field.name,
        kind=field.kind,
        label=label_of(field),
        start=convert(start) if is_number and start is not None else start,
        low=bounds[0],
        high=bounds[1],
        step=1 if field.kind == "integer" else _step(field),
        options=field.categories,
        may_be_empty=field.allow_missing,
    )


def label_of(field: FieldSpec) -> str:
    """Name, range, unit and meaning in one line that a screen reader reads whole."""
    text = field.name
    if field.kind == "date":
        text += ", as 2024-12-31"
    elif field.low is not None and field.high is not None:
        text += f", {field.low:g} to {field.high:g}"
    text += f" {field.unit}" if field.unit else ""
    text += f": {field.description}" if field.description else ""
    text += " (may be empty)" if field.allow_missing else ""
    return _MARKDOWN.sub(r"\\\1", text)


def _step(field: FieldSpec) -> float:
    """A hundredth of the range, as a power of ten."""
    if field.low is None or field.high is None:
        return 1.0
    return float(10.0 ** (len(str(int(field.high - field.low))) - 3))


def as_record(entries: Sequence[Entry], values: Sequence[Any]) -> dict[str, Any]:
    """The record of a filled form; what was left empty is missing."""
    return {
        entry.name: None if value is None or value == "" else value
        for entry, value in zip(entries, values, strict=True)
    }
