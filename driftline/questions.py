"""What environments are asked: records that the contract takes, and requests that it refuses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.contract import Contract
from driftline.date_parts import recover_days
from driftline.dates import spell_date
from driftline.fields import FieldSpec, InvalidRecordError
from driftline.matrix import as_sent

Record = dict[str, Any]
NO_CATEGORY = "no such category"
SHARE_SWAPPED, SHARE_UNIFORM, SHARE_MISSING = 0.5, 0.05, 0.02


@dataclass(frozen=True)
class Request:
    """One request that is wrong in one way."""

    name: str
    method: str
    path: str
    body: bytes = b""


def plain_records(table: pd.DataFrame, contract: Contract) -> list[Record]:
    """A table's rows as JSON has them: None where a value is missing."""
    names = [spec.name for spec in contract.fields]
    rows = as_sent(table[names], contract).astype(object).where(table[names].notna(), None)
    return [{str(k): v for k, v in row.items()} for row in rows.to_dict(orient="records")]


def resample_records(
    records: Sequence[Record], contract: Contract, *, count: int, seed: int
) -> list[Record]:
    """New records from old ones: values of other rows, some from anywhere in range, some missing.

    Integers are drawn as whole numbers; a record that breaks the contract is never made.
    """
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        base, other = (records[int(i)] for i in rng.integers(len(records), size=2))
        chances = rng.random((len(contract.fields), 2))
        record: Record = {}
        for spec, (swap, kind) in zip(contract.fields, chances.tolist(), strict=True):
            value = (other if swap < SHARE_SWAPPED else base).get(spec.name)
            if kind < SHARE_UNIFORM:
                value = _draw(spec, rng, value)
            elif kind > 1 - SHARE_MISSING and spec.allow_missing:
                value = None
            record[spec.name] = value
        made.append(record)
    return _taken(made, contract)


def _taken(records: list[Record], contract: Contract) -> list[Record]:
    """Those that leave no feature undefined which may not be."""
    if not contract.features:
        return records
    return [record for record in records if not contract.try_encode(record)[1]]


def _draw(spec: FieldSpec, rng: np.random.Generator, default: Any) -> Any:
    if spec.kind == "category":
        return spec.categories[int(rng.integers(len(spec.categories)))]
    if spec.low is None or spec.high is None:
        return default
    value = float(rng.uniform(spec.low, spec.high))
    if spec.kind == "date":
        return spell_date(value)
    return float(np.clip(round(value), np.ceil(spec.low), spec.high)) if _is_whole(spec) else value


def _is_whole(spec: FieldSpec) -> bool:
    return spec.kind == "integer"


def edge_records(typical: Record, contract: Contract) -> list[Record]:
    """Range ends, every category, missing values and their codes, one field at a time and all."""
    made = [dict(typical)]
    for spec in contract.fields:
        made += [typical | {spec.name: value} for value in _edges(spec)]
        if spec.allow_missing:
            made.append({name: value for name, value in typical.items() if name != spec.name})
    optional = {spec.name: None for spec in contract.fields if spec.allow_missing}
    return _taken([*made, typical | optional], contract)


def _edges(spec: FieldSpec) -> list[Any]:
    missing: list[Any] = [None] if spec.allow_missing else []
    codes = spec.codes if spec.allow_missing else ()
    if spec.kind == "category":
        unseen = [NO_CATEGORY] if spec.unseen is not None else []
        return [*spec.categories, *unseen, *codes, *missing]
    ends: list[Any] = [end for end in (spec.low, spec.high) if end is not None]
    if spec.kind == "date":
        ends = [spell_date(end) for end in ends]
    return [*ends, *codes, *missing]


def records_of_vectors(vectors: NDArray[np.float32], contract: Contract) -> list[Record]:
    """Encoded rows back as records, of those that a record can say exactly."""
    made = []
    for vector in vectors:
        record: Record = {}
        start = 0
        for spec in contract.fields:
            width = len(spec.feature_names)
            record[spec.name] = _decode(spec, vector[start : start + width])
            start += width
        try:
            again = np.array(contract.encode(record), dtype=np.float32)
        except InvalidRecordError:
            continue
        if np.array_equal(again[:start], vector[:start], equal_nan=True):  # features follow
            made.append(record)
    return made


def _decode(spec: FieldSpec, elements: NDArray[np.float32]) -> Any:
    if spec.kind == "date":
        return _decode_date(spec, elements)
    if spec.kind != "category":
        return None if np.isnan(elements[0]) else float(elements[0])
    if not spec.ordered:
        return spec.categories[int(elements.argmax())] if elements.any() else None
    known = np.isfinite(elements[0]) and 0 <= elements[0] < len(spec.categories)
    return spec.categories[int(elements[0])] if known else None


def _decode_date(spec: FieldSpec, elements: NDArray[np.float32]) -> str | None:
    try:
        days = recover_days(elements.tolist(), spec.parts or ("days",), spec.fixed_day)
        return None if days is None else spell_date(days)
    except (ValueError, OverflowError):
        return None


def bad_requests(typical: Record, contract: Contract) -> list[Request]:
    """Requests that must be refused, each wrong in one way, in every environment alike."""
    first = contract.fields[0].name
    values = [typical.get(spec.name) for spec in contract.fields]
    bodies: list[tuple[str, bytes]] = [
        ("no body", b""),
        ("not JSON", b"{]"),
        ("not an object", b"[1, 2]"),
        ("not text", b'{"\xff\xfe": 1}'),
        ("NaN", b'{"%s": NaN}' % first.encode()),
        ("number beyond any", b'{"%s": 1e400}' % first.encode()),
        ("too large", b'{"x": "' + b"x" * 70_000 + b'"}'),
        ("unknown field", _json(typical | {"no such field": 1})),
        ("a list as value", _json(typical | {first: [1]})),
        ("too few features", _json({"features": values[:-1]})),
        ("features and more", _json({"features": values, first: 1})),
    ]
    bodies += [(f"{spec.name}: {why}", _json(r)) for spec, why, r in _bad_values(typical, contract)]
    bodies += [
        (f"{one.name}, computed", _json(typical | {one.name: 1})) for one in contract.features
    ]
    requests = [Request(name, "POST", "/predict", body) for name, body in bodies]
    batch = [typical, typical | {"no such field": 1}, 3]
    label = contract.classes[0] if contract.number is None else contract.number.low or 0.0
    return [
        *requests,
        Request("no list of records", "POST", "/predict_batch", b'{"records": {}}'),
        Request("bad records in a batch", "POST", "/predict_batch", _json({"records": batch})),
        Request("unknown id", "POST", "/feedback", _feedback("f" * 32, label)),
        Request("unknown label", "POST", "/feedback", _feedback("f" * 32, "no such label")),
        Request("wrong method", "GET", "/predict"),
        Request("wrong method of /model", "DELETE", "/model"),
    ]


def _bad_values(typical: Record, contract: Contract) -> list[tuple[FieldSpec, str, Record]]:
    found = []
    for spec in contract.fields:
        wrong: list[tuple[str, Any]] = [("an object", {})]
        if not spec.allow_missing:
            wrong.append(("missing", None))
        if spec.unseen is None:
            wrong.append(("true", True))
        if spec.kind == "category":
            wrong += [("unknown category", NO_CATEGORY)] if spec.unseen is None else []
        elif spec.kind == "date":
            wrong += [("no date", "2024-02-30"), ("a number", 1)]
        else:
            wrong.append(("text", "1"))
            wrong += [("too small", spec.low - 1)] if spec.low is not None else []
            wrong += [("too large", spec.high + 1)] if spec.high is not None else []
        found += [(spec, why, typical | {spec.name: value}) for why, value in wrong]
    return found


def _feedback(prediction_id: str, label: str | float) -> bytes:
    return _json({"prediction_id": prediction_id, "label": label})


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
