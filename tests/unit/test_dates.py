"""Dates as numbers, from the table to the answer: one reader for files, one for requests."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cleaning import clean, faults_of_values
from driftline.conditions import parse_conditions, select_rows
from driftline.contract import Contract, parse_contract
from driftline.dataset import draft_contract, encode_rows
from driftline.dates import Order, count_days, read_date, read_iso, spell_date
from driftline.errors import ProblemError
from driftline.expectations import parse_suite
from driftline.faults import find_faults
from driftline.fields import InvalidRecordError
from driftline.problem import Problem
from driftline.questions import bad_requests, edge_records, plain_records, resample_records
from tests.support import make_problem

SEEN = {
    "kind": "date",
    "format": "day_first",
    "range": [dt.date(2010, 1, 1), dt.date(2030, 12, 31)],
    "missing": "allow",
    "missing_codes": ["01.01.1900", "never"],
}
DAY = 19_787.0  # 2024-03-05
FIRST, LAST = dt.datetime.fromisoformat("0001-01-02"), dt.datetime.fromisoformat("9999-12-30")


def make(**changes: Any) -> Problem:
    return make_problem(columns={"seen": SEEN | changes, "level": {"range": [-10, 10]}})


def contract_of(problem: Problem) -> Contract:
    return parse_contract(draft_contract(problem).to_json())


def cleaned(*cells: Any, problem: Problem) -> pd.DataFrame:
    raw = pd.DataFrame({"seen": list(cells), "level": ["1"] * len(cells)})
    return clean(raw, problem, source="rows.csv", with_target=False).table


@given(st.datetimes(min_value=FIRST, max_value=LAST))
def test_a_date_comes_back_to_the_second(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0)

    days = count_days(moment)

    assert read_iso(spell_date(days)) == days
    assert read_iso(moment.isoformat()) == days
    assert read_date(f"{moment:%d.%m.}{moment.year:04d} {moment:%H:%M:%S}", "day_first") == days


@pytest.mark.parametrize(
    ("text", "order", "days"),
    [
        ("2024-03-05", "iso", DAY),
        ("2024-03-05", "day_first", DAY),
        ("2024/3/5", "month_first", DAY),
        ("20240305", "iso", DAY),
        ("20240305T120000", "iso", DAY + 0.5),
        ("5.3.2024", "day_first", DAY),
        ("5/3/24", "day_first", DAY),
        ("3/5/2024 12:00 PM", "month_first", DAY + 0.5),
        ("3/5/2024 12:00 am", "month_first", DAY),
        ("5-Mar-24", "iso", DAY),
        ("March 5, 2024", "day_first", DAY),
        ("2024-03-05T01:00+01:00", "iso", DAY),
        ("2024-03-04 23:00-01:00", "iso", DAY),
        ("5.3.2024", "iso", None),
        ("12/31/2024", "day_first", None),
        ("2024-02-30", "iso", None),
        ("1.5", "day_first", None),
        ("March 2024", "iso", None),
        ("Mar-2024", "day_first", DAY - 4),
        ("mar 2024", "month_first", DAY - 4),
        ("3-2024", "day_first", None),
        ("12:30", "iso", None),
    ],
)
def test_dates_are_read_as_they_are_written(text: str, order: Order, days: float | None) -> None:
    assert read_date(text, order) == days


def test_a_column_of_dates_is_read_whatever_type_its_cells_have() -> None:
    cells = ["05.03.2024", "2024-03-05", dt.date(2024, 3, 5), pd.Timestamp(2024, 3, 5)]

    table = cleaned(*cells, "01.01.1900", "1900-01-01", "never", "", None, problem=make())

    assert table["seen"].tolist()[:4] == [DAY] * 4
    assert table["seen"].isna().sum() == 5
    stamps = pd.Series(pd.to_datetime(["2024-03-05", None]))
    assert cleaned(*stamps, problem=make())["seen"].tolist()[0] == DAY


def test_a_cell_that_is_no_date_or_out_of_range_marks_its_row() -> None:
    problem = make()
    raw = pd.DataFrame({"seen": ["soon", "31.12.2030 12:00", "1.1.2031"], "level": ["1"] * 3})

    faults = faults_of_values(clean(raw, problem, source="rows.csv", with_target=False), problem)

    assert faults == {
        0: ("seen: not a date such as 31.12.2024, or 2024-12-31",),
        2: ("seen: not between 2010-01-01 and 2030-12-31",),
    }


def test_training_and_serving_encode_a_date_alike() -> None:
    problem = make()
    table = cleaned("5.3.2024 14:30", "", problem=problem)

    rows = encode_rows(table, problem)
    sent = contract_of(problem).encode_table(
        [{"seen": "2024-03-05T14:30", "level": 1}, {"seen": None, "level": 1}]
    )

    np.testing.assert_array_equal(rows, sent)
    assert rows[0, 0] == np.float32(DAY + 14.5 / 24)


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [
        ("2024-02-30", "not_a_date", "must be an ISO date in quotes, such as 2024-12-31"),
        ("05.03.2024", "not_a_date", "must be an ISO date"),
        (19_787, "not_a_date", "must be an ISO date"),
        (True, "not_a_date", "must be an ISO date"),
        ("2031-01-01", "out_of_range", "must be between 2010-01-01 and 2030-12-31"),
        ("x" * 10_000, "not_a_date", "must be an ISO date"),
    ],
)
def test_a_request_is_told_which_date_was_wanted_and_not_what_it_sent(
    value: Any, kind: str, told: str
) -> None:
    with pytest.raises(InvalidRecordError) as raised:
        contract_of(make()).encode({"seen": value, "level": 1})

    (fault,) = raised.value.faults
    assert (fault.field, fault.kind) == ("seen", kind)
    assert fault.problem.startswith(told)
    assert str(value) not in fault.problem


@pytest.mark.parametrize("code", [None, "never", "1900-01-01"])
def test_a_missing_date_and_its_codes_are_missing(code: Any) -> None:
    assert np.isnan(contract_of(make()).encode({"seen": code, "level": 1})[0])
    required = contract_of(make(missing="forbid"))
    with pytest.raises(InvalidRecordError, match="seen: is required"):
        required.encode({"seen": code, "level": 1})


def test_the_questions_of_a_verification_hold_dates() -> None:
    contract = contract_of(make())
    table = cleaned("5.3.2024", "", problem=make())
    real = plain_records(table, contract)

    made = [*resample_records(real, contract, count=50, seed=0), *edge_records(real[0], contract)]

    assert real[0]["seen"] == "2024-03-05"
    assert len(contract.encode_table(made)) == len(made)
    assert "seen: no date" in {request.name for request in bad_requests(real[0], contract)}


def test_a_part_of_the_people_may_be_said_by_a_date() -> None:
    problem = make_problem(columns={"seen": SEEN, "level": {}}, subgroups=["seen >= 2024-03-05"])
    table = cleaned("5.3.2024", "4.3.2024", "", problem=problem)

    (part,) = parse_conditions(problem.subgroups, problem.columns)

    assert str(part) == "seen >= 2024-03-05"
    assert select_rows(part, table, problem.columns).tolist() == [True, False, False]
    with pytest.raises(ProblemError, match=r"subgroups.0: seen: got 'soon', wanted a date such as"):
        make_problem(columns={"seen": SEEN}, subgroups=["seen >= soon"])


def test_a_suite_may_name_dates() -> None:
    text = (
        "expectations:\n  - expect: ExpectColumnMaxToBeBetween\n"
        "    arguments: {column: seen, max_value: 2024-03-05}\n"
    )

    suite = parse_suite(text, problem=make(), file="tiny.yaml")

    assert suite.expectations[-1].arguments["max_value"] == DAY
    assert suite.expectations[0].meaning == "between 2010-01-01 and 2030-12-31"


def test_new_dates_are_no_fault_of_the_data() -> None:
    problem = make()
    rng = np.random.default_rng(0)
    before = pd.DataFrame({"seen": np.arange(500.0), "level": rng.normal(size=500)})
    now = pd.DataFrame({"seen": np.arange(500.0, 1000.0), "level": rng.normal(size=500)})

    assert find_faults(before, now, problem) == ()
    only = make_problem(columns={"seen": SEEN})
    assert find_faults(before[["seen"]], now[["seen"]], only) == ()


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        ({"range": ["soon", "2030-01-01"]}, "range: got 'soon', wanted a date such as 2024-12-31"),
        ({"range": [2010, 2030]}, "range: got 2010, wanted a date such as 2024-12-31"),
        ({"format": "year_first"}, "format: got 'year_first', wanted: 'iso', 'day_first' or 'mo"),
        ({"kind": "number", "range": [0, 1]}, "format: got it on kind 'number', wanted 'date'"),
        ({"categories": ["a", "b"]}, "got them on kind 'date', wanted 'category'"),
        (
            {"range": ["2030-01-01", "2010-01-01"]},
            r"got \[2030-01-01, 2010-01-01\], wanted the low end below",
        ),
    ],
)
def test_a_date_that_is_declared_wrong_is_named(column: dict[str, Any], fault: str) -> None:
    with pytest.raises(ProblemError, match=fault):
        make(**column)


def test_the_example_of_a_problem_file_may_be_written_as_its_table_is() -> None:
    problem = make_problem(columns={"seen": SEEN}, example={"seen": "5.3.2024"})

    assert problem.example == {"seen": "2024-03-05"}


@pytest.mark.parametrize("zone", ["+99:00", "-14:01", "+0160", "+23:59"])
def test_a_zone_that_there_is_nowhere_is_no_date(zone: str) -> None:
    assert read_iso(f"2024-05-01T10:00{zone}") is None
    assert read_date(f"2024-05-01 10:00{zone}") is None


@pytest.mark.parametrize("zone", ["+14:00", "-12:00", "+05:45"])
def test_the_farthest_zones_are_read(zone: str) -> None:
    assert read_iso(f"2024-05-01T10:00{zone}") is not None


def test_an_hour_that_no_day_has_is_none_before_or_after_noon_either() -> None:
    assert read_date("01.05.2024 25:00 PM", "day_first") is None
    assert read_date("01.05.2024 13:00 PM", "day_first") == read_date("2024-05-01T13:00")


@pytest.mark.parametrize(
    "cell", ["01.01.1900", "1900-01-01", dt.date(1900, 1, 1), pd.Timestamp("1900-01-01"), "never"]
)
def test_a_missing_code_is_one_in_text_and_as_a_date(cell: Any) -> None:
    """As CSV, Parquet and spreadsheets hold it."""
    assert make().columns["seen"].read_day(cell) is None
    assert make().columns["seen"].read_day(dt.date(2024, 3, 5)) == DAY
