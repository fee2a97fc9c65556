import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.conditions import Condition, parse_conditions, select_rows
from driftline.errors import ProblemError
from tests.support import MOODS, TINY, make_problem

TABLE = pd.DataFrame(
    {"age": [30, 60, 90, 59], "level": [0.5, np.nan, -1.0, 2.0], "sex": ["F", "M", None, "F"]}
)
COLUMNS = make_problem().columns


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("age >= 60", [1, 2]),
        ("age<60", [0, 3]),
        ("age == 59", [3]),
        ("level != 2", [0, 2]),
        ("level > -1.5", [0, 2, 3]),
        ("sex == 'M'", [1]),
        ("sex != M", [0, 3]),
    ],
)
def test_a_condition_names_the_rows_whose_value_is_known_to_meet_it(
    text: str, rows: list[int]
) -> None:
    (condition,) = parse_conditions([text], COLUMNS)

    selected = select_rows(condition, TABLE, COLUMNS)

    assert list(np.flatnonzero(selected)) == rows


def test_a_category_column_stands_for_each_of_its_categories() -> None:
    conditions = parse_conditions(["sex"], COLUMNS)

    assert [str(each) for each in conditions] == ["sex == F", "sex == M"]


def test_a_part_that_is_named_twice_counts_once() -> None:
    assert len(parse_conditions(["sex", "sex == F"], COLUMNS)) == 2


def test_ordered_categories_compare_by_their_place() -> None:
    columns = make_problem(MOODS, name="moods").columns
    table = pd.DataFrame({"energy": ["1", "2", "3"]})

    (condition,) = parse_conditions(["energy >= 2"], columns)

    assert list(select_rows(condition, table, columns)) == [False, True, True]


@given(value=st.floats(-1e6, 1e6), compares=st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
def test_what_is_written_is_read_back(value: float, compares: str) -> None:
    written = Condition("age", compares, float(f"{value:g}"))

    assert parse_conditions([str(written)], COLUMNS) == (written,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agee >= 60", "subgroups.0: got 'agee', wanted one of the columns, or `column OP value`"),
        ("age", "subgroups.0: got 'age' alone, wanted a comparison, such as `age >= 60`"),
        ("age >= old", "subgroups.0: age: got 'old', wanted a number to compare with"),
        ("age >= nan", "subgroups.0: age: got 'nan', wanted a number to compare with"),
        ("sex == X", "subgroups.0: sex: got 'X', wanted one of F, M"),
        ("sex > F", "subgroups.0: sex: got >, wanted == or != (its categories have no order)"),
        ("__import__('os')", "subgroups.0: got "),
    ],
)
def test_a_part_that_cannot_be_named_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ProblemError) as raised:
        make_problem(TINY, subgroups=[text])

    assert message in str(raised.value)
