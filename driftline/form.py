"""The fields of a record as `GET /model` tells them, and read back from there.

A page makes its form of them, and knows by the same code as the service what a field takes.
"""

from collections.abc import Mapping
from typing import Any

from driftline.computed import FeatureSpec
from driftline.contract import Contract
from driftline.dates import read_bounds, spell_date, spell_end
from driftline.fields import FieldSpec


def tell_fields(contract: Contract) -> list[dict[str, Any]]:
    """Every field in contract order, as JSON has it."""
    typical = contract.typical_record
    return [_tell(field) | {"typical": typical[field.name]} for field in contract.fields]


def tell_computed(contract: Contract) -> list[dict[str, str]]:
    """What the service computes of them, as JSON has it."""
    return [
        {
            "name": feature.name,
            "formula": feature.formula,
            "undefined": "refuse" if feature.refuse else "missing",
        }
        for feature in contract.features
    ]


def read_computed(told: Mapping[str, str]) -> FeatureSpec:
    """A computed feature as it was told; `KeyError` or `ValueError` where it is none."""
    feature = FeatureSpec(told["name"], told["formula"], refuse=told["undefined"] == "refuse")
    feature.root  # noqa: B018 - reads the formula
    return feature


def _tell(field: FieldSpec) -> dict[str, Any]:
    bounds: list[Any] | None = None
    if field.low is not None and field.high is not None:
        bounds = [field.low, field.high]
        if field.kind == "date":
            bounds = [spell_date(field.low), spell_end(field.high)]
    return {
        "name": field.name,
        "kind": field.kind,
        "unit": field.unit,
        "description": field.description,
        "range": bounds,
        "categories": list(field.categories),
        "aliases": dict(field.aliases),
        "ordered": field.ordered,
        "unseen": field.unseen,
        "missing": "allow" if field.allow_missing else "forbid",
        "missing_codes": list(field.missing_codes),
    }


def read_field(told: Mapping[str, Any]) -> FieldSpec:
    """A field as it was told; `KeyError` or `ValueError` where it is none."""
    low, high = told["range"] or (None, None)
    if told["kind"] == "date" and told["range"]:
        low, high = read_bounds(low, high)
    return FieldSpec(
        name=told["name"],
        kind=told["kind"],
        low=low,
        high=high,
        categories=tuple(told["categories"]),
        aliases=tuple(told["aliases"].items()),
        ordered=told["ordered"],
        unseen=told.get("unseen"),
        allow_missing=told["missing"] == "allow",
        missing_codes=tuple(told["missing_codes"]),
        unit=told["unit"],
        description=told["description"],
    )
