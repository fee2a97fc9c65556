import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.contract import Contract, parse_contract
from driftline.dataset import draft_contract
from driftline.deciding import Costs
from driftline.fields import FieldSpec
from driftline.metrics import decide
from tests.support import make_problem

MATRIX: Costs = ((0.0, 0.5, 1.0), (0.2, 0.0, 0.1), (0.4, 0.3, 0.0))
CONTRACT = replace(draft_contract(make_problem()), threshold=0.4)
names = st.text("abcdefgh", min_size=1, max_size=5)
texts = st.text(max_size=8)
finite = st.floats(-1e6, 1e6)


@st.composite
def fields(draw: st.DrawFn, name: str) -> FieldSpec:
    kind = draw(st.sampled_from(["number", "integer", "category"]))
    allow_missing = draw(st.booleans())
    if kind == "category":
        categories = tuple(draw(st.lists(names, min_size=2, max_size=4, unique=True)))
        return FieldSpec(
            name=name,
            kind=kind,
            categories=categories,
            ordered=draw(st.booleans()),
            allow_missing=allow_missing,
        )
    low, high = sorted([draw(st.integers(-1000, 0)), draw(st.integers(1, 1000))])
    return FieldSpec(
        name=name, kind=kind, low=float(low), high=float(high), allow_missing=allow_missing
    )


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    classes = tuple(draw(st.lists(names, min_size=2, max_size=4, unique=True)))
    chosen = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    return Contract(
        problem=draw(names),
        title=draw(texts),
        fields=tuple(draw(fields(name)) for name in chosen),
        classes=classes,
        positive=(0,),
        threshold=draw(st.none() | st.floats(0.01, 0.99)),
        medium_risk=0.3,
        high_risk=0.7,
        model_version=draw(texts),
        onnx_sha256=draw(texts),
        snapshot=draw(texts),
        metrics=tuple(draw(st.lists(st.tuples(names, finite), max_size=3))),
        example=tuple(draw(st.lists(st.tuples(names, st.none() | finite | texts), max_size=3))),
    )


@st.composite
def contracts_with_records(draw: st.DrawFn) -> tuple[Contract, list[dict[str, Any]]]:
    contract = draw(contracts())
    records = [
        {field.name: draw(valid_value(field)) for field in contract.fields}
        for _ in range(draw(st.integers(1, 4)))
    ]
    return contract, records


def valid_value(field: FieldSpec) -> st.SearchStrategy[Any]:
    if field.kind == "category":
        values: st.SearchStrategy[Any] = st.sampled_from(field.categories)
    elif field.kind == "integer":
        values = st.integers(int(field.low or 0), int(field.high or 0))
    else:
        values = st.floats(field.low, field.high)
    return st.none() | values if field.allow_missing else values


@given(contract=contracts())
def test_a_contract_survives_its_json(contract: Contract) -> None:
    assert parse_contract(contract.to_json()) == contract


@given(case=contracts_with_records())
def test_one_record_is_encoded_as_in_a_table(
    case: tuple[Contract, list[dict[str, Any]]],
) -> None:
    contract, records = case

    table = contract.encode_table(records)

    assert table.dtype == np.float32
    assert table.shape == (len(records), len(contract.feature_names))
    for row, record in zip(table, records, strict=True):
        np.testing.assert_array_equal(row, np.array(contract.encode(record), dtype=np.float32))


@given(case=contracts_with_records())
def test_values_in_contract_order_are_the_same_record(
    case: tuple[Contract, list[dict[str, Any]]],
) -> None:
    contract, (record, *_) = case

    named = contract.name_values(list(record.values()))

    assert named == record


@given(case=contracts_with_records())
def test_the_order_of_a_records_keys_does_not_matter(
    case: tuple[Contract, list[dict[str, Any]]],
) -> None:
    contract, (record, *_) = case
    turned = dict(reversed(record.items()))

    np.testing.assert_array_equal(contract.encode(turned), contract.encode(record))


def test_a_probability_on_the_threshold_gets_the_positive_class() -> None:
    assert CONTRACT.decide([0.6, 0.4]) == 1
    assert CONTRACT.decide([0.6001, 0.3999]) == 0


def test_without_threshold_the_most_probable_class_is_taken() -> None:
    contract = replace(CONTRACT, threshold=None, classes=("a", "b", "c"))

    assert contract.decide([0.2, 0.5, 0.3]) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("costs", (0.25, 1.0)),
        ("costs", ((0.0, 1.0), (0.25, 0.0))),
        ("intervals", (("recall", 0.8, 0.95),)),
        ("typical", (("age", 41), ("sex", "F"))),
    ],
)
def test_what_came_later_is_written_where_there_is_some(name: str, value: Any) -> None:
    """A champion's digest was taken of a contract that did not know of it."""
    fuller = replace(CONTRACT, **{name: value})

    assert f'"{name}"' not in CONTRACT.to_json()
    assert parse_contract(CONTRACT.to_json()) == CONTRACT
    assert parse_contract(fuller.to_json()) == fuller


def test_what_is_typical_of_no_training_row_is_the_middle_of_what_may_be() -> None:
    known = replace(CONTRACT, typical=(("level", 1.25),))

    assert CONTRACT.typical_record == {"age": 60, "level": 0, "sex": "F"}
    assert known.typical_record == {"age": 60, "level": 1.25, "sex": "F"}


@given(
    seed=st.integers(0, 9999),
    costs=st.sampled_from([(), (0.25, 1.0, 0.5), MATRIX]),
    decimals=st.integers(1, 12),
)
def test_a_record_is_decided_as_a_table_is(seed: int, costs: Costs, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.round(rng.dirichlet(np.ones(3), 20), decimals)
    contract = replace(CONTRACT, threshold=None, classes=("a", "b", "c"), costs=costs)

    found = [contract.decide(row) for row in table.tolist()]

    assert found == decide(table, positive=None, threshold=None, costs=costs).tolist()


@pytest.mark.parametrize(
    ("probability", "risk"),
    [(0.0, "low"), (0.3, "low"), (0.31, "medium"), (0.7, "medium"), (0.71, "high"), (1.0, "high")],
)
def test_risk_is_read_from_the_bands(probability: float, risk: str) -> None:
    assert CONTRACT.risk([1 - probability, probability]) == risk


def test_without_a_positive_class_there_is_no_risk() -> None:
    assert replace(CONTRACT, positive=()).risk([0.5, 0.5]) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json", '{"fields": [{"nome": "a"}]}'])
def test_what_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"contract.json: not a contract of this version"):
        parse_contract(text)


def test_the_json_holds_no_value_that_json_has_not() -> None:
    contract = replace(CONTRACT, metrics=(("test_roc_auc", math.nan),))

    with pytest.raises(ValueError, match="not JSON compliant"):
        contract.to_json()


def test_the_json_is_an_object_that_other_languages_read() -> None:
    read = json.loads(CONTRACT.to_json())

    assert [field["name"] for field in read["fields"]] == ["age", "level", "sex"]
    assert read["threshold"] == CONTRACT.threshold
