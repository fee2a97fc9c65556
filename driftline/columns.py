"""What one input of a problem is, and what it may be."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from driftline.date_parts import Part
from driftline.dates import WANTED, Order, count_days, read_bounds, read_date, spell_date, spell_end
from driftline.declared import Strict, Text
from driftline.spelling import Spellings, declare_categories, spell

NO_DATE = ""  # what a cell means that is no date
LARGEST = 3.4028234663852886e38  # of float32, in which models are fitted


class Column(Strict):
    """One input: what it is, what it may be, and what to do when it is missing."""

    kind: Literal["number", "integer", "category", "date"] = "number"
    format: Order | None = None
    parts: tuple[Part, ...] = ()
    as_of: Text | None = None
    unit: str | None = None
    description: str | None = None
    range: tuple[float, float] | None = None
    categories: tuple[Text, ...] = ()
    category_aliases: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    ordered: bool = False
    unseen: Text | None = None
    missing: Literal["forbid", "allow"] = "forbid"
    missing_codes: tuple[Text, ...] = ()
    aliases: tuple[Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _aliases_beside(cls, content: Any) -> Any:
        """Categories as a mapping hold each one's other spellings."""
        given = content.get("categories") if isinstance(content, dict) else None
        if not isinstance(given, dict):
            return content
        if "category_aliases" in content:
            message = "category_aliases: stands in `categories` already; wanted one of the two"
            raise ValueError(message)
        aliases = {name: others for name, others in given.items() if others is not None}
        return content | {"categories": list(given), "category_aliases": aliases}

    @model_validator(mode="before")
    @classmethod
    def _dates_as_days(cls, content: Any) -> Any:
        """The range of a date is kept as days."""
        if not isinstance(content, dict) or content.get("kind") != "date":
            return content
        ends = content.get("range")
        if not isinstance(ends, list | tuple) or len(ends) != 2:  # noqa: PLR2004 - a range has two ends, which the field's own type says
            return content
        try:
            return content | {"range": read_bounds(*ends)}
        except ValueError as error:
            message = f"range: {error}"
            raise ValueError(message) from None

    @field_validator("range")
    @classmethod
    def _low_below_high(cls, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        if bounds is not None and max(map(abs, bounds)) > LARGEST:
            message = f"got [{bounds[0]:g}, {bounds[1]:g}], wanted ends within {LARGEST:.4g}"
            raise ValueError(message)
        if bounds is not None and not bounds[0] < bounds[1]:
            message = f"got [{bounds[0]:g}, {bounds[1]:g}], wanted the low end below the high end"
            raise ValueError(message)
        return bounds

    @model_validator(mode="after")
    def _format_fits(self) -> Self:
        if self.format is not None and self.kind != "date":
            message = f"format: got it on kind {self.kind!r}, wanted 'date'"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if (self.parts or self.as_of is not None) and self.kind != "date":
            message = f"parts and as_of: got them on kind {self.kind!r}, wanted 'date'"
            raise ValueError(message)
        if len(set(self.parts)) != len(self.parts):
            message = "parts: a part is given twice"
            raise ValueError(message)
        if ("age" in self.parts) != (self.as_of is not None):
            message = "as_of: wanted it with the part `age`, and only there: what it counts to"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.kind == "category":
            if len(self.categories) < 2:  # noqa: PLR2004 - one category tells nothing apart
                message = f"got {len(self.categories)} categories, wanted at least 2"
                raise ValueError(message)
            if len(set(self.categories)) != len(self.categories):
                message = "categories: a category is given twice"
                raise ValueError(message)
            if self.range is not None:
                message = "range: a category has none; wanted `categories` only"
                raise ValueError(message)
            self._check_aliases()
        elif self.categories or self.category_aliases or self.ordered:
            message = f"categories and ordered: got them on kind {self.kind!r}, wanted 'category'"
            raise ValueError(message)
        elif self.unseen is not None:
            message = f"unseen: got it on kind {self.kind!r}, wanted 'category'"
            raise ValueError(message)
        return self

    def _check_aliases(self) -> None:
        if self.unseen is not None and self.unseen not in self.categories:
            message = f"unseen: got {self.unseen!r}, wanted the category that others count as"
            raise ValueError(message)
        owners = {category: category for category in self.categories}
        for name, others in self.category_aliases.items():
            if name not in self.categories:
                message = f"category_aliases: got {name!r}, wanted one of the categories"
                raise ValueError(message)
            for alias in others:
                if owners.setdefault(alias, name) != name:
                    message = f"categories: {alias!r} means {owners[alias]!r} and {name!r}"
                    raise ValueError(message + "; wanted one")

    @property
    def order(self) -> Order:
        """In which order a date is written in files."""
        return self.format or "iso"

    @property
    def range_text(self) -> str:
        """The range in words: `between 0 and 120`."""
        low, high = self.range or (0.0, 0.0)
        if self.kind == "date":
            return f"between {spell_date(low)} and {spell_end(high)}"
        return f"between {low:g} and {high:g}"

    def read_day(self, cell: Any) -> float | str | None:
        """The days of a cell of dates, None where it is a missing code, `NO_DATE` where none."""
        if isinstance(cell, date):
            return self._unless_missing(count_days(cell))
        if isinstance(cell, bool) or not isinstance(cell, str | int | float):
            return NO_DATE
        text = spell(cell)
        if text in self.missing_codes:
            return None
        days = read_date(text, self.order)
        return NO_DATE if days is None else self._unless_missing(days)

    def _unless_missing(self, days: float) -> float | None:
        is_missing = bool(self.missing_codes) and spell_date(days) in self.sent_codes
        return None if is_missing else days

    @cached_property
    def sent_codes(self) -> tuple[str, ...]:
        """The missing codes as a request has them: dates as ISO."""
        if self.kind != "date":
            return self.missing_codes
        days = [read_date(code, self.order) for code in self.missing_codes]
        return tuple(
            code if day is None else spell_date(day)
            for code, day in zip(self.missing_codes, days, strict=True)
        )

    @cached_property
    def spellings(self) -> Spellings[str]:
        """Which category a value means; a missing code means `MISSING`."""
        return declare_categories(self.categories, self.category_aliases, self.missing_codes)


def find_as_of(name: str, columns: Mapping[str, Column]) -> str | float | None:
    """What the ages of a column count to: another column of dates, or the days of a date.

    `ValueError` where it is neither.
    """
    wanted = columns[name].as_of
    if wanted is None:
        return None
    if wanted in columns and wanted != name and columns[wanted].kind == "date":
        return wanted
    day = None if wanted in columns else read_date(wanted)
    if day is None:
        message = (
            f"{name}.as_of: got {wanted!r}, wanted another column of dates, or {WANTED['iso']}"
        )
        raise ValueError(message)
    return day
