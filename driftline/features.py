"""Computed features as a problem file declares them, and whether they fit its columns.

What they are worth for a row is computed in `driftline.formulas`, for training and serving alike.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import field_validator, model_validator

from driftline.columns import Column
from driftline.computed import FeatureSpec
from driftline.declared import Strict
from driftline.formulas import read_formula
from driftline.target import AnyTarget


class Feature(Strict):
    """One input that is computed of others; text alone is its formula."""

    formula: str
    undefined: Literal["missing", "refuse"] = "missing"

    @model_validator(mode="before")
    @classmethod
    def _text_is_a_formula(cls, content: Any) -> Any:
        return {"formula": str(content)} if isinstance(content, str | int | float) else content

    @field_validator("formula")
    @classmethod
    def _formula_is_read(cls, text: str) -> str:
        text = " ".join(text.split())
        read_formula(text)
        return text


def order_features(
    features: Mapping[str, Feature],
    *,
    columns: Mapping[str, Column],
    target: AnyTarget,
    ignored: Iterable[str],
    **_: Any,
) -> tuple[FeatureSpec, ...]:
    """Every feature after those that it names; `ValueError` names the one that does not fit."""
    others = dict.fromkeys(ignored, "ignored")
    others |= dict.fromkeys((target.name, *target.aliases), "the target")
    specs = {
        name: FeatureSpec(name, one.formula, refuse=one.undefined == "refuse")
        for name, one in features.items()
    }
    taken = _taken_names(columns) | others
    for name, spec in specs.items():
        if not name or name in taken:
            message = f"{name}: the name is taken by {taken.get(name, 'nothing')}; wanted a new one"
            raise ValueError(message)
        for named, operation in spec.root.named():
            _check_named(name, named, operation, columns=columns, features=specs, others=others)
    return tuple(_in_order(specs))


def _taken_names(columns: Mapping[str, Column]) -> dict[str, str]:
    """The names of columns and of what they become in the model's inputs, and whose they are."""
    taken: dict[str, str] = {}
    for name, column in columns.items():
        elements = [f"{name}={category}" for category in column.categories]
        elements += [f"{name}.{part}" for part in column.parts]
        taken |= dict.fromkeys((name, *column.aliases, *elements), f"the column {name!r}")
    return taken


def _check_named(
    name: str,
    named: str,
    operation: str,
    *,
    columns: Mapping[str, Column],
    features: Mapping[str, FeatureSpec],
    others: Mapping[str, str],
) -> None:
    wanted = "a date" if operation == "days" else "a number"
    if named in features:
        kind = "number"
    elif named in columns:
        kind = columns[named].kind
    else:
        what = others.get(named, "no column")
        message = f"{name}: got {named!r}, which is {what}; wanted {wanted} among the columns"
        raise ValueError(message)
    if (kind == "date") != (operation == "days") or kind == "category":
        message = (
            f"{name}: got {named!r} of kind {kind!r}; {operation or 'a formula'} wants {wanted}"
        )
        raise ValueError(message)


def _in_order(specs: Mapping[str, FeatureSpec]) -> Iterable[FeatureSpec]:
    """Features in an order in which each can be computed."""
    waiting, done = dict(specs), set[str]()
    while waiting:
        ready = [
            name
            for name, spec in waiting.items()
            if all(named in done or named not in specs for named in spec.names)
        ]
        if not ready:
            message = f"{next(iter(waiting))}: rests on itself ({', '.join(waiting)}); wanted none"
            raise ValueError(message)
        for name in ready:
            yield waiting.pop(name)
        done.update(ready)
