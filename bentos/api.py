"""What each path answers, whatever carries it: bytes in, status and bytes out.

HTTP and Lambda share this, so they cannot differ. No value that a client sent is logged or echoed.
"""

import hmac
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bentos.log import LogUnavailableError, PredictionLog
from bentos.metrics import Ledger
from bentos.predictor import Predictor
from bentos.refusals import Counts, count_record
from driftline.contract import Contract, Fault, InvalidRecordError, safe_name

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_RECORD_BYTES = 64 * 1024
MAX_BATCH = 10_000
MAX_FIELDS_NAMED = 50
NOT_AS_WANTED = "some fields are not as the contract wants them"
_ID = re.compile(r"[0-9a-zA-Z_-]{1,64}")
_FEEDBACK = {"prediction_id", "label"}


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


class RefusedError(RequestError):
    """Records that a contract refuses, and how many of them at which field for which kind of fault.

    Each bad record of a batch counts, though the batch is refused as a whole; its good ones do not.
    """

    def __init__(
        self, fields: Iterable[tuple[str, str]], contract: Contract, counts: Counts
    ) -> None:
        """Name the first fields at fault."""
        named = tuple(fields)[:MAX_FIELDS_NAMED]
        super().__init__(422, "invalid", NOT_AS_WANTED, named)
        self.contract, self.counts = contract, counts


LOG_UNAVAILABLE = RequestError(
    503, "log_unavailable", "what is answered must be logged, and that is not possible now"
)


class Api:
    """The paths of the service over one predictor and one log."""

    def __init__(
        self,
        predictor: Predictor,
        log: PredictionLog,
        *,
        keys: Iterable[str] = (),
        on_label: Callable[[Contract], None] | None = None,
    ) -> None:
        """Bind the routes; with `keys`, only requests that carry one of them are answered.

        `on_label` is called after a label was added.
        """
        self._on_label = on_label
        self.predictor = predictor
        self.log = log
        self.ledger = Ledger(predictor.contract)
        self._keys = tuple(key.encode() for key in keys)
        self.routes: dict[tuple[str, str], Callable[[bytes], Any]] = {
            ("POST", "/predict"): self._predict,
            ("POST", "/predict_batch"): self._predict_batch,
            ("POST", "/feedback"): self._feedback,
            ("GET", "/model"): self._model,
        }
        self._methods = {path: method for method, path in self.routes}

    def take_over(self, predictor: Predictor) -> None:
        """Answer with another model from the next request on; counts go on where fields agree."""
        old, new = self.predictor.contract, predictor.contract
        if (old.fields, old.classes) == (new.fields, new.classes):
            self.ledger.contract = new
        else:
            self.ledger = Ledger(new)
        self.predictor = predictor

    def respond(self, method: str, path: str, body: bytes, key: bytes | None = None) -> Reply:
        """Answer one request; anything that is wrong with it becomes an error body."""
        begun = time.perf_counter()
        try:
            answer = self.routes.get((method, path))
            if answer is None:
                raise _no_route(path, self._methods)
            if self._keys:
                self._check_key(key)
            reply = Reply(200, orjson.dumps(answer(body)))
        except RequestError as error:
            self.ledger.reject(error.code)
            if isinstance(error, RefusedError):
                self._keep_refusal(error)
            return error_reply(error)
        self.ledger.seconds.add(time.perf_counter() - begun)
        return reply

    def _keep_refusal(self, error: RefusedError) -> None:
        contract = error.contract
        self.ledger.refuse(contract, error.counts)
        self.log.refuse(contract.problem, contract.model_version, error.counts)

    def _check_key(self, key: bytes | None) -> None:
        """Compare with every key in constant time."""
        given = key or b""
        matches = [hmac.compare_digest(given, each) for each in self._keys]
        if not any(matches):
            raise RequestError(401, "unauthorized", "wanted a valid key in X-API-Key")

    def _predict(self, body: bytes) -> Any:
        predictor = self.predictor  # one model for the whole request, whatever takes over meanwhile
        contract, document = predictor.contract, parse_object(body, MAX_RECORD_BYTES)
        try:
            record = _name_fields(document, contract)
            vector = contract.encode(record)
        except InvalidRecordError as error:
            raise RefusedError(error.fields, contract, count_record(error.faults)) from None
        return self._answer(predictor, [record], np.array([vector], dtype=np.float32))[0]

    def _predict_batch(self, body: bytes) -> Any:
        document = parse_object(body, MAX_BODY_BYTES)
        records = document.get("records")
        if not isinstance(records, list) or len(document) != 1:
            raise RequestError(422, "invalid_batch", 'wanted {"records": [record, ...]}')
        if len(records) > MAX_BATCH:
            raise RequestError(413, "batch_too_large", f"wanted at most {MAX_BATCH} records")
        predictor = self.predictor
        named, matrix = _encode_all(records, predictor.contract)
        return {"predictions": self._answer(predictor, named, matrix)}

    def _answer(
        self,
        predictor: Predictor,
        records: Sequence[dict[str, Any]],
        matrix: NDArray[np.float32],
    ) -> list[dict[str, Any]]:
        """Score, log, count, and only then answer."""
        contract = predictor.contract
        answers = predictor.answer(matrix)
        ids = new_ids(len(answers))
        bodies = [
            answer.to_json(model_version=contract.model_version, prediction_id=prediction_id)
            for answer, prediction_id in zip(answers, ids, strict=True)
        ]
        entries = [
            {
                "id": prediction_id,
                "inputs": record,
                "prediction": answer.prediction,
                "label": answer.label,
                "probabilities": list(answer.probability.values()),
                "confidence": answer.confidence,
                "risk": answer.risk_level,
            }
            for record, answer, prediction_id in zip(records, answers, ids, strict=True)
        ]
        if entries:
            self._write(
                {
                    "time": time.time(),
                    "problem": contract.problem,
                    "version": contract.model_version,
                    "predictions": entries,
                }
            )
        self.ledger.count(contract, matrix, answers)
        return bodies

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self.log.write(entry)
        except LogUnavailableError:
            raise LOG_UNAVAILABLE from None

    def _feedback(self, body: bytes) -> Any:
        document = parse_object(body, MAX_RECORD_BYTES)
        prediction_id, label = document.get("prediction_id"), document.get("label")
        classes = self.predictor.contract.classes
        wrong = []
        if not isinstance(prediction_id, str) or not _ID.fullmatch(prediction_id):
            wrong.append(("prediction_id", "must be the id of a prediction"))
        if label not in classes:
            wrong.append(("label", f"must be one of: {', '.join(classes)}"))
        wrong += [(safe_name(name), "is not a field") for name in document.keys() - _FEEDBACK]
        if wrong:
            raise _invalid(wrong)
        try:
            outcome = self.log.label(str(prediction_id), str(label))
        except LogUnavailableError:
            raise LOG_UNAVAILABLE from None
        self.ledger.labels[outcome] += 1
        if outcome == "unknown":
            raise RequestError(404, "unknown_prediction", "no prediction has this id")
        if outcome == "different":
            raise RequestError(409, "label_differs", "another label is kept for this prediction")
        if outcome == "added" and self._on_label is not None:
            self._on_label(self.predictor.contract)
        return {"status": outcome}

    def _model(self, _body: bytes) -> Any:
        contract = self.predictor.contract
        return {
            "name": contract.problem,
            "title": contract.title,
            "version": contract.model_version,
            "onnx_sha256": contract.onnx_sha256,
            "snapshot": contract.snapshot,
            "promoted_at": contract.promoted_at,
            "classes": list(contract.classes),
            "threshold": contract.threshold,
            "risk_bands": {"medium": contract.medium_risk, "high": contract.high_risk},
            "metrics": dict(contract.metrics),
        }


def new_ids(count: int) -> list[str]:
    """Fresh prediction ids: 128 random bits each, as hex."""
    text = os.urandom(16 * count).hex()
    return [text[i : i + 32] for i in range(0, len(text), 32)]


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


def _name_fields(document: Any, contract: Contract) -> dict[str, Any]:
    """Named fields as they are; `features` in contract order under their names."""
    if not isinstance(document, dict):
        raise InvalidRecordError([Fault("", "must be an object", "malformed")])
    if "features" not in document or "features" in contract.field_names:
        return document
    values = document["features"]
    if len(document) != 1 or not isinstance(values, list):
        problem = "must be a list of values, and the only key"
        raise InvalidRecordError([Fault("features", problem, "malformed")])
    return contract.name_values(values)


def _encode_all(
    records: list[Any], contract: Contract
) -> tuple[list[dict[str, Any]], NDArray[np.float32]]:
    quick = contract.encode_quickly(records)
    if quick is not None:
        return records, quick
    named: list[dict[str, Any]] = []
    vectors: list[list[float]] = []
    wrong: list[tuple[str, str]] = []
    refused: Counter[tuple[str, str]] = Counter()
    for i, document in enumerate(records):
        try:
            record = _name_fields(document, contract)
            vectors.append(contract.encode(record))
            named.append(record)
        except InvalidRecordError as error:
            refused.update(count_record(error.faults))
            if len(wrong) < MAX_FIELDS_NAMED:
                wrong += [(f"records[{i}].{name}".rstrip("."), why) for name, why in error.fields]
    if refused:
        raise RefusedError(wrong, contract, refused)
    width = len(contract.feature_names)
    return named, np.array(vectors, dtype=np.float32).reshape(len(vectors), width)


def _invalid(fields: Iterable[tuple[str, str]]) -> RequestError:
    named = tuple(fields)[:MAX_FIELDS_NAMED]
    return RequestError(422, "invalid", NOT_AS_WANTED, named)


def _no_route(path: str, methods: Mapping[str, str]) -> RequestError:
    if path in methods:
        return RequestError(405, "method_not_allowed", f"wanted {methods[path]} on this path")
    return RequestError(404, "not_found", "there is nothing on this path")
