"""Computed features of a problem: declared, encoded alike everywhere, and seen by all that asks."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cleaning import clean, faults_of_values
from driftline.dataset import draft_contract, encode_rows
from driftline.errors import ProblemError
from driftline.fields import InvalidRecordError
from driftline.form import read_computed, tell_computed
from driftline.questions import (
    plain_records,
)
from tests.support import encode_quickly, make_problem
from tests.unit.featured import COLUMNS, RECORD, cleaned, contract_of, make, rows


def encode(**changes: Any) -> dict[str, float]:
    contract = contract_of(make())
    vector = contract.encode(RECORD | {"left": "2024-03-05"} | changes)
    return dict(zip(contract.feature_names, vector, strict=True))


def test_the_contract_asks_for_the_columns_and_holds_the_formulas() -> None:
    contract = contract_of(make())

    assert [field.name for field in contract.fields] == list(COLUMNS)
    assert contract.feature_names[-4:] == ("bmi", "stay", "heavy", "speed")
    assert contract == draft_contract(make())
    assert "features" not in draft_contract(make(features={})).to_json()


def test_a_record_of_columns_becomes_the_vector_with_its_features() -> None:
    found = encode()

    assert found["bmi"] == pytest.approx(70 / 1.75**2)
    assert (found["heavy"], found["stay"], found["came.month"]) == (1, 6, 2)
    assert found["speed"] == pytest.approx(1 / 3)


def test_what_is_missing_or_undefined_is_missing_in_the_features_that_rest_on_it() -> None:
    missing, undefined = encode(height=None), encode(height=0)

    for found in (missing, undefined):
        assert math.isnan(found["bmi"])
        assert math.isnan(found["heavy"])
        assert found["stay"] == 6
    assert math.isnan(encode(left=None)["speed"])


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({}, ("came", "leaves speed undefined (1 / (stay - 3))")),
        ({"bmi": 20}, ("bmi", "is computed here; leave it out")),
    ],
)
def test_what_a_record_may_not_hold_is_said_with_its_field(
    record: dict[str, Any], fault: tuple[str, str]
) -> None:
    with pytest.raises(InvalidRecordError) as refused:
        contract_of(make()).encode(RECORD | record)

    assert refused.value.fields == (fault,)


def test_rows_that_the_contract_refuses_are_set_aside_with_the_same_words() -> None:
    raw = rows(12)
    raw.loc[3, ["came", "left"]] = ["28.02.2024", "2024-03-02"]
    raw.loc[5, "left"] = None

    found = faults_of_values(clean(raw, make(), source="rows.csv", with_target=True), make())

    assert found == {3: ("came: leaves speed undefined (1 / (stay - 3))",)}


def test_rows_of_a_file_and_records_of_json_give_the_same_bits() -> None:
    problem = make()
    table = cleaned(problem, rows())
    contract = contract_of(problem)

    trained = encode_rows(table, problem)
    served = [contract.encode(record) for record in plain_records(table, contract)]

    assert np.array(served, dtype=np.float32).tobytes() == trained.tobytes()
    assert np.isnan(trained[:, -4]).sum() > 5


PLAIN = make_problem(
    columns={"a": {}, "b": {"kind": "integer"}},
    features={"x": "log(abs(a)) / b", "y": "x ** 2 - a", "z": "sqrt(b) * 0.1"},
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "a": st.floats(-9e15, 9e15) | st.integers(-5, 5),
                "b": st.integers(-(10**6), 10**6),
            }
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_batch_is_encoded_as_each_of_its_records(records: list[dict[str, Any]]) -> None:
    contract = draft_contract(PLAIN)

    quick = encode_quickly(contract, records)

    assert quick is not None
    assert np.array_equal(quick, contract.encode_table(records), equal_nan=True)


def test_a_batch_with_an_undefined_record_is_left_to_be_judged_one_by_one() -> None:
    features = {"x": {"formula": "a / b", "undefined": "refuse"}}
    contract = draft_contract(make_problem(columns={"a": {}, "b": {}}, features=features))

    assert encode_quickly(contract, [{"a": 1, "b": 1}, {"a": 1, "b": 0}]) is None
    assert encode_quickly(contract, [{"a": 1, "b": 1}]) is not None


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ({"x": "nothing + 1"}, "features: x: got 'nothing', which is no column; wanted a number"),
        ({"x": "outcome * 2"}, "features: x: got 'outcome', which is the target"),
        ({"x": "truth * 2"}, "features: x: got 'truth', which is the target"),
        ({"x": "id * 2"}, "features: x: got 'id', which is ignored"),
        ({"x": "sex + 1"}, "features: x: got 'sex' of kind 'category'; + wants a number"),
        ({"x": "left"}, "features: x: got 'left' of kind 'date'; a formula wants a number"),
        ({"x": "days(left, height)"}, "got 'height' of kind 'number'; days wants a date"),
        ({"x": "y", "y": "x + height"}, "features: x: rests on itself (x, y)"),
        ({"height": "1 / height"}, "features: height: the name is taken by the column 'height'"),
        ({"sex=F": "height"}, "features: sex=F: the name is taken by the column 'sex'"),
        ({"came.month": "height"}, "the name is taken by the column 'came'"),
        ({"outcome": "height"}, "features: outcome: the name is taken by the target"),
        ({"id": "height"}, "features: id: the name is taken by ignored"),
        ({"x": "eval(height)"}, "features.x.formula: got 'eval(height)', wanted numbers"),
        ({"x": 7}, "features.x.formula: got '7', which names no column"),
        ({"x": {"formula": "height", "undefined": "drop"}}, "features.x.undefined: got 'drop'"),
    ],
)
def test_a_feature_that_does_not_fit_is_one_sentence_with_its_key(
    features: dict[str, Any], said: str
) -> None:
    target = {"name": "outcome", "aliases": ["truth"], "classes": {"well": [0], "ill": [1]}}

    with pytest.raises(ProblemError) as refused:
        make(features=features, ignored=["id"], target=target | {"positive": "ill"})

    assert said in str(refused.value)
    assert str(refused.value).count("tiny.yaml") == 1


def test_what_is_computed_is_told_and_read_back() -> None:
    contract = contract_of(make())

    assert tuple(map(read_computed, tell_computed(contract))) == contract.features
