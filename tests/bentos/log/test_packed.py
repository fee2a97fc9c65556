"""Rows of plain numbers come out of the log as they went in, to the last digit."""

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.columns import AnswerColumns
from bentos.log.packed import pack_rows
from bentos.log.rows import column_entry, prediction_rows
from driftline.contract import Contract
from driftline.fields import FieldSpec
from driftline.plain_numbers import PlainRows, plan_plain_numbers
from tests.bentos.log.spooling import columns

FIELDS = tuple(FieldSpec(name=name, kind="number") for name in ("a", "b %", 'c"'))
whole = st.integers(-(2**53) + 1, 2**53 - 1)
fraction = st.floats(-1e15, 1e15) | st.sampled_from([-0.0, 0.0, 1.0, 5e-324, 2.0**52])
mixed = whole | fraction


def read(values: list[Any]) -> PlainRows:
    plain = plan_plain_numbers(FIELDS)
    assert plain is not None
    rows = plain.read(values)
    assert rows is not None
    return rows


def logged(records: Any, count: int) -> list[dict[str, Any]]:
    """What the database gets of answers to these rows, by way of a line of the spool."""
    contract = Contract("tiny", "", FIELDS, ("x", "y"), (1,), 0.5, 0.3, 0.7)
    same = np.full(count, 0.5)
    label: Any = np.full(count, "x", dtype=object)
    figures = np.column_stack([same, same])
    answers = AnswerColumns(np.zeros(count, np.int64), label, figures, same, label, {})
    names, ids = [field.name for field in FIELDS], [str(place) for place in range(count)]
    entry = column_entry(contract, records, answers, ids, names=names, at=1.5)
    return prediction_rows(orjson.loads(orjson.dumps(entry)))


@given(
    st.lists(st.tuples(mixed, mixed, mixed), max_size=9)
    | st.lists(st.tuples(fraction, fraction, fraction), max_size=9)
    | st.lists(st.tuples(whole, fraction, whole), max_size=9)
    | st.lists(st.tuples(whole, whole, whole), max_size=9)
)
def test_what_is_logged_of_packed_rows_is_what_is_logged_of_plain_ones(
    records: list[tuple[Any, ...]],
) -> None:
    rows = read([value for record in records for value in record])

    assert [tuple(row) for row in rows] == records
    assert logged(rows, len(records)) == logged(records, len(records))


@pytest.mark.parametrize(
    ("values", "packed"),
    [
        ([1.5, 2.5, 3.0, 4.0, 5.0, 6.5], [False, False, False]),
        ([1, 2, 3, 4, 5, 6], [True, True, True]),
        ([1, 2.5, 3.0, 4, 5.5, 6.0], [True, False, False]),
        ([1, 2.5, 3.0, 4.0, 5.5, 6.0], None),
    ],
)
def test_rows_are_packed_where_each_column_came_as_one_kind(
    values: list[Any], packed: list[bool] | None
) -> None:
    rows = pack_rows(read(values))

    assert (rows["whole"] if isinstance(rows, dict) else None) == packed


@pytest.mark.parametrize(
    "harm",
    [
        {"float64": ""},
        {"float64": "AAAA"},
        {"float64": "no base64"},
        {"float64": None},
        {"whole": []},
        {"whole": [True, False]},
    ],
)
def test_packed_rows_that_are_not_whole_are_no_rows(harm: dict[str, Any]) -> None:
    packed = pack_rows(read([1.5] * 6))
    assert isinstance(packed, dict)
    entry = columns("a", "b", names=["a", "b", "c"], inputs=packed | harm)

    with pytest.raises((ValueError, TypeError)):
        prediction_rows(entry)


def test_packed_rows_are_as_many_as_their_ids() -> None:
    packed = pack_rows(read([1.5] * 6))

    assert len(prediction_rows(columns("a", "b", names=["a", "b", "c"], inputs=packed))) == 2
    with pytest.raises(ValueError, match="zip"):
        prediction_rows(columns("a", "b", "c", names=["a", "b", "c"], inputs=packed))
