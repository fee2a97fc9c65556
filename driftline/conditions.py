"""Conditions that name a part of the rows, such as `sex` or `Age >= 60`: read, never evaluated."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.dates import WANTED, read_date, spell_date

_COMPARES: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION: Final = re.compile(r"(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+)")


class Described(Protocol):
    """What has to be known of a column: `driftline.problem.Column` is one."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - a column's own word
    @property
    def categories(self) -> tuple[str, ...]: ...  # noqa: D102 - as above
    @property
    def ordered(self) -> bool: ...  # noqa: D102 - as above


@dataclass(frozen=True)
class Condition:
    """One column compared with a number, or with a category by its name."""

    column: str
    compares: str
    value: float | str

    def __str__(self) -> str:
        """The condition as a person writes it."""
        value = self.value if isinstance(self.value, str) else f"{self.value:g}"
        return f"{self.column} {self.compares} {value}"


def parse_conditions(
    texts: Iterable[str], columns: Mapping[str, Described]
) -> tuple[Condition, ...]:
    """Read `column` (each of its categories) or `column OP value`; ValueError says what is wrong.

    OP is one of == != < <= > >=. A value may stand in quotes.
    """
    found = [condition for text in texts for condition in _parse(text.strip(), columns)]
    return tuple(dict.fromkeys(found))


def select_rows(
    condition: Condition, table: pd.DataFrame, columns: Mapping[str, Described]
) -> NDArray[np.bool_]:
    """Which rows the condition holds for; a row whose value is missing belongs to no part."""
    values, column = table[condition.column], columns[condition.column]
    compare, wanted = _COMPARES[condition.compares], condition.value
    is_known = values.notna().to_numpy()
    if column.kind != "category":
        bound = read_date(str(wanted)) if column.kind == "date" else wanted
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(compare(numbers, bound) & is_known, dtype=bool)
    places = {name: place for place, name in enumerate(column.categories)}
    codes = values.astype(object).map(places).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(compare(codes, places[str(wanted)]) & ~np.isnan(codes), dtype=bool)


def _parse(text: str, columns: Mapping[str, Described]) -> list[Condition]:
    if text in columns:
        return _each_category(text, columns[text])
    match = _CONDITION.fullmatch(text)
    if match is None or match[1] not in columns:
        name = text if match is None else match[1]
        message = f"got {name!r}, wanted one of the columns, or `column OP value` (== != < <= > >=)"
        raise ValueError(message)
    name, compares, value = match[1], match[2], match[3].strip("'\"")
    if columns[name].kind == "category":
        return [_category_condition(name, compares, value, columns[name])]
    if columns[name].kind == "date":
        return [_date_condition(name, compares, value)]
    try:
        number = float(value)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        message = f"{name}: got {value!r}, wanted a number to compare with"
        raise ValueError(message)
    return [Condition(name, compares, number)]


def _date_condition(name: str, compares: str, value: str) -> Condition:
    days = read_date(value)
    if days is None:
        message = f"{name}: got {value!r}, wanted {WANTED['iso']}, to compare with"
        raise ValueError(message)
    return Condition(name, compares, spell_date(days))


def _each_category(name: str, column: Described) -> list[Condition]:
    if column.kind != "category":
        message = f"got {name!r} alone, wanted a comparison, such as `{name} >= 60`"
        raise ValueError(message)
    return [Condition(name, "==", category) for category in column.categories]


def _category_condition(name: str, compares: str, value: str, column: Described) -> Condition:
    if value not in column.categories:
        message = f"{name}: got {value!r}, wanted one of {', '.join(column.categories)}"
        raise ValueError(message)
    if compares not in {"==", "!="} and not column.ordered:
        message = f"{name}: got {compares}, wanted == or != (its categories have no order)"
        raise ValueError(message)
    return Condition(name, compares, value)
