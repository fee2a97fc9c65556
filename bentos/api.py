"""What each path answers, whatever carries it: bytes in, status and bytes out.

HTTP and Lambda share this, so they cannot differ. No value that a client sent is logged or echoed.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from bentos.arms import Arms
from bentos.columns import AnswerColumns, Answers, answer_records, tell_answers, tell_list
from bentos.http import about, openapi
from bentos.http.door import Door
from bentos.http.metrics import Ledger, is_counted_alike
from bentos.ids import fold_id, is_recent, new_ids
from bentos.log.refusals import count_record
from bentos.log.rows import column_entry, prediction_entry
from bentos.log.writers import LogUnavailableError, PredictionLog
from bentos.predictor import Predictor
from bentos.records import Batch, body_limit, encode_all, name_fields, parse_object, unpack
from bentos.replies import (
    LOG_UNAVAILABLE,
    NOT_YET,
    InvalidError,
    RefusedError,
    Reply,
    RequestError,
    error_reply,
)
from bentos.settings import lookup_folder
from bentos.tables.lookups import Lookups
from driftline.contract import Contract
from driftline.contributions import explain
from driftline.fields import InvalidRecordError, safe_name

MAX_BATCH = 10_000
NOT_YET_SECONDS = 600.0  # that a prediction may take from another replica's spool to the database
_ID = re.compile(r"[0-9a-zA-Z_-]{1,64}")
_FEEDBACK = {"prediction_id", "label"}


@dataclass(frozen=True)
class Share:
    """The records of a request that one model has answered, and their places in it."""

    contract: Contract
    batch: Batch
    answers: Answers
    ids: Sequence[str]
    places: Sequence[int]


class Api:
    """The paths of the service over one predictor and one log."""

    def __init__(
        self,
        predictor: Predictor,
        log: PredictionLog,
        *,
        keys: Iterable[str] = (),
        origins: Iterable[str] = (),
        on_label: Callable[[Contract], None] | None = None,
        lookups: Lookups | None = None,
    ) -> None:
        """Bind the routes; with `keys`, only requests that carry one of them are answered.

        `origins` are those whose pages may read answers; `on_label` is called after a label was
        added. Fields that joins fill in are looked up in `lookups`.
        """
        self.lookups = Lookups(lookup_folder()) if lookups is None else lookups
        self.door = Door(keys=keys, origins=origins)
        self._on_label = on_label
        self.predictor = predictor
        self.arms: Arms | None = None
        self.log = log
        self.ledger = Ledger(predictor.contract)
        self.routes: dict[str, Callable[[bytes, bytes], Any]] = {
            "/predict": self._predict,
            "/predict_batch": self._predict_batch,
            "/explain": self._explain,
            "/feedback": self._feedback,
            "/model": self._model,
            "/openapi.json": self._describe,
            "/docs.json": self._describe,
        }

    def take_over(self, predictor: Predictor) -> None:
        """Answer with another model from the next request on; counts go on where fields agree."""
        old, new = self.predictor.contract, predictor.contract
        if is_counted_alike(old, new):
            self.ledger.contract = new
        else:
            self.ledger = Ledger(new)
        self.predictor = predictor

    def split(self, arms: Arms | None) -> None:
        """Let a contender answer its share from the next request on, or the champion all."""
        self.arms = arms

    def respond(
        self,
        method: str,
        path: str,
        body: bytes,
        key: bytes | None = None,
        coding: bytes = b"",
        subject: bytes = b"",
    ) -> Reply:
        """Answer one request; anything that is wrong with it becomes an error body.

        `coding` is the body's content coding, `subject` whom a trial answers by the same model
        again. What carries a `HEAD` leaves the answer's body out.
        """
        begun = time.perf_counter()
        try:
            self.door.admit(method, path, key, self.routes)
            if method == "OPTIONS":
                return self.door.options(path)
            plain = unpack(body, coding, body_limit(path)) if coding else body
            reply = Reply(200, orjson.dumps(self.routes[path](plain, subject)))
        except RequestError as error:
            return self.refuse(error)
        self.ledger.seconds.add(time.perf_counter() - begun)
        return reply

    def refuse(self, error: RequestError) -> Reply:
        """Count what cannot be answered, and say why.

        One error may be raised again and again; it keeps nothing of the request that met it.
        """
        error.__traceback__ = error.__context__ = None
        self.ledger.reject(error.code)
        if isinstance(error, RefusedError):
            contract = error.contract
            self.ledger.refuse(contract, error.counts)
            self.log.refuse(contract.problem, contract.model_version, error.counts)
        return error_reply(error)

    def _predict(self, body: bytes, subject: bytes) -> Any:
        predictor = self.predictor  # one model for the whole request, whatever takes over meanwhile
        contract, document = predictor.contract, parse_object(body, body_limit("/predict"))
        try:
            record = self.lookups.complete(contract, name_fields(document, contract))
            vector = contract.encode(record)
        except InvalidRecordError as error:
            raise RefusedError(error.fields, contract, count_record(error.faults)) from None
        matrix = np.array([vector], dtype=np.float32)
        (told,) = self._score_and_log(predictor, Batch(None, [record], matrix), subject)
        return told

    def _predict_batch(self, body: bytes, subject: bytes) -> Any:
        document = parse_object(body, body_limit("/predict_batch"))
        records = document.get("records")
        if not isinstance(records, list) or len(document) != 1:
            raise RequestError(422, "invalid_batch", 'wanted {"records": [record, ...]}')
        if len(records) > MAX_BATCH:
            raise RequestError(413, "batch_too_large", f"wanted at most {MAX_BATCH} records")
        predictor = self.predictor
        contract = predictor.contract
        batch = encode_all(records, contract, self.lookups.begin(contract))
        return {"predictions": self._score_and_log(predictor, batch, subject)}

    def _score_and_log(self, predictor: Predictor, batch: Batch, subject: bytes) -> Any:
        """Have each record answered by the model whose it is, and the answers in their order.

        Every model has answered, and every answer is spelt, before the first one is logged.
        """
        ids = new_ids(len(batch))
        shares = []
        for model, places in self._share_out(predictor, batch, ids, subject):
            part = batch.take(places)
            names = ids if part is batch else [ids[place] for place in places]
            answers = answer_records(model, part.matrix)
            shares.append(Share(model.contract, part, answers, names, places))
        bodies = _tell(shares, len(ids))
        for share in shares:
            self._write(_make_entry(share))
            self.ledger.count(share.contract, share.batch.matrix, share.answers)
        return bodies

    def _share_out(
        self, predictor: Predictor, batch: Batch, ids: Sequence[str], subject: bytes
    ) -> list[tuple[Predictor, list[int]]]:
        """The models that answer, each with the places of its records."""
        arms, everybody = self.arms, range(len(ids))
        if arms is None or not arms.fit(predictor.contract):
            return [(predictor, list(everybody))] if ids else []
        theirs = set(arms.assign(batch.records, ids, subject))
        ours = [place for place in everybody if place not in theirs]
        shares = [(predictor, ours), (arms.contender, sorted(theirs))]
        return [(model, places) for model, places in shares if places]

    def _explain(self, body: bytes, subject: bytes) -> Any:
        """What moved the answer to a record, by the model that would answer its subject.

        It is no prediction, and leaves nothing behind. A trial that knows no subject gives each
        answer to one of two models by chance: then the champion's is explained.
        """
        predictor, arms = self.predictor, self.arms
        document = parse_object(body, body_limit("/explain"))
        try:
            named = name_fields(document, predictor.contract)
            record = self.lookups.complete(predictor.contract, named)
            predictor.contract.encode(record)  # before its subject is spelt
            if arms is not None and arms.fit(predictor.contract) and arms.knows(record, subject):
                predictor = arms.contender if arms.assign([record], [""], subject) else predictor
            explained = explain(predictor.contract, record, predictor.score)
        except InvalidRecordError as error:
            raise InvalidError(error.fields) from None
        return about.tell_explained(predictor.contract, explained)

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self.log.write(entry)
        except LogUnavailableError:
            raise LOG_UNAVAILABLE from None

    def _feedback(self, body: bytes, _subject: bytes) -> Any:
        document = parse_object(body, body_limit("/feedback"))
        prediction_id, label = document.get("prediction_id"), document.get("label")
        labels = self.predictor.contract.labels
        wrong = []
        prediction_id = fold_id(prediction_id) if isinstance(prediction_id, str) else ""
        if not _ID.fullmatch(prediction_id):
            wrong.append(("prediction_id", "must be the id of a prediction"))
        meant = labels.find(label)
        if meant is None:
            wrong.append(("label", f"must be {labels.wanted}"))
        wrong += [(safe_name(name), "is not a field") for name in document.keys() - _FEEDBACK]
        if wrong:
            raise InvalidError(wrong)
        try:
            outcome = self.log.label(prediction_id, str(meant))
        except LogUnavailableError:
            raise LOG_UNAVAILABLE from None
        if outcome == "unknown" and is_recent(prediction_id, NOT_YET_SECONDS):
            outcome = NOT_YET.code
        self.ledger.labels[outcome] += 1
        if outcome == NOT_YET.code:
            raise NOT_YET
        if outcome == "unknown":
            raise RequestError(404, "unknown_prediction", "no prediction has this id")
        if outcome == "different":
            raise RequestError(409, "label_differs", "another label is kept for this prediction")
        if outcome == "added" and self._on_label is not None:
            self._on_label(self.predictor.contract)
        return {"status": outcome}

    def _describe(self, _body: bytes, _subject: bytes) -> Any:
        return openapi.describe(self.predictor.contract)

    def _model(self, _body: bytes, _subject: bytes) -> Any:
        return about.tell_model(self.predictor.contract)


def _tell(shares: Sequence[Share], count: int) -> Any:
    """The answers of all shares in the order of their records."""
    if len(shares) == 1:
        return tell_list(shares[0].contract, shares[0].answers, shares[0].ids)
    bodies: list[Any] = [None] * count
    for share in shares:
        told = tell_answers(share.contract, share.answers, share.ids)
        for place, body in zip(share.places, told, strict=True):
            bodies[place] = body
    return bodies


def _make_entry(share: Share) -> dict[str, Any]:
    """What the log keeps of answers that are given now."""
    at, batch, answers = time.time(), share.batch, share.answers
    if isinstance(answers, AnswerColumns):
        return column_entry(
            share.contract, batch.rows, answers, share.ids, names=batch.names, at=at
        )
    return prediction_entry(share.contract, batch.records, answers, share.ids, at=at)
