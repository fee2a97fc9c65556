"""A batch is answered and logged as its records are, one after another."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bentos.api import Api
from bentos.columns import FEW
from bentos.log.rows import prediction_rows
from bentos.predictor import Predictor
from tests.bentos.models import KeptLog, tiny_records

Record = dict[str, Any]
UNLIKE = ("id", "answered_at")  # which no two predictions share


def wide_records(predictor: Predictor, count: int, seed: int) -> list[Record]:
    """Records around the contract's example, one of them whole, one in another order."""
    rng = np.random.default_rng(seed)
    example = dict(predictor.contract.example)
    factors = rng.uniform(0.9, 1.1, (count, len(example))).tolist()
    records: list[Record] = [
        {name: value * factor for (name, value), factor in zip(example.items(), row, strict=True)}
        for row in factors
    ]
    records[0] = {name: round(value) for name, value in records[0].items()}
    records[1] = dict(reversed(records[1].items()))
    return records


def by_name(record: Record, _place: int) -> Record:
    return record


def listed(record: Record, _place: int) -> Record:
    return {"features": list(record.values())}


def mixed(record: Record, place: int) -> Record:
    return listed(record, place) if place % 2 else record


def answer(api: Api, path: str, document: Record) -> Record:
    reply = api.respond("POST", path, orjson.dumps(document))
    assert reply.status == 200, reply.body
    return orjson.loads(reply.body)


def without(rows: Sequence[Record], names: Sequence[str]) -> list[Record]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def kept(log: KeptLog) -> list[Record]:
    """What the database would keep, with inputs as what they say: their order says nothing."""
    entries = [orjson.loads(orjson.dumps(entry)) for entry in log.entries]
    rows = [row for entry in entries for row in prediction_rows(entry)]
    return [row | {"inputs": orjson.loads(row["inputs"])} for row in rows]


def check_alike(predictor: Predictor, records: Sequence[Record]) -> None:
    """Answers, rows of the log and counts of a batch are those of its records by themselves."""
    many, each = KeptLog(), KeptLog()
    together, alone = Api(predictor, many), Api(predictor, each)

    told = answer(together, "/predict_batch", {"records": list(records)})["predictions"]
    singly = [answer(alone, "/predict", record) for record in records]

    assert without(told, ["prediction_id"]) == without(singly, ["prediction_id"])
    assert [list(one) for one in told] == [list(one) for one in singly]
    assert [row["id"] for row in kept(many)] == [one["prediction_id"] for one in told]
    assert without(kept(many), UNLIKE) == without(kept(each), UNLIKE)
    one, other = together.ledger, alone.ledger
    assert (one.by_class, one.by_risk, one.by_version) == (
        other.by_class,
        other.by_risk,
        other.by_version,
    )
    assert one.confidence.counts == other.confidence.counts


@settings(max_examples=10, deadline=None)
@given(
    count=st.integers(2, 2 * FEW),
    seed=st.integers(0, 2**32 - 1),
    form=st.sampled_from([by_name, listed, mixed]),
)
def test_a_batch_of_plain_numbers_says_and_leaves_what_its_records_do(
    wide_predictor: Predictor, count: int, seed: int, form: Callable[[Record, int], Record]
) -> None:
    records = wide_records(wide_predictor, count, seed)
    ordered = [{name: r[name] for name, _ in wide_predictor.contract.example} for r in records]

    check_alike(wide_predictor, [form(each, place) for place, each in enumerate(ordered)])


@pytest.mark.parametrize("form", [by_name, listed])
@pytest.mark.parametrize("wholes", [0, 3, 30])
def test_a_batch_whose_fields_come_as_one_kind_each_leaves_what_its_records_do(
    wide_predictor: Predictor, form: Callable[[Record, int], Record], wholes: int
) -> None:
    def as_one_kind(record: Record) -> Record:
        return {
            name: round(value) if place < wholes else value + 0.001
            for place, (name, value) in enumerate(record.items())
        }

    records = [as_one_kind(record) for record in wide_records(wide_predictor, FEW + 9, 1)[2:]]

    check_alike(wide_predictor, [form(each, place) for place, each in enumerate(records)])


def test_fields_in_another_order_are_logged_under_their_own_names(
    wide_predictor: Predictor,
) -> None:
    check_alike(wide_predictor, wide_records(wide_predictor, FEW, 0))


@pytest.mark.parametrize("count", [FEW - 1, FEW, 3 * FEW])
def test_a_batch_with_categories_says_and_leaves_what_its_records_do(
    predictor: Predictor, count: int
) -> None:
    check_alike(predictor, list(tiny_records(count)))
