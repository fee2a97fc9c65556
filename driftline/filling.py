"""Fields of a record that a service fills in itself, by the rule of the joins they come from.

Needs the standard library and numpy only, as serving does.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from driftline.dates import DAY_SECONDS, read_iso
from driftline.fields import (
    ISO_WANTED,
    Fault,
    FieldSpec,
    InvalidRecordError,
    InvalidValueError,
)
from driftline.spelling import is_marker, spell_key, tidy
from driftline.timelines import JoinSpec, Timeline

_KEYS: Final = frozenset({str, int, float})  # what JSON has and a key may be

Find = Callable[[JoinSpec], Timeline]


def fill_in(
    record: Mapping[str, Any],
    joins: tuple[JoinSpec, ...],
    fields: Mapping[str, FieldSpec],
    find: Find,
    *,
    now: float,
) -> dict[str, Any]:
    """The record with what the joins find for it, and without what they are found by.

    `find` gives the table of a join, and is asked only where something is to be filled in; `now` is
    in seconds since 1970. Raises `InvalidRecordError` naming each field that cannot be meant.
    """
    filled, faults = dict(record), list[Fault]()
    for join in joins:
        own = [name for name in join.fields if not is_missing(record.get(name))]
        if join.given == "refuse":
            faults += [Fault(n, "is filled in here; leave it out", "unknown_field") for n in own]
        try:
            key, second = _read_key(record, join), _read_moment(record, join, fields, now)
        except InvalidRecordError as error:
            faults += error.faults
            continue
        wanted = [name for name in join.fields if name not in own]
        filled |= {name: None for name in wanted if name in record}
        if wanted and key is not None and second is not None:
            table = find(join)
            row = table.find(key, second, join.max_age_seconds)
            filled |= {name: table.columns[name].get(row) if row >= 0 else None for name in wanted}
    if faults:
        raise InvalidRecordError(dict.fromkeys(faults))
    beside = {name for join in joins for name in (join.key, join.as_of) if name not in fields}
    return {name: value for name, value in filled.items() if name not in beside}


def is_missing(value: Any) -> bool:
    """Whether a cell or a field holds nothing, so that a join fills it in."""
    if isinstance(value, str):
        return is_marker(tidy(value))
    return value is None or (isinstance(value, float) and math.isnan(value))


def _read_key(record: Mapping[str, Any], join: JoinSpec) -> str | None:
    value = record.get(join.key)
    if value is None:
        return None
    if type(value) not in _KEYS:
        raise InvalidRecordError([Fault(join.key, "must be text or a number", "malformed")])
    return spell_key(value)


def _read_moment(
    record: Mapping[str, Any], join: JoinSpec, fields: Mapping[str, FieldSpec], now: float
) -> int | None:
    """Whole seconds since 1970: the field's own, the date that is sent beside, or now."""
    value, field = record.get(join.as_of), fields.get(join.as_of)
    if field is not None:
        try:
            days = field.encode(value)
        except InvalidValueError:  # which encoding the record will say
            return None
        return None if math.isnan(days) else round(days * DAY_SECONDS)
    if value is None:
        return math.floor(now)
    sent = read_iso(value) if type(value) is str else None
    if sent is None:
        raise InvalidRecordError([Fault(join.as_of, ISO_WANTED, "malformed")])
    return round(sent * DAY_SECONDS)
