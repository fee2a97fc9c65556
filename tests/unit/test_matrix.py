"""Tables are encoded a column at a time exactly as their records are one by one."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.dataset import draft_contract
from driftline.dates import spell_date
from driftline.fields import InvalidRecordError
from driftline.matrix import LEAST_ROWS, as_sent, encode_cleaned
from tests.support import make_problem

DATES = {"kind": "date", "missing": "allow", "range": ["1990-01-01", "2030-12-31"]}
PROBLEM = make_problem(
    columns={
        "age": {"kind": "integer", "range": [0, 120]},
        "level": {"range": [-10, 10], "missing": "allow", "missing_codes": [-9]},
        "free": {"missing": "allow"},
        "sex": {"kind": "category", "categories": ["F", "M"]},
        "ward": {"kind": "category", "categories": ["a", "b", "c"], "missing": "allow"},
        "grade": {"kind": "category", "categories": ["1", "2"], "ordered": True},
        "came": DATES,
        "born": {**DATES, "parts": ["age", "month", "hour"], "as_of": "came"},
    }
)
CONTRACT = draft_contract(PROBLEM)

days = st.one_of(st.just(math.nan), st.integers(7400, 20000), st.floats(7400, 20000)).map(float)
sound = {
    "age": st.integers(0, 120).map(float),
    "level": st.one_of(st.just(math.nan), st.just(-9.0), st.floats(-10, 10)),
    "free": st.one_of(st.just(math.nan), st.floats(width=32, allow_infinity=False)),
    "sex": st.sampled_from(["F", "M"]),
    "ward": st.sampled_from(["a", "b", "c", None]),
    "grade": st.sampled_from(["1", "2"]),
    "came": days,
    "born": days,
}
odd: dict[str, Any] = {
    "age": [math.nan, 121.0, 1.5, -1.0],
    "level": [10.5, math.inf],
    "sex": [None, "X", "f"],
    "grade": [None, "3"],
    "came": [1.0, 90_000.0],
}
# Ten rows that come again and again until they are enough to be encoded by columns.
DRAWN, TIMES = 10, LEAST_ROWS // 10
tables = st.fixed_dictionaries(
    {
        name: st.lists(each, min_size=DRAWN, max_size=DRAWN).map(lambda drawn: drawn * TIMES)
        for name, each in sound.items()
    }
)


def make_table(columns: dict[str, list[Any]]) -> pd.DataFrame:
    """Columns as cleaning leaves them."""
    numbers = {"age", "level", "free", "came", "born"}
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype="float64" if name in numbers else "object")
            for name, values in columns.items()
        }
    )


def encode_each(table: pd.DataFrame) -> np.ndarray:
    return CONTRACT.encode_table(as_sent(table, CONTRACT).to_dict(orient="records"))  # type: ignore[arg-type]


@given(columns=tables)
def test_a_table_is_encoded_as_its_records_are(columns: dict[str, list[Any]]) -> None:
    table = make_table(columns)

    np.testing.assert_array_equal(encode_cleaned(table, CONTRACT), encode_each(table))


@given(columns=tables, data=st.data())
def test_what_breaks_the_contract_is_said_as_of_a_record(
    columns: dict[str, list[Any]], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(odd)))
    columns[name][data.draw(st.integers(0, LEAST_ROWS - 1))] = data.draw(st.sampled_from(odd[name]))
    table = make_table(columns)

    with pytest.raises(InvalidRecordError) as one_by_one:
        encode_each(table)
    with pytest.raises(InvalidRecordError) as at_once:
        encode_cleaned(table, CONTRACT)

    assert at_once.value.faults == one_by_one.value.faults


@given(columns=tables)
def test_dates_are_sent_as_text(columns: dict[str, list[Any]]) -> None:
    table = make_table(columns)

    sent = as_sent(table, CONTRACT)["came"].tolist()

    assert sent == [None if math.isnan(day) else spell_date(day) for day in table["came"]]
