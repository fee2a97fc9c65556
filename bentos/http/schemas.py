"""What a service takes and answers, as OpenAPI schemas made from the contract."""

from typing import Any, Final

from driftline.contract import Contract
from driftline.dates import spell_date, spell_end
from driftline.fields import FieldSpec
from driftline.numbers import NumberSpec

ISO_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$"

# A time without its zone is RFC 3339's of neither format, and so has a pattern of its own
DATE_FORMATS: Final[list[dict[str, str]]] = [
    {"format": "date"},
    {"format": "date-time"},
    {"pattern": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"},
]


def record(contract: Contract) -> dict[str, Any]:
    """A record as an object of its fields, and of what joins find those by that they fill in."""
    filled = {name: join.given for join in contract.joins for name in join.fields}
    sent = [field for field in contract.fields if filled.get(field.name) != "refuse"]
    schema = object_of({field.name: _field(field) for field in sent} | _found_by(contract))
    required = [field for field in sent if field.name not in filled and not field.allow_missing]
    schema["required"] = [field.name for field in required]
    if not schema["required"]:
        del schema["required"]
    schema["example"] = example(contract)
    return schema


def _found_by(contract: Contract) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for join in contract.joins:
        names = ", ".join(join.fields)
        if join.as_of not in contract.field_names:
            words = f"as of when {names} are looked up; by default now"
            found[join.as_of] = {"type": "string", "pattern": ISO_DATE, "description": words}
        words = f"the key by which {names} are looked up where they are not sent"
        kinds = [{"type": "string"}, {"type": "number"}]
        found[join.key] = {"oneOf": kinds, "description": words}
    return found


def features(contract: Contract) -> dict[str, Any]:
    """A record as its values in the contract's order."""
    names = ", ".join(field.name for field in contract.fields)
    values = {
        "type": "array",
        "minItems": len(contract.fields),
        "maxItems": len(contract.fields),
        "items": {},
        "description": f"values in this order: {names}",
    }
    return object_of({"features": values})


def _field(field: FieldSpec) -> dict[str, Any]:
    words = [field.description or field.name, f"unit: {field.unit}" if field.unit else ""]
    if field.kind == "date":
        words.append(_made_of(field))
        words.append("an ISO date, with its time or without" + span_of(field))
    if field.missing_codes:
        words.append(f"{', '.join(field.missing_codes)} means missing")
    schema: dict[str, Any] = {"description": "; ".join(word for word in words if word)}
    if field.kind == "category" and field.unseen is not None:
        schema["type"] = "string"
    elif field.kind == "category":
        schema |= {"type": "string", "enum": list(field.categories)}
    elif field.kind == "date":
        schema |= {"type": "string", "pattern": ISO_DATE, "anyOf": DATE_FORMATS}
    else:
        schema["type"] = "integer" if field.kind == "integer" else "number"
        if field.low is not None and field.high is not None:
            schema |= {"minimum": field.low, "maximum": field.high}
    if field.allow_missing:
        schema["nullable"] = True
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _made_of(field: FieldSpec) -> str:
    """Which numbers the model sees of a date."""
    named = {"days": "the days since 1970-01-01", "age": f"the age in years {_as_of(field)}"}
    parts = [named.get(part, part.replace("_", " ")) for part in field.parts or ("days",)]
    return f"the model sees of it: {', '.join(parts)}"


def _as_of(field: FieldSpec) -> str:
    until = field.as_of if isinstance(field.as_of, str) else spell_date(field.as_of or 0.0)
    return f"as of {until}"


def label(contract: Contract) -> dict[str, Any]:
    """The truth of a prediction: a class, or a number."""
    if contract.number is None:
        return {"type": "string", "enum": list(contract.classes)}
    return _number(contract.number)


def _number(spec: NumberSpec) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "number"}
    if spec.unit is not None:
        schema["description"] = f"unit: {spec.unit}"
    if spec.range is not None:
        schema |= {"minimum": spec.range[0], "maximum": spec.range[1]}
    return schema


def prediction(contract: Contract) -> dict[str, Any]:
    """An answer."""
    if contract.number is not None:
        return _number_prediction(contract.number)
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    return object_of(
        {
            "prediction": {"type": "integer"},
            "label": {"type": "string", "enum": list(contract.classes)},
            "probability": object_of(dict.fromkeys(contract.classes, probability)),
            "confidence": probability,
            "risk_level": {
                "type": "string",
                "enum": ["low", "medium", "high", None],
                "nullable": True,
            },
            "model_version": {"type": "string"},
            "prediction_id": {"type": "string"},
        }
    )


def explanation(contract: Contract) -> dict[str, Any]:
    """What moved an answer."""
    is_number = contract.number is not None
    figure = (
        {"type": "number"} if is_number else {"type": "number", "minimum": 0, "maximum": 1.000001}
    )
    what = "prediction" if is_number else "probability"
    contribution = object_of(
        {
            "field": {"type": "string", "enum": [field.name for field in contract.fields]},
            "typical": {"oneOf": [{"type": "number"}, {"type": "string"}]},
            "difference": {"type": "number"},
        }
    )
    classes = {"type": "array", "items": {"type": "string", "enum": list(contract.classes)}}
    return object_of(
        {
            **({} if is_number else {"classes": classes}),
            what: figure,
            f"typical_{what}": figure,
            "contributions": {"type": "array", "items": contribution},
            "meaning": {"type": "string"},
            "model_version": {"type": "string"},
        }
    )


def _number_prediction(spec: NumberSpec) -> dict[str, Any]:
    number = _number(spec)
    interval = {"type": "array", "minItems": 2, "maxItems": 2, "items": number}
    band = {"risk_level": {"type": "string", "enum": ["low", "medium", "high"]}}
    return object_of(
        {
            "prediction": number,
            "interval": interval,
            "coverage": {"type": "number", "minimum": 0, "maximum": 1},
            **(band if spec.is_banded else {}),
            "model_version": {"type": "string"},
            "prediction_id": {"type": "string"},
        }
    )


def error() -> dict[str, Any]:
    """A refusal, with the fields that are not as wanted."""
    field = object_of({"field": {"type": "string"}, "problem": {"type": "string"}})
    inner = {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "fields": {"type": "array", "items": field},
    }
    return object_of({"error": object_of(inner)})


def example(contract: Contract) -> dict[str, Any]:
    """A record that is answered; where a join refuses its fields, with the join's key beside."""
    refused = {name for join in contract.joins if join.given == "refuse" for name in join.fields}
    whole = dict(contract.example) or contract.typical_record
    return {name: value for name, value in whole.items() if name not in refused}


def object_of(properties: dict[str, Any]) -> dict[str, Any]:
    """An object of these properties, all of them required."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def others_of(field: FieldSpec) -> str:
    """What an unknown category counts as, in words."""
    return "" if field.unseen is None else f" (others count as {field.unseen})"


def span_of(field: FieldSpec) -> str:
    """From when to when a date lies, in words."""
    if field.low is None or field.high is None:
        return ""
    return f", {spell_date(field.low)} to {spell_end(field.high)}"
