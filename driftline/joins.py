"""Joins as a problem file declares them, and whether they fit its columns.

Which row counts is found in `driftline.timelines`, for training and serving alike.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import Field, field_validator

from driftline.columns import Column
from driftline.dates import Order
from driftline.declared import Strict, Text
from driftline.timelines import Given, JoinSpec

UNIT_SECONDS: Final = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800,
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")  # a table's file is called so
_AGE = re.compile(rf"([0-9]+(?:\.[0-9]+)?) ?({'|'.join(UNIT_SECONDS)})s?")


class Join(Strict):
    """Columns that are filled in from another table: by a key, as it was at a moment."""

    source: str
    key: Text
    as_of: Text
    at: Text
    format: Order = "iso"
    fields: tuple[Text, ...] = Field(min_length=1)
    max_age: str | None = None
    given: Given = "wins"

    @field_validator("max_age")
    @classmethod
    def _age_is_read(cls, text: str | None) -> str | None:
        if text is not None and not _AGE.fullmatch(text):
            message = f"got {text!r}, wanted a number of {'s, '.join(UNIT_SECONDS)}s: `90 days`"
            raise ValueError(message)
        return text

    @property
    def max_age_seconds(self) -> int | None:
        """How old a row may be at the moment it is wanted for."""
        found = None if self.max_age is None else _AGE.fullmatch(self.max_age)
        return None if found is None else round(float(found[1]) * UNIT_SECONDS[found[2]])

    def to_spec(self, name: str) -> JoinSpec:
        """What serving has to know of it."""
        return JoinSpec(
            name, self.key, self.as_of, self.fields, self.max_age_seconds, given=self.given
        )


def check_joins(
    joins: Mapping[str, Join],
    *,
    columns: Mapping[str, Column],
    ignored: Iterable[str],
    **_: Any,
) -> None:
    """`ValueError` names the join that does not fit."""
    filled: dict[str, str] = {}
    for name, join in joins.items():
        if not _NAME.fullmatch(name):
            message = f"got the name {name!r}, wanted lower-case letters, digits and _"
            raise ValueError(message)
        for field in join.fields:
            if field not in columns:
                message = f"{name}.fields: got {field!r}, wanted some of the columns"
                raise ValueError(message)
            if field in filled:
                message = f"{name}.fields: {field!r} is filled in by {filled[field]} already"
                raise ValueError(f"{message}; wanted each once")
            filled[field] = name
    for name, join in joins.items():
        if join.key not in ignored:
            message = f"{name}.key: got {join.key!r}, wanted one of `ignored`: "
            raise ValueError(f"{message}no model learns from it")
        is_date = join.as_of in columns and columns[join.as_of].kind == "date"
        if join.as_of in filled or join.as_of == join.key or not (is_date or join.as_of in ignored):
            message = f"{name}.as_of: got {join.as_of!r}, wanted a column of dates that no join "
            raise ValueError(f"{message}fills in, or one of `ignored` that holds dates")
