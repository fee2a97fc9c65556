import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from driftline.contract import Contract, parse_contract
from driftline.dataset import draft_contract
from driftline.fields import FLOAT32_MAX, FieldSpec, InvalidRecordError
from driftline.metrics import decide
from tests.support import make_problem

CONTRACT = replace(draft_contract(make_problem()), threshold=0.4)
VALID: dict[str, Any] = {"age": 40, "level": 0.5, "sex": "F"}

REFUSALS = {
    "is required",
    "must be a number",
    "must be a whole number",
    "must be between 0 and 120",
    "must be between -10 and 10",
    "must be one of: F, M",
    "must be one of its categories",
}

names = st.text("abcdefgh", min_size=1, max_size=5)
texts = st.text(max_size=8)
finite = st.floats(-1e6, 1e6)
junk = st.one_of(
    st.text(min_size=1),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


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


@given(field=st.sampled_from(CONTRACT.fields), value=junk)
def test_a_refusal_names_the_field_and_never_the_value(field: FieldSpec, value: Any) -> None:
    """Its words are the contract's own, whatever was sent."""
    record = VALID | {field.name: value}

    try:
        CONTRACT.encode(record)
    except InvalidRecordError as error:
        ((name, problem),) = error.fields
        assert name == field.name
        assert problem in REFUSALS


@given(name=st.text(min_size=1))
def test_a_field_name_that_reads_like_data_is_not_repeated(name: str) -> None:
    """A client that swaps names and values must not find its values in our logs."""
    assume(name not in CONTRACT.field_names)

    with pytest.raises(InvalidRecordError) as raised:
        CONTRACT.encode(VALID | {name: 1})

    ((told, problem),) = raised.value.fields
    assert problem == "is not a field of this problem"
    assert told in {name, "(unprintable name)"}
    assert not any(character.isdigit() for character in told)


def test_every_field_at_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidRecordError) as raised:
        CONTRACT.encode({"age": -1, "sex": "X", "height": 180})

    assert raised.value.fields == (
        ("age", "must be between 0 and 120"),
        ("sex", "must be one of: F, M"),
        ("height", "is not a field of this problem"),
    )


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("age", None, "is required"),
        ("age", math.nan, "is required"),
        ("age", 40.5, "must be a whole number"),
        ("age", "40", "must be a number"),
        ("age", True, "must be a number"),
        ("age", 121, "must be between 0 and 120"),
        ("level", math.inf, "must be between -10 and 10"),
        ("level", 10**400, "must be between -10 and 10"),
        ("sex", "f", "must be one of: F, M"),
        ("sex", ["F"], "must be one of its categories"),
        ("sex", None, "is required"),
    ],
)
def test_a_value_outside_the_contract_is_refused(field: str, value: Any, problem: str) -> None:
    with pytest.raises(InvalidRecordError) as raised:
        CONTRACT.encode(VALID | {field: value})

    assert raised.value.fields == ((field, problem),)


@pytest.mark.parametrize(
    ("record", "faults"),
    [
        ({"age": None}, [("age", "missing")]),
        ({"age": "40", "level": math.inf}, [("age", "not_a_number"), ("level", "out_of_range")]),
        ({"age": 40.5, "sex": "X"}, [("age", "not_whole"), ("sex", "not_a_category")]),
        ({"sex": ["F"], "weight": 80}, [("sex", "not_a_category"), ("", "unknown_field")]),
    ],
)
def test_each_fault_has_a_kind_to_count_it_by(
    record: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidRecordError) as raised:
        CONTRACT.encode(VALID | record)

    assert [(fault.column, fault.kind) for fault in raised.value.faults] == faults


@pytest.mark.parametrize("value", [None, math.nan, -9, -9.0])
def test_a_missing_code_is_a_missing_value(value: float | None) -> None:
    vector = CONTRACT.encode(VALID | {"level": value})

    assert math.isnan(vector[CONTRACT.feature_names.index("level")])


def test_an_absent_field_is_a_missing_value() -> None:
    record = {name: value for name, value in VALID.items() if name != "level"}

    vector = CONTRACT.encode(record)

    assert math.isnan(vector[CONTRACT.feature_names.index("level")])


def test_a_category_sets_its_own_element_and_no_other() -> None:
    vector = dict(zip(CONTRACT.feature_names, CONTRACT.encode(VALID), strict=True))

    assert vector == {"age": 40.0, "level": 0.5, "sex=F": 1.0, "sex=M": 0.0}


def test_a_missing_category_sets_no_element() -> None:
    sex = FieldSpec("sex", "category", categories=("F", "M"), allow_missing=True)
    contract = replace(CONTRACT, fields=(sex,))

    assert contract.encode({"sex": None}) == [0.0, 0.0]


def test_an_ordered_category_is_its_rank() -> None:
    stage = FieldSpec("stage", "category", categories=("1", "2", "3"), ordered=True)
    contract = replace(CONTRACT, fields=(stage,))

    assert contract.encode({"stage": 3}) == [2.0]


def test_a_number_without_range_must_fit_float32() -> None:
    contract = replace(CONTRACT, fields=(FieldSpec("dose", "number"),))

    assert contract.encode({"dose": FLOAT32_MAX}) == [FLOAT32_MAX]
    with pytest.raises(InvalidRecordError, match="dose: must be a finite number"):
        contract.encode({"dose": 1e39})


def test_a_wrong_count_of_values_is_refused() -> None:
    with pytest.raises(InvalidRecordError, match=r"features: must hold 3 values in contract order"):
        CONTRACT.name_values([40, 0.5])


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


@given(seed=st.integers(0, 9999), has_costs=st.booleans(), decimals=st.integers(1, 12))
def test_a_record_is_decided_as_a_table_is(seed: int, has_costs: bool, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.round(rng.dirichlet(np.ones(3), 20), decimals)
    costs = (0.25, 1.0, 0.5) if has_costs else ()
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


STAGE = FieldSpec("stage", "category", categories=("1", "2"), aliases=(("two", "2"),))
FLOW = FieldSpec("flow", "number", allow_missing=True, missing_codes=("?", "-1"))


@pytest.mark.parametrize(("value", "index"), [("1.0", 0), (1.0, 0), (True, 0), (" two ", 1)])
def test_a_code_is_one_category_however_a_record_holds_it(value: Any, index: int) -> None:
    assert STAGE.encode(value) == index


def test_a_word_may_stand_for_a_missing_number() -> None:
    assert all(math.isnan(FLOW.encode(value)) for value in ("?", " ?", -1, -1.0, None))
    with pytest.raises(ValueError, match="must be a number"):
        FLOW.encode("-1")


def test_codes_are_told_as_a_record_gives_them() -> None:
    assert FLOW.codes == (-1.0, "?")


def test_aliases_are_kept_in_the_contracts_file() -> None:
    contract = replace(CONTRACT, fields=(STAGE, FLOW))

    assert parse_contract(contract.to_json()) == contract


TOWN = FieldSpec(
    "town", "category", categories=("Bern", "other"), unseen="other", allow_missing=True
)


def test_values_that_are_no_category_count_as_the_one_that_is_declared_for_them() -> None:
    assert [TOWN.encode(value) for value in ("Bern", "other", "Basel", 7, True)] == [0, 1, 1, 1, 1]
    assert all(math.isnan(TOWN.encode(value)) for value in (None, "", " N/A "))
    with pytest.raises(ValueError, match="must be one of its categories"):
        TOWN.encode(["Bern"])


def test_what_others_count_as_is_kept_with_the_contract_where_it_is_declared() -> None:
    contract = replace(CONTRACT, fields=(*CONTRACT.fields, TOWN))

    assert parse_contract(contract.to_json()) == contract
    assert "unseen" not in CONTRACT.to_json()
