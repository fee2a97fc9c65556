"""The service's own description, made from the contract: OpenAPI 3.0 and a page that shows it."""

from typing import Any

from bentos.http.about import MEANING
from driftline.contract import Contract
from driftline.dates import spell_date, spell_end
from driftline.fields import FieldSpec
from driftline.numbers import NumberSpec

ISO_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$"
ERRORS = {
    "400": "the body is not a JSON object",
    "401": "no valid key",
    "404": "there is no such prediction",
    "405": "another method is wanted",
    "408": "the body did not arrive in time",
    "409": "another label is kept already",
    "413": "too large",
    "415": "another content coding than gzip",
    "422": "some fields are not as the contract wants them",
    "503": "not ready, or the prediction cannot be logged",
}


def describe(contract: Contract) -> dict[str, Any]:
    """The OpenAPI document of a contract."""
    record = {"$ref": "#/components/schemas/Record"}
    prediction = {"$ref": "#/components/schemas/Prediction"}
    schemas = {
        "Record": _record(contract),
        "Features": _features(contract),
        "Prediction": _prediction(contract),
        "Error": _error(),
    }
    either = {"oneOf": [record, {"$ref": "#/components/schemas/Features"}]}
    batch = _object({"records": {"type": "array", "maxItems": 10_000, "items": either}})
    batch["example"] = {"records": [_example(contract)]}
    answers = _object({"predictions": {"type": "array", "items": prediction}})
    return {
        "openapi": "3.0.3",
        "info": {
            "title": contract.title,
            "version": contract.model_version or "0",
            "description": _table_of_fields(contract),
        },
        "servers": [{"url": "."}],
        "security": [{}, {"key": []}, {"bearer": []}],
        "paths": {
            "/predict": {
                "post": _operation(
                    "Predict one record", either, prediction, _example(contract), ("400", "422")
                )
            },
            "/predict_batch": {
                "post": _operation("Predict many records", batch, answers, None, ("400", "422"))
            },
            "/explain": {
                "post": _operation(
                    "Say what moved the answer to a record",
                    either,
                    _explanation(contract),
                    _example(contract),
                    ("400", "422"),
                )
                | {"description": f"{MEANING} Nothing is logged, and there is no id to label."}
            },
            "/feedback": {"post": _feedback(contract)},
            "/model": {"get": _answering("The model that answers", {"type": "object"}, ())},
            "/livez": {"get": {"summary": "Alive", "responses": {"200": {"description": "yes"}}}},
            "/readyz": {
                "get": {
                    "summary": "Ready",
                    "responses": {"200": {"description": "yes"}, "503": {"description": "not yet"}},
                }
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def rows_of_fields(contract: Contract) -> list[tuple[str, str, str, str, str]]:
    """Of every field its name, meaning, unit, values, and what means missing."""
    return [_row_of(field) for field in contract.fields]


def _row_of(field: FieldSpec) -> tuple[str, str, str, str, str]:
    whole = "whole, " if field.kind == "integer" else ""
    is_bounded = field.low is not None and field.high is not None
    values = f"{whole}{field.low:g} to {field.high:g}" if is_bounded else f"{whole}any number"
    if field.kind == "date":
        values = "ISO date" + _span(field)
    if field.kind == "category":
        values = ", ".join(field.categories) + _others(field)
    missing = ", ".join(["null", *field.missing_codes]) if field.allow_missing else "no"
    return field.name, field.description or "", field.unit or "", values, missing


def _table_of_fields(contract: Contract) -> str:
    """Every field on one page, as the Markdown that the page shows first."""
    lines = ["| field | meaning | unit | values | missing |", "|---|---|---|---|---|"]
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows_of_fields(contract)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _operation(
    summary: str,
    body: dict[str, Any],
    answer: dict[str, Any],
    example: Any,
    errors: tuple[str, ...],
) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": body}
    if example is not None:
        content["example"] = example
    operation = _answering(summary, answer, ("408", "413", "415", "503", *errors))
    operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _answering(summary: str, answer: dict[str, Any], errors: tuple[str, ...]) -> dict[str, Any]:
    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    responses: dict[str, Any] = {
        "200": {"description": "the answer", "content": {"application/json": {"schema": answer}}}
    }
    for status in sorted({"401", "405", "503", *errors}):
        responses[status] = {"description": ERRORS[status], "content": failure}
    return {"summary": summary, "responses": responses}


def _feedback(contract: Contract) -> dict[str, Any]:
    body = _object(
        {
            "prediction_id": {"type": "string", "minLength": 1, "maxLength": 64},
            "label": _label(contract),
        }
    )
    answer = _object({"status": {"type": "string", "enum": ["added", "same"]}})
    errors = ("400", "404", "409", "422")
    return _operation("Tell what was true of a prediction", body, answer, None, errors)


def _record(contract: Contract) -> dict[str, Any]:
    schema = _object({field.name: _field(field) for field in contract.fields})
    schema["required"] = [field.name for field in contract.fields if not field.allow_missing]
    if not schema["required"]:
        del schema["required"]
    schema["example"] = _example(contract)
    return schema


def _features(contract: Contract) -> dict[str, Any]:
    names = ", ".join(field.name for field in contract.fields)
    values = {
        "type": "array",
        "minItems": len(contract.fields),
        "maxItems": len(contract.fields),
        "items": {},
        "description": f"values in this order: {names}",
    }
    return _object({"features": values})


def _field(field: FieldSpec) -> dict[str, Any]:
    words = [field.description or field.name, f"unit: {field.unit}" if field.unit else ""]
    if field.kind == "date":
        words.append("an ISO date, with its time or without" + _span(field))
    if field.missing_codes:
        words.append(f"{', '.join(field.missing_codes)} means missing")
    schema: dict[str, Any] = {"description": "; ".join(word for word in words if word)}
    if field.kind == "category" and field.unseen is not None:
        schema["type"] = "string"
    elif field.kind == "category":
        schema |= {"type": "string", "enum": list(field.categories)}
    elif field.kind == "date":
        schema |= {"type": "string", "pattern": ISO_DATE}
    else:
        schema["type"] = "integer" if field.kind == "integer" else "number"
        if field.low is not None and field.high is not None:
            schema |= {"minimum": field.low, "maximum": field.high}
    if field.allow_missing:
        schema["nullable"] = True
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _others(field: FieldSpec) -> str:
    return "" if field.unseen is None else f" (others count as {field.unseen})"


def _span(field: FieldSpec) -> str:
    if field.low is None or field.high is None:
        return ""
    return f", {spell_date(field.low)} to {spell_end(field.high)}"


def _label(contract: Contract) -> dict[str, Any]:
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


def _prediction(contract: Contract) -> dict[str, Any]:
    if contract.number is not None:
        return _number_prediction(contract.number)
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    return _object(
        {
            "prediction": {"type": "integer"},
            "label": {"type": "string", "enum": list(contract.classes)},
            "probability": _object(dict.fromkeys(contract.classes, probability)),
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


def _explanation(contract: Contract) -> dict[str, Any]:
    is_number = contract.number is not None
    figure = (
        {"type": "number"} if is_number else {"type": "number", "minimum": 0, "maximum": 1.000001}
    )
    what = "prediction" if is_number else "probability"
    contribution = _object(
        {
            "field": {"type": "string", "enum": [field.name for field in contract.fields]},
            "typical": {"oneOf": [{"type": "number"}, {"type": "string"}]},
            "difference": {"type": "number"},
        }
    )
    classes = {"type": "array", "items": {"type": "string", "enum": list(contract.classes)}}
    return _object(
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
    return _object(
        {
            "prediction": number,
            "interval": interval,
            "coverage": {"type": "number", "minimum": 0, "maximum": 1},
            **(band if spec.is_banded else {}),
            "model_version": {"type": "string"},
            "prediction_id": {"type": "string"},
        }
    )


def _error() -> dict[str, Any]:
    field = _object({"field": {"type": "string"}, "problem": {"type": "string"}})
    inner = {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "fields": {"type": "array", "items": field},
    }
    return _object({"error": _object(inner)})


def _example(contract: Contract) -> dict[str, Any]:
    if contract.example:
        return dict(contract.example)
    return contract.typical_record


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }
