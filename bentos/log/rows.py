"""What stands in the prediction log, spelt once for whoever writes it.

An entry is what one request leaves: plain JSON, as it waits in the spool. Rows are what an entry
becomes in the database's tables; `bentos.log.tables` gives their columns lengths and indexes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import orjson

from bentos.columns import AnswerColumns
from bentos.log.packed import pack_rows, unpack_rows
from bentos.predictor import AnyAnswer
from driftline.contract import Contract
from driftline.plain_numbers import PlainRows

Entry = Mapping[str, Any]
Row = dict[str, Any]
Types = Mapping[str, type | tuple[type, ...]]

PREDICTION: Types = {
    "id": str,
    "problem": str,
    "model_version": str,
    "answered_at": datetime,
    "inputs": str,
    "prediction": int,
    "label": str,
    "probabilities": str,
    "confidence": (float, int),
    "risk_level": str,
}
REFUSAL: Types = {
    "id": str,
    "problem": str,
    "model_version": str,
    "at": datetime,
    "field": str,
    "kind": str,
    "count": int,
}


LOGGED = ("id", "inputs", "prediction", "label", "probabilities", "confidence", "risk")


def prediction_entry(
    contract: Contract,
    records: Iterable[Mapping[str, Any]],
    answers: Iterable[AnyAnswer],
    ids: Iterable[str],
    *,
    at: float,
) -> dict[str, Any]:
    """The entry of the answers to one request, given at a time in seconds since the epoch."""
    return {
        "time": at,
        "problem": contract.problem,
        "version": contract.model_version,
        "predictions": [
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
        ],
    }


def column_entry(
    contract: Contract,
    records: Sequence[Any],
    answers: AnswerColumns,
    ids: Sequence[str],
    *,
    names: Sequence[str] | None,
    at: float,
) -> dict[str, Any]:
    """The entry of the answers to many records, as columns: a third of the work and of the bytes.

    `records` are values in the order of `names`, or whole records where that is None. The ids come
    first, where `bentos.log.spool` finds them.
    """
    inputs = pack_rows(records) if isinstance(records, PlainRows) else records
    return {
        "columns": {
            "id": ids,
            "names": names,
            "inputs": inputs,
            "prediction": answers.prediction.tolist(),
            "label": answers.label.tolist(),
            "probabilities": answers.probabilities.tolist(),
            "confidence": answers.confidence.tolist(),
            "risk": answers.risk_level.tolist(),
        },
        "time": at,
        "problem": contract.problem,
        "version": contract.model_version,
    }


def prediction_rows(entry: Entry) -> list[Row]:
    """An entry of predictions as rows, with their columns in the order of `PREDICTION`.

    `ValueError` where the columns of an entry of many are not equally long.
    """
    problem, version, at = entry["problem"], entry["version"], _moment(entry["time"])
    return [
        {
            "id": name,
            "problem": problem,
            "model_version": version,
            "answered_at": at,
            "inputs": orjson.dumps(inputs).decode(),
            "prediction": prediction,
            "label": label,
            "probabilities": orjson.dumps(probabilities).decode(),
            "confidence": confidence,
            "risk_level": risk,
        }
        for name, inputs, prediction, label, probabilities, confidence, risk in _predictions(entry)
    ]


def _predictions(entry: Entry) -> Iterable[Sequence[Any]]:
    """The values of each prediction, in the order of `LOGGED`."""
    columns = entry.get("columns")
    if columns is None:
        return ([one[name] for name in LOGGED] for one in entry["predictions"])
    names, (ids, inputs, *rest) = columns["names"], (columns[name] for name in LOGGED)
    if names is not None:
        rows = unpack_rows(inputs) if isinstance(inputs, dict) else inputs
        inputs = (dict(zip(names, values, strict=True)) for values in rows)
    return zip(ids, inputs, *rest, strict=True)


def refusal_rows(entry: Entry) -> list[Row]:
    """An entry of refusals as rows; the same entry has the same ids."""
    return [
        {
            "id": f"{entry['refused']}-{place}",
            "problem": entry["problem"],
            "model_version": entry["version"],
            "at": _moment(entry["time"]),
            "field": field,
            "kind": kind,
            "count": count,
        }
        for place, (field, kind, count) in enumerate(entry["counts"])
    ]


def check_types(rows: Sequence[Row], types: Types) -> None:
    """Raise `TypeError` where a value is none that its column could hold.

    Databases differ in what they say of such a value, and some say it of the whole statement.
    """
    for column, wanted in types.items():
        for kind in set(map(type, map(itemgetter(column), rows))) - {type(None)}:
            if issubclass(kind, bool) or not issubclass(kind, wanted):
                raise TypeError(column)


def label_row(prediction_id: str, problem: str, label: str, part: str | None = None) -> Row:
    """A label that is received now; `part` is the part of a batch that holds its prediction."""
    return {
        "prediction_id": prediction_id,
        "problem": problem,
        "label": label,
        "received_at": now(),
        "part": part,
    }


def order_row(problem: str, kind: str, key: str) -> Row:
    """An order that is placed now and waits to be carried out."""
    return {
        "key": key,
        "problem": problem,
        "kind": kind,
        "state": "open",
        "changed_at": now(),
    }


def now() -> datetime:
    """The moment as the database keeps it: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
