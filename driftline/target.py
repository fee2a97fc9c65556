"""What a problem predicts: the target's name, its classes, and what source values mean them."""

from functools import cached_property
from itertools import chain
from typing import Self

from pydantic import Field, field_validator, model_validator

from driftline.declared import Strict, Text
from driftline.spelling import Spellings, declare


class Target(Strict):
    """The column to predict. The order of `classes` is the order of the class indices."""

    name: Text
    classes: dict[Text, tuple[Text, ...]] = Field(min_length=2)
    positive: tuple[Text, ...] = ()
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
