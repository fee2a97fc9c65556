"""Point-in-time joins: never from the future, the newest row that was known, keys by meaning."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cleaning import clean, faults_of_values
from driftline.errors import DataError, ProblemError
from driftline.joining import join_rows, read_timeline
from driftline.problem import Problem
from driftline.spelling import spell_key
from driftline.timelines import NONE, TOO_OLD, build_timeline, parse_timeline
from tests.unit.joined import joining, labs, visits


def joined(problem: Problem, table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    timelines = {"labs": read_timeline(table, problem, "labs", source="labs.csv")}
    return join_rows(rows, problem, timelines, source="rows.csv")[0]


moments = st.integers(0, 30)
keys = st.sampled_from(["a", "b", "c"])
their_rows = st.lists(st.tuples(keys, moments), min_size=1, max_size=30)
asked = st.lists(st.tuples(keys | st.just("d"), moments), min_size=1, max_size=30)


@given(their_rows, asked, st.none() | moments)
def test_the_row_that_counts_is_the_newest_that_was_there(
    theirs: list[tuple[str, int]], asked: list[tuple[str, int]], max_age: int | None
) -> None:
    timeline = build_timeline([k for k, _ in theirs], [at for _, at in theirs], {})
    known = pd.DataFrame({"key": [k for k, _ in theirs], "at": [at for _, at in theirs]})
    known["seen"] = known["at"]
    wanted = pd.DataFrame({"key": [k for k, _ in asked], "at": [at for _, at in asked]})
    order = wanted.sort_values("at", kind="stable")
    merged = pd.merge_asof(
        order, known.sort_values("at", kind="stable"), on="at", by="key", tolerance=max_age
    )
    expected = pd.Series(merged["seen"].to_numpy(), index=order.index).sort_index().tolist()

    for (key, moment), seen in zip(asked, expected, strict=True):
        row = timeline.find(key, moment, max_age)
        if math.isnan(seen):
            assert row in {NONE, TOO_OLD}
        else:
            assert timeline.seconds[row] == seen <= moment


@given(their_rows, asked)
def test_rows_that_come_later_change_nothing_of_the_past(
    theirs: list[tuple[str, int]], asked: list[tuple[str, int]]
) -> None:
    later = [(key, 31 + at) for key, at in theirs]
    before = build_timeline([k for k, _ in theirs], [at for _, at in theirs], {})
    after = build_timeline([k for k, _ in theirs + later], [at for _, at in theirs + later], {})

    for key, moment in asked:
        rows = [each.find(key, moment, None) for each in (before, after)]
        assert (rows[0] == NONE) == (rows[1] == NONE)
        if rows[0] != NONE:
            assert before.seconds[rows[0]] == after.seconds[rows[1]]


def test_a_row_is_filled_in_as_it_was_at_its_moment() -> None:
    table = labs(
        patient=["1", "1", "2", "1"],
        taken=["2024-03-01", "2024-03-12", "2024-03-01", "2023-01-01"],
        level=["1.5", "2.5", "3.5", "9"],
        sex=["F", "M", "M", "M"],
    )
    rows = visits(
        patient=["1", "1", "1", "2", "3", ""],
        visited=[
            "2024-03-10",
            "2024-03-12",
            "2024-02-28",
            "2024-03-01",
            "2024-03-10",
            "2024-03-10",
        ],
        age=["30"] * 6,
    )

    found = joined(joining(), table, rows)

    level = [1.5, 2.5, math.nan, 3.5, math.nan, math.nan]
    np.testing.assert_array_equal(found["level"].to_numpy(dtype=float), level)
    assert found["sex"].tolist() == ["F", "M", None, "M", None, None]


@pytest.mark.parametrize(
    ("visited", "level"),
    [("2024-05-30", 1.5), ("2024-05-30T00:00:01", None), ("2024-03-01", 1.5), ("", None)],
)
def test_a_row_counts_up_to_its_greatest_age(visited: str, level: float | None) -> None:
    found = joined(joining(), labs(), visits(visited=[visited]))

    assert found["level"].astype(object).where(found["level"].notna(), None).tolist() == [level]


def test_of_rows_of_one_moment_the_last_counts() -> None:
    table = labs(patient=["1"] * 3, taken=["2024-03-01"] * 3, level=["1", "2", "3"], sex=["F"] * 3)

    assert joined(joining(), table, visits())["level"].tolist() == [3.0]


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("7", 7, True),
        (7.0, "7", True),
        ("7.0", 7, True),
        (" 7 ", "7", True),
        ("1.0E+05", 100_000, True),
        (2**60, str(2**60), True),
        ("007", "7", False),
        ("7.5", 7, False),
        ("a  b", "a b", True),
        ("A", "a", False),
    ],
)
def test_keys_are_one_however_they_are_written(
    one: object, other: object, *, are_one: bool
) -> None:
    assert (spell_key(one) == spell_key(other)) == are_one


@pytest.mark.parametrize("missing", [None, "", " ", "NA", float("nan")])
def test_a_missing_key_is_none(missing: object) -> None:
    assert spell_key(missing) is None


def test_keys_of_numbers_meet_keys_of_text() -> None:
    table = labs(patient=[1.0, math.nan], taken=["2024-03-01"] * 2, level=[1, 2], sex=["F", "M"])

    assert joined(joining(), table, visits(patient=["1"]))["level"].tolist() == [1.0]


def test_what_a_row_brings_itself_wins_or_is_refused() -> None:
    rows = visits(patient=["1", "1"], visited=["2024-03-10"] * 2, age=["30"] * 2, level=["7", ""])

    assert joined(joining(), labs(), rows)["level"].tolist() == ["7", 1.5]
    with pytest.raises(
        DataError, match=r"rows.csv: column 'level' is filled in by the join 'labs'"
    ):
        joined(joining(given="refuse"), labs(), rows)


def test_rows_that_are_whole_need_no_key() -> None:
    whole = pd.DataFrame({"age": ["30"], "level": ["1"], "sex": ["F"]})

    pd.testing.assert_frame_equal(joined(joining(), labs(), whole), whole)


def test_rows_that_are_whole_need_no_moment_though_their_key_is_there() -> None:
    whole = pd.DataFrame({"patient": ["1"], "age": ["30"], "level": ["1"], "sex": ["F"]})

    pd.testing.assert_frame_equal(joined(joining(), labs(), whole), whole)
    with pytest.raises(DataError, match=r"rows.csv: no column 'visited'"):
        joined(joining(), labs(), whole.assign(level=["NA"]))


def test_what_is_filled_in_is_judged_as_any_cell() -> None:
    table = labs(
        patient=["1", "2", "3", "4"],
        taken=["2024-03-01"] * 4,
        level=["99", "high", "-9", "1"],
        sex=["F", "F", "F", "X"],
    )
    rows = visits(patient=["1", "2", "3", "4", "5"], visited=["2024-03-10"] * 5, age=["30"] * 5)
    problem = joining()

    cleaned = clean(joined(problem, table, rows), problem, source="rows.csv", with_target=False)

    assert faults_of_values(cleaned, problem) == {
        0: ("level: not between -10 and 10",),
        1: ("level: not a number",),
        3: ("sex: not one of its categories",),
        4: ("sex: missing",),
    }
    assert cleaned.table["level"].isna().tolist() == [False, True, True, False, True]


def test_a_table_comes_back_from_its_bytes() -> None:
    problem = joining()
    table = labs(patient=["b", "a"], taken=["2024-03-01"] * 2, level=["1", ""], sex=["F", "M"])
    timeline = read_timeline(table, problem, "labs", source="labs.csv")

    again = parse_timeline(timeline.to_bytes())

    assert again.to_bytes() == timeline.to_bytes()
    assert again.keys == ("a", "b")
    assert [again.columns["level"].get(row) for row in (0, 1)] == [None, 1.0]
    assert [again.columns["sex"].get(row) for row in (0, 1)] == ["M", "F"]
    with pytest.raises(ValueError, match="not a table of a join"):
        parse_timeline(timeline.to_bytes()[:-30])


@pytest.mark.parametrize(
    ("table", "rows", "told"),
    [
        (labs().drop(columns="taken"), visits(), "labs.csv: no column 'taken'; wanted it for the"),
        (labs(taken=["soon"]), visits(), "labs.csv: got no row with both 'patient' and a date in"),
        (labs(), visits().drop(columns="visited"), "rows.csv: no column 'visited'; wanted it for"),
        (labs(), visits().drop(columns="patient"), "rows.csv: no column 'patient'; wanted it for"),
    ],
)
def test_tables_that_cannot_be_joined_are_told(
    table: pd.DataFrame, rows: pd.DataFrame, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        joined(joining(), table, rows)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"key": "age"}, "joins: labs.key: got 'age', wanted one of `ignored`"),
        ({"as_of": "age"}, "joins: labs.as_of: got 'age', wanted a column of dates"),
        ({"as_of": "patient"}, "joins: labs.as_of: got 'patient', wanted a column of dates"),
        ({"fields": ["weight"]}, "joins: labs.fields: got 'weight', wanted some of the columns"),
        ({"fields": ["sex", "sex"]}, "joins: labs.fields: 'sex' is filled in by labs already"),
        ({"max_age": "90"}, "joins.labs.max_age: got '90', wanted a number of seconds"),
    ],
)
def test_a_join_that_does_not_fit_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ProblemError) as caught:
        joining(**changes)

    assert told in str(caught.value)
