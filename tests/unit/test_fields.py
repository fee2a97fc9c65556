import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from driftline.contract import parse_contract
from driftline.dataset import draft_contract
from driftline.fields import FLOAT32_MAX, FieldSpec, InvalidRecordError
from tests.support import make_problem

CONTRACT = draft_contract(make_problem())
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
junk = st.one_of(
    st.text(min_size=1),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


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
