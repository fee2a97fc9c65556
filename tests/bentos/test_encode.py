"""The quick way of encoding a batch against the careful one, which decides."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.records import encode_all, name_fields
from bentos.replies import RefusedError
from driftline.contract import Contract
from driftline.fields import FieldSpec, InvalidRecordError
from tests.support import encode_quickly

NAMES = ("a", "b", "c", "d")
EDGES = (2**53 - 1, 2**53, 2**53 + 1, 2**63, 2**64 - 1, -(2**53) - 1, 10**400, -0.0, 1e308, 3.5e38)

bounds = st.one_of(
    st.integers(-1000, 1000).map(float), st.sampled_from([2.0**53, -(2.0**53), 1e19, -1e19])
)
odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.sampled_from(EDGES),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=1), st.integers(), max_size=1),
)


@st.composite
def numeric_fields(draw: st.DrawFn, name: str) -> FieldSpec:
    kind = draw(st.sampled_from(["number", "integer"]))
    if draw(st.booleans()):
        return FieldSpec(name=name, kind=kind, allow_missing=draw(st.booleans()))
    low, high = sorted([draw(bounds), draw(bounds)])
    return FieldSpec(name=name, kind=kind, low=low, high=high, allow_missing=draw(st.booleans()))


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    return make_contract(*(draw(numeric_fields(name)) for name in names))


def make_contract(*fields: FieldSpec) -> Contract:
    return Contract(
        problem="p",
        title="",
        fields=fields,
        classes=("no", "yes"),
        positive=(1,),
        threshold=0.5,
        medium_risk=0.3,
        high_risk=0.7,
    )


@st.composite
def values(draw: st.DrawFn, field: FieldSpec, oddity: st.SearchStrategy[Any]) -> Any:
    low = -1e6 if field.low is None else field.low
    high = 1e6 if field.high is None else field.high
    inside = st.integers(math.ceil(low), math.floor(high)) | st.floats(low, high)
    near = st.sampled_from([low, high, math.nextafter(low, -1e300), math.nextafter(high, 1e300)])
    whole = st.integers(math.ceil(low), math.floor(high))
    return draw(oddity | near | inside | (whole if field.kind == "integer" else inside))


@st.composite
def batches(
    draw: st.DrawFn, oddity: st.SearchStrategy[Any]
) -> tuple[Contract, list[dict[str, Any]]]:
    contract = draw(contracts())
    records = []
    for _ in range(draw(st.integers(0, 4))):
        record = {field.name: draw(values(field, oddity)) for field in contract.fields}
        if draw(st.integers(0, 9)) == 0:
            record[draw(st.sampled_from([*NAMES, "unknown"]))] = 1
        if draw(st.integers(0, 9)) == 0 and record:
            record.pop(draw(st.sampled_from(sorted(record))))
        records.append(record)
    return contract, records


def carefully(contract: Contract, records: list[dict[str, Any]]) -> np.ndarray | None:
    try:
        return contract.encode_table(records)
    except InvalidRecordError:
        return None


@given(batch=batches(odd_values))
def test_the_quick_way_gives_what_the_careful_one_gives_or_asks_for_it(
    batch: tuple[Contract, list[dict[str, Any]]],
) -> None:
    contract, records = batch

    quick = encode_quickly(contract, records)

    if quick is not None:
        careful = carefully(contract, records)
        assert careful is not None, "the quick way took what the careful one refuses"
        np.testing.assert_array_equal(quick, careful)
        assert quick.dtype == careful.dtype


@given(value=odd_values, at=st.sampled_from(NAMES))
def test_one_odd_value_among_plain_numbers_is_noticed(value: Any, at: str) -> None:
    fields = [FieldSpec(name=name, kind="number", low=-1e30, high=1e30) for name in NAMES]
    contract = make_contract(*fields)
    records = [dict.fromkeys(NAMES, 1.5) for _ in range(3)]
    records[1][at] = value

    quick, careful = encode_quickly(contract, records), carefully(contract, records)

    assert quick is None or careful is not None
    if careful is not None and abs(value) < 2**53:
        np.testing.assert_array_equal(quick, careful)


@pytest.mark.parametrize("edge", [2**53, 2**60, -(2**53)])
@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_whole_number_just_beyond_a_bound_is_refused_either_way(edge: int, step: int) -> None:
    """Beyond 2**53 a float cannot tell a whole number from its neighbour."""
    field = FieldSpec(name="a", kind="integer", low=min(0.0, edge), high=max(0.0, edge))
    contract = make_contract(field, replace(field, name="b"))
    records = [{"a": 0, "b": edge + step}]

    quick = encode_quickly(contract, records)

    assert quick is None or carefully(contract, records) is not None


@given(batch=batches(st.nothing()))
def test_both_ways_agree_on_what_came_as_json(
    batch: tuple[Contract, list[dict[str, Any]]],
) -> None:
    contract, records = batch
    parsed = orjson.loads(json.dumps(records))

    quick = encode_quickly(contract, parsed)

    careful = carefully(contract, parsed)
    assert quick is None or (careful is not None and (quick == careful).all())


def test_plain_numbers_do_take_the_quick_way(wide_predictor: Any) -> None:
    contract = wide_predictor.contract
    records = [dict(contract.example)] * 3

    quick = encode_quickly(contract, records)

    assert quick is not None
    np.testing.assert_array_equal(quick, contract.encode_table(records))


@given(junk=st.lists(odd_values, max_size=4))
def test_what_is_not_a_record_is_left_to_the_careful_way(
    wide_predictor: Any, junk: list[Any]
) -> None:
    quick = encode_quickly(wide_predictor.contract, junk)

    assert quick is None or not junk


@given(batch=batches(odd_values), cut=st.integers(0, 3))
def test_values_in_contract_order_are_taken_and_refused_as_each_record_is(
    batch: tuple[Contract, list[dict[str, Any]]], cut: int
) -> None:
    contract, records = batch
    documents = [{"features": list(record.values())} for record in records]
    documents += records[:cut]

    try:
        told: Any = encode_all(documents, contract, dict)
    except RefusedError as error:
        told = error

    named, vectors, faults = [], [], []
    for i, document in enumerate(documents):
        try:
            record = name_fields(document, contract)
            vectors.append(contract.encode(record))
            named.append(record)
        except InvalidRecordError as error:
            faults += [(f"records[{i}].{name}".rstrip("."), why) for name, why in error.fields]
    if faults:
        assert told.fields == tuple(faults)
    else:
        assert list(told.records) == named
        wanted = np.array(vectors, np.float32).reshape(told.matrix.shape)
        np.testing.assert_array_equal(told.matrix, wanted)


def test_values_in_contract_order_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = [FieldSpec(name=name, kind="number", low=0, high=9) for name in NAMES]
    contract = make_contract(*fields)
    monkeypatch.setattr(Contract, "encode", None)  # which looks at each record by itself

    batch = encode_all([{"features": [1, 2, 3, 4]}, {"features": [5, 6, 7, 8]}], contract, dict)

    assert batch.records[1] == {"a": 5, "b": 6, "c": 7, "d": 8}
    assert batch.matrix.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
