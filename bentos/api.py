"""What each path answers, whatever carries it: bytes in, status and bytes out.

HTTP and Lambda share this, so they cannot differ. No value that a client sent is logged or echoed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson

from bentos.predictor import Predictor
from driftline.contract import InvalidRecordError

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_RECORD_BYTES = 64 * 1024
MAX_BATCH = 10_000
MAX_FIELDS_NAMED = 50


@dataclass(frozen=True)
class Reply:
    """A status and a JSON body."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = field(default=())


class RequestError(Exception):
    """A request that cannot be answered, as status, code and message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Keep what the error body says."""
        super().__init__(message)
        self.status, self.code, self.message, self.fields = status, code, message, tuple(fields)


class Api:
    """The paths of the service over one predictor."""

    def __init__(self, predictor: Predictor) -> None:
        """Bind the routes."""
        self.predictor = predictor
        self.routes: dict[tuple[str, str], Callable[[bytes], Any]] = {
            ("POST", "/predict"): self._predict,
            ("POST", "/predict_batch"): self._predict_batch,
            ("GET", "/model"): self._model,
        }
        self.paths = {path for _, path in self.routes}

    def respond(self, method: str, path: str, body: bytes) -> Reply:
        """Answer one request; anything that is wrong with it becomes an error body."""
        try:
            answer = self.routes.get((method, path))
            if answer is None:
                raise _no_route(method, path, self.paths)
            return Reply(200, orjson.dumps(answer(body)))
        except RequestError as error:
            return error_reply(error)

    def _predict(self, body: bytes) -> Any:
        vector = self._encode(parse_object(body, MAX_RECORD_BYTES))
        (answer,) = self.predictor.answer_vectors([vector])
        version = self.predictor.contract.model_version
        return answer.to_json(model_version=version, prediction_id=uuid4().hex)

    def _predict_batch(self, body: bytes) -> Any:
        document = parse_object(body, MAX_BODY_BYTES)
        records = document.get("records")
        if not isinstance(records, list) or len(document) != 1:
            raise RequestError(422, "invalid_batch", 'wanted {"records": [record, ...]}')
        if len(records) > MAX_BATCH:
            raise RequestError(413, "batch_too_large", f"wanted at most {MAX_BATCH} records")
        vectors = self._encode_all(records)
        version = self.predictor.contract.model_version
        answers = self.predictor.answer_vectors(vectors)
        return {
            "predictions": [
                answer.to_json(model_version=version, prediction_id=uuid4().hex)
                for answer in answers
            ]
        }

    def _encode(self, document: dict[str, Any]) -> list[float]:
        contract = self.predictor.contract
        try:
            if "features" in document and "features" not in contract.field_names:
                return contract.encode(_named(document, contract))
            return contract.encode(document)
        except InvalidRecordError as error:
            raise _invalid(error.fields) from None

    def _encode_all(self, records: list[Any]) -> list[list[float]]:
        vectors: list[list[float]] = []
        wrong: list[tuple[str, str]] = []
        for i, record in enumerate(records):
            try:
                if not isinstance(record, dict):
                    wrong.append((f"records[{i}]", "must be an object of named fields"))
                    continue
                vectors.append(self._encode(record))
            except RequestError as error:
                wrong += [(f"records[{i}].{name}", problem) for name, problem in error.fields]
            if len(wrong) > MAX_FIELDS_NAMED:
                break
        if wrong:
            raise _invalid(wrong)
        return vectors

    def _model(self, _body: bytes) -> Any:
        contract = self.predictor.contract
        return {
            "name": contract.problem,
            "title": contract.title,
            "version": contract.model_version,
            "onnx_sha256": contract.onnx_sha256,
            "snapshot": contract.snapshot,
            "classes": list(contract.classes),
            "threshold": contract.threshold,
            "risk_bands": {"medium": contract.medium_risk, "high": contract.high_risk},
            "metrics": dict(contract.metrics),
        }


def parse_object(body: bytes, most: int) -> dict[str, Any]:
    """A JSON object of at most `most` bytes."""
    if len(body) > most:
        raise RequestError(413, "body_too_large", f"wanted at most {most} bytes")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RequestError(400, "malformed", "the body is not valid JSON") from None
    if not isinstance(document, dict):
        raise RequestError(400, "malformed", "the body must be a JSON object")
    return document


def error_reply(error: RequestError) -> Reply:
    """The body that every error has."""
    fields = [{"field": name, "problem": problem} for name, problem in error.fields]
    document = {"error": {"code": error.code, "message": error.message, "fields": fields}}
    return Reply(error.status, orjson.dumps(document))


def _named(document: dict[str, Any], contract: Any) -> dict[str, Any]:
    values = document["features"]
    if len(document) != 1 or not isinstance(values, list):
        raise InvalidRecordError([("features", "must be a list of values, and the only key")])
    named: dict[str, Any] = contract.name_values(values)
    return named


def _invalid(fields: Iterable[tuple[str, str]]) -> RequestError:
    named = tuple(fields)[:MAX_FIELDS_NAMED]
    return RequestError(422, "invalid", "some fields are not as the contract wants them", named)


def _no_route(method: str, path: str, paths: set[str]) -> RequestError:
    if path in paths:
        return RequestError(405, "method_not_allowed", f"{method} is not answered on this path")
    return RequestError(404, "not_found", "there is nothing on this path")
