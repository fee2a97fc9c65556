"""The service's own description, made from the contract: OpenAPI 3.0 and a page that shows it."""

from typing import Any

from bentos.http import schemas
from bentos.http.about import MEANING
from driftline.contract import Contract
from driftline.fields import FieldSpec

RECORD = {"$ref": "#/components/schemas/Record"}
PREDICTION = {"$ref": "#/components/schemas/Prediction"}
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
    return {
        "openapi": "3.0.3",
        "info": {
            "title": contract.title,
            "version": contract.model_version or "0",
            "description": _table_of_fields(contract),
        },
        "servers": [{"url": "."}],
        "security": [{}, {"key": []}, {"bearer": []}],
        "paths": _asking(contract) | _looking(),
        "components": {
            "schemas": {
                "Record": schemas.record(contract),
                "Features": schemas.features(contract),
                "Prediction": schemas.prediction(contract),
                "Error": schemas.error(),
            },
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _asking(contract: Contract) -> dict[str, Any]:
    """The paths that take a body."""
    either = {"oneOf": [RECORD, {"$ref": "#/components/schemas/Features"}]}
    example, refused = schemas.example(contract), ("400", "422")
    batch = schemas.object_of({"records": {"type": "array", "maxItems": 10_000, "items": either}})
    batch["example"] = {"records": [example]}
    answers = schemas.object_of({"predictions": {"type": "array", "items": PREDICTION}})
    explained = schemas.explanation(contract)
    asked = {
        "/predict": _operation("Predict one record", either, PREDICTION, example, refused),
        "/predict_batch": _operation("Predict many records", batch, answers, None, refused),
        "/explain": {
            **_operation(
                "Say what moved the answer to a record", either, explained, example, refused
            ),
            "description": f"{MEANING} Nothing is logged, and there is no id to label.",
        },
        "/feedback": _feedback(contract),
    }
    return {path: {"post": operation} for path, operation in asked.items()}


def _looking() -> dict[str, Any]:
    """The paths that are only read."""
    yes = {"200": {"description": "yes"}}
    read = {
        "/model": _answering("The model that answers", {"type": "object"}, ()),
        "/livez": {"summary": "Alive", "responses": yes},
        "/readyz": {"summary": "Ready", "responses": yes | {"503": {"description": "not yet"}}},
    }
    return {path: {"get": operation} for path, operation in read.items()}


def rows_of_fields(contract: Contract) -> list[tuple[str, str, str, str, str]]:
    """Of every field its name, meaning, unit, values, and what means missing."""
    return [_row_of(field) for field in contract.fields]


def tell_computed_of(contract: Contract) -> str:
    """What the service computes of the fields, which nobody sends; "" where it is nothing."""
    told = [f"{feature.name} = {feature.formula}" for feature in contract.features]
    return f"Computed of them, not to be sent: {'; '.join(told)}." if told else ""


def _row_of(field: FieldSpec) -> tuple[str, str, str, str, str]:
    whole = "whole, " if field.kind == "integer" else ""
    is_bounded = field.low is not None and field.high is not None
    values = f"{whole}{field.low:g} to {field.high:g}" if is_bounded else f"{whole}any number"
    if field.kind == "date":
        values = "ISO date" + schemas.span_of(field)
    if field.kind == "category":
        values = ", ".join(field.categories) + schemas.others_of(field)
    missing = ", ".join(["null", *field.missing_codes]) if field.allow_missing else "no"
    return field.name, field.description or "", field.unit or "", values, missing


def _table_of_fields(contract: Contract) -> str:
    """Every field on one page, as the Markdown that the page shows first."""
    lines = ["| field | meaning | unit | values | missing |", "|---|---|---|---|---|"]
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows_of_fields(contract)]
    table = "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
    told = tell_computed_of(contract)
    return f"{table}\n\n{told}" if told else table


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
    body = schemas.object_of(
        {
            "prediction_id": {"type": "string", "minLength": 1, "maxLength": 64},
            "label": schemas.label(contract),
        }
    )
    answer = schemas.object_of({"status": {"type": "string", "enum": ["added", "same"]}})
    errors = ("400", "404", "409", "422")
    return _operation("Tell what was true of a prediction", body, answer, None, errors)
