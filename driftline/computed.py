"""Computed features: what a model sees beside the fields of a record, by formulas over them.

One code computes them in training and in serving, of one record and of many alike. Needs numpy and
the standard library only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftline.fields import FLOAT32_MAX, Fault, FieldSpec
from driftline.formulas import Floats, Node, read_formula


@dataclass(frozen=True)
class FeatureSpec:
    """One computed feature: what serving has to know of it."""

    name: str
    formula: str
    refuse: bool = False  # a record that leaves it undefined though all that it needs is there

    @cached_property
    def root(self) -> Node:
        """The formula as it was read; `FormulaError` where it cannot be."""
        return read_formula(self.formula)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns and features that it names, in their order."""
        return tuple(dict.fromkeys(name for name, _ in self.root.named()))

    def compute(self, values: Mapping[str, float]) -> float:
        """Its value for one row as a model sees it: nan where missing, within float32."""
        found = self.root.compute(values)
        return found if abs(found) <= FLOAT32_MAX else math.nan

    def compute_rows(self, columns: Mapping[str, Floats], rows: int) -> Floats:
        """The same for many rows, shape (rows,)."""
        found = self.root.compute_rows(columns, rows)
        return np.where(np.abs(found) <= FLOAT32_MAX, found, math.nan)

    @property
    def undefined(self) -> str:
        """What is wrong with a record that leaves it undefined."""
        return f"leaves {self.name} undefined ({self.formula})"


def columns_behind(features: Sequence[FeatureSpec]) -> dict[str, tuple[str, ...]]:
    """The columns that each feature rests on, through others too; each comes after those."""
    found: dict[str, tuple[str, ...]] = {}
    for feature in features:
        nested = [found.get(name, (name,)) for name in feature.names]
        found[feature.name] = tuple(dict.fromkeys(name for names in nested for name in names))
    return found


def find_undefined(
    columns: Mapping[str, Floats], features: Sequence[FeatureSpec], rows: int
) -> dict[str, NDArray[np.bool_]]:
    """Which rows a contract refuses since a feature is undefined of what they hold, by reason."""
    known, found = dict(columns), {}
    for feature, names in zip(features, columns_behind(features).values(), strict=True):
        known[feature.name] = feature.compute_rows(known, rows)
        if feature.refuse:
            has_all = ~np.isnan([columns[name] for name in names]).any(axis=0)
            wrong = has_all & np.isnan(known[feature.name])
            found[f"{names[0]}: {feature.undefined}"] = wrong
    return found


@dataclass(frozen=True)
class Computed:
    """The computed features of a contract, at the end of its vector behind the fields' elements."""

    features: tuple[FeatureSpec, ...]
    fields: tuple[FieldSpec, ...]

    @cached_property
    def behind(self) -> dict[str, tuple[str, ...]]:
        """The fields that each feature rests on."""
        return columns_behind(self.features)

    @cached_property
    def elements(self) -> dict[str, list[int]]:
        """The elements of the vector that each field fills itself."""
        found, start = {}, 0
        for field in self.fields:
            stop = start + len(field.feature_names)
            found[field.name] = list(range(start, stop))
            start = stop
        return found

    @cached_property
    def moved(self) -> dict[str, list[int]]:
        """The elements that follow from each field: its own, and those computed of it."""
        first = sum(map(len, self.elements.values()))
        places = [(i, names) for i, names in enumerate(self.behind.values(), start=first)]
        return {
            name: own + [i for i, names in places if name in names]
            for name, own in self.elements.items()
        }

    @cached_property
    def drawn(self) -> tuple[tuple[str, int], ...]:
        """The fields that are computed of, each with its first element."""
        wanted = {name for names in self.behind.values() for name in names}
        return tuple((name, own[0]) for name, own in self.elements.items() if name in wanted)

    def may_lack(self, feature: FeatureSpec) -> bool:
        """Whether a record that is taken may leave a feature without a value."""
        optional = {field.name for field in self.fields if field.allow_missing}
        return not feature.refuse or bool(optional.intersection(self.behind[feature.name]))

    def compute(self, values: Mapping[str, float]) -> tuple[list[float], list[Fault]]:
        """Each feature of the fields' own numbers; and which are undefined and may not be."""
        known, refused = dict(values), []
        for feature in self.features:
            known[feature.name] = found = feature.compute(known)
            if feature.refuse and math.isnan(found):
                names = self.behind[feature.name]
                if not any(math.isnan(values[name]) for name in names):
                    refused.append(Fault(names[0], feature.undefined, "undefined"))
        return [known[feature.name] for feature in self.features], refused

    def fill(self, vector: list[float]) -> list[Fault]:
        """Compute the last elements of those of the fields, dates as days; the faults found."""
        found, refused = self.compute({name: vector[start] for name, start in self.drawn})
        vector[-len(found) :] = found
        return refused

    def append(self, matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The elements of fields (records, elements) and the features; None where one is refused.

        No element may be a missing one.
        """
        columns = {name: matrix[:, start] for name, start in self.drawn}
        for feature in self.features:
            columns[feature.name] = feature.compute_rows(columns, len(matrix))
            if feature.refuse and np.isnan(columns[feature.name]).any():
                return None
        computed = [columns[feature.name] for feature in self.features]
        return np.column_stack([matrix, *computed])
