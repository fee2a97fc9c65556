"""What a problem predicts: one of some classes, or a number; and what source values mean it.

A column's truth is an array: class indices (int64), or numbers (float64).
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, WrapValidator, field_validator, model_validator

from driftline.declared import Strict, Text
from driftline.numbers import LARGEST_NUMBER, find_unfit, spell_number
from driftline.spelling import Spellings, declare, read_number, spell, tidy

LEAST_SPREAD = 2  # values that differ, of which a number to predict needs some


class Target(Strict):
    """A class to predict. The order of `classes` is the order of the class indices."""

    kind: Literal["class"] = "class"
    name: Text
    classes: dict[Text, tuple[Text, ...]] = Field(min_length=2)
    positive: tuple[Text, ...] = ()
    ordered: bool = False
    aliases: tuple[Text, ...] = ()

    @field_validator("positive", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str | int) else value

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        for name in self.positive:
            if name not in self.classes:
                message = f"positive: got {name!r}, wanted one of {', '.join(self.classes)}"
                raise ValueError(message)
        if len(self.classes) == 2 and len(self.positive) != 1:  # noqa: PLR2004 - binary
            message = f"positive: got {len(self.positive)} classes, wanted exactly one of two"
            raise ValueError(message)
        if self.ordered and len(self.classes) == 2:  # noqa: PLR2004 - binary
            message = "ordered: got it with two classes, wanted it with more"
            raise ValueError(message)
        values = list(chain.from_iterable(self.values_of(name) for name in self.classes))
        if len(set(values)) != len(values):
            message = "classes: a source value belongs to two classes; wanted one"
            raise ValueError(message)
        return self

    def values_of(self, name: str) -> tuple[str, ...]:
        """The source values that mean this class; its own name always does."""
        return tuple(dict.fromkeys((*self.classes[name], name)))

    @cached_property
    def spellings(self) -> Spellings[str]:
        """Which class a source value means."""
        return declare({value: name for name in self.classes for value in self.values_of(name)})

    @property
    def width(self) -> int:
        """How many figures an answer has: the probability of each class."""
        return len(self.classes)

    @property
    def fault(self) -> str:
        """What is wrong with a value that means nothing."""
        return "not one of its classes"

    def read(self, values: pd.Series) -> pd.Series:
        """Meanings of a column's values as a cleaned table holds them."""
        return values.astype("object")

    def find(self, value: object) -> str | None:
        """What a value means; None where it means nothing."""
        return self.spellings.find(value)

    def encode(self, values: pd.Series) -> NDArray[Any]:
        """The truth of a cleaned column."""
        index = {name: i for i, name in enumerate(self.classes)}
        return np.array(values.map(index), dtype=np.int64)

    def strata(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """What rows are split by: each class falls on both sides."""
        return y

    def find_shortage(self, values: pd.Series, *, folds: int) -> str | None:
        """Why the rows are too few to be split and cross-validated; None where they are not."""
        counts = values.value_counts()
        absent = [name for name in self.classes if counts.get(name, 0) == 0]
        if absent:
            got = ", ".join(map(str, counts.index))
            return f"got only {got}, wanted rows of every class ({', '.join(self.classes)})"
        smallest = str(counts.idxmin())
        needed = folds + 1
        if counts[smallest] >= needed:
            return None
        return (
            f"got {counts[smallest]} rows of class {smallest!r}, wanted at least {needed} for "
            f"{folds} folds and a test set (--folds lowers it)"
        )


class NumberTarget(Strict):
    """A number to predict; a value beyond `range` is no truth."""

    kind: Literal["number"]
    name: Text
    aliases: tuple[Text, ...] = ()
    unit: str | None = None
    range: tuple[float, float] | None = None

    @field_validator("range")
    @classmethod
    def _ordered(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends is not None and not ends[0] < ends[1]:
            message = f"got [{ends[0]:g}, {ends[1]:g}], wanted [low, high] with low below high"
            raise ValueError(message)
        if ends is not None and max(map(abs, ends)) > LARGEST_NUMBER:
            message = f"got [{ends[0]:g}, {ends[1]:g}], wanted ends within {LARGEST_NUMBER:g}"
            raise ValueError(message)
        return ends

    @property
    def classes(self) -> Mapping[str, tuple[str, ...]]:
        """None: a number has no classes."""
        return {}

    @property
    def positive(self) -> tuple[str, ...]:
        """None: a number has no positive class."""
        return ()

    @property
    def width(self) -> int:
        """How many figures an answer has: the number."""
        return 1

    @property
    def fault(self) -> str:
        """What is wrong with a value that is no such number."""
        if self.range is None:
            return "not a number"
        return f"not a number between {self.range[0]:g} and {self.range[1]:g}"

    def read(self, values: pd.Series) -> pd.Series:
        """Meanings of a column's values as a cleaned table holds them."""
        return values.astype("float64")

    def find(self, value: object) -> str | None:
        """The number that a value is, in its one spelling; None where it is none of the range."""
        number = read_number(tidy(value if isinstance(value, str) else _plain(value)))
        return spell_number(number) if number is not None and self.holds(number) else None

    def holds(self, number: float) -> bool:
        """Whether a number may be true."""
        low, high = self.range or (-LARGEST_NUMBER, LARGEST_NUMBER)
        return math.isfinite(number) and low <= number <= high

    def encode(self, values: pd.Series) -> NDArray[Any]:
        """The truth of a cleaned column."""
        return values.to_numpy(dtype=np.float64)

    def strata(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """What rows are split by: nothing, as bins would move with each new row."""
        return np.zeros(len(y), dtype=np.int64)

    def find_shortage(self, values: pd.Series, *, folds: int) -> str | None:
        """Why the rows are too few to be split and cross-validated; None where they are not."""
        needed = 2 * (folds + 1)
        if len(values) < needed:
            return (
                f"got {len(values)} rows, wanted at least {needed} for {folds} folds and a test "
                "set (--folds lowers it)"
            )
        if values.nunique() < LEAST_SPREAD:
            return "got one value in all rows, wanted a number that differs from row to row"
        return find_unfit(values.to_numpy(dtype=np.float64))


def _plain(value: object) -> str:
    """A cell that is a number as text; of a boolean the word, which is none."""
    return spell(value) if isinstance(value, int | float | Decimal) else ""


_KINDS: dict[str, type[Target] | type[NumberTarget]] = {"class": Target, "number": NumberTarget}


def _read_target(value: Any, _: Any) -> Target | NumberTarget:
    """A target by its kind, which is a class where the file names none.

    What the union itself would say of a mistake names every kind; this names the one that is meant.
    """
    if isinstance(value, Target | NumberTarget):
        return value
    kind = value.get("kind", "class") if isinstance(value, Mapping) else "class"
    if not isinstance(kind, str) or kind not in _KINDS:
        message = f"kind: got {kind!r}, wanted one of {', '.join(_KINDS)}"
        raise ValueError(message)
    return _KINDS[kind].model_validate(value)


AnyTarget = Annotated[Target | NumberTarget, WrapValidator(_read_target)]
