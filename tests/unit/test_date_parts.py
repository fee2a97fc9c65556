"""What models see of a date: parts of the calendar and ages, alike in training and serving."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.candidates import CANDIDATES
from driftline.cleaning import clean
from driftline.contract import Contract, parse_contract
from driftline.dataset import draft_contract, encode_rows
from driftline.date_parts import YEAR_DAYS, part_days, recover_days
from driftline.dates import count_days, read_iso
from driftline.errors import ProblemError
from driftline.export import check_parity, edge_cases, export_onnx
from driftline.fields import InvalidRecordError
from driftline.importance import measure_use
from driftline.problem import Problem
from driftline.questions import plain_records, records_of_vectors
from driftline.typical import find_typical
from tests.support import make_problem

ALL = ["days", "year", "month", "weekday", "day_of_year", "hour"]
SEEN = {"kind": "date", "range": ["2020-01-01", "2030-12-31"], "parts": ["month", "weekday"]}
BORN = {
    "kind": "date",
    "format": "day_first",
    "range": ["1900-01-01", "2030-12-31"],
    "missing": "allow",
    "parts": ["age"],
    "as_of": "seen",
}
MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))  # noqa: DTZ001 - without a zone


def make(seen: dict[str, Any] | None = None, born: dict[str, Any] | None = None) -> Problem:
    columns = {"born": BORN | (born or {}), "seen": SEEN | (seen or {}), "level": {}}
    return make_problem(columns=columns)


def contract_of(problem: Problem) -> Contract:
    return parse_contract(draft_contract(problem).to_json())


def encode(problem: Problem, **record: Any) -> dict[str, float]:
    contract = contract_of(problem)
    return dict(zip(contract.feature_names, contract.encode(record | {"level": 1}), strict=True))


def days_of(text: str) -> float:
    days = read_iso(text)
    assert days is not None
    return days


@given(MOMENTS)
def test_parts_are_those_of_the_calendar(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0)

    found = part_days(count_days(moment), ("year", "month", "weekday", "day_of_year"), None)

    assert found == [*moment.timetuple()[:2], moment.isoweekday(), moment.timetuple().tm_yday]


@given(MOMENTS)
def test_an_hour_holds_its_minutes(moment: dt.datetime) -> None:
    moment = moment.replace(microsecond=0)

    (hour,) = part_days(count_days(moment), ("hour",), None)

    assert hour == pytest.approx(moment.hour + moment.minute / 60 + moment.second / 3600, abs=1e-5)


@pytest.mark.parametrize("parts", [["days"], ["age"], ["year", "day_of_year"], ["year", "month"]])
def test_a_day_comes_back_of_parts_that_tell_it(parts: list[Any]) -> None:
    day = days_of("2024-03-01")

    assert recover_days(part_days(day, parts, 0.0), parts, 0.0) == day


@pytest.mark.parametrize("parts", [["month"], ["age"], ["year"]])
def test_parts_that_tell_no_day_give_none(parts: list[Any]) -> None:
    assert recover_days(part_days(0.0, parts, None), parts, None) is None


def test_a_record_becomes_the_declared_parts_and_an_age_as_of_another_date() -> None:
    sent = {"born": "1984-03-05", "seen": "2024-03-05"}

    found = encode(make(), **sent)

    years = (days_of("2024-03-05") - days_of("1984-03-05")) / YEAR_DAYS
    assert found == {"born.age": years, "seen.month": 3, "seen.weekday": 2, "level": 1}


def test_an_age_may_count_to_a_date_of_the_problem_file() -> None:
    problem = make(born={"as_of": dt.date(2024, 3, 5)})

    found = encode(problem, born="1984-03-05", seen="2029-01-01")

    assert found["born.age"] == pytest.approx(40, abs=0.01)


def test_an_age_reads_the_other_date_whose_own_parts_are_put_in_its_place() -> None:
    seen = {"parts": ["age", "days"], "as_of": "2030-01-01"}
    first = make_problem(columns={"seen": SEEN | seen, "born": BORN})
    contract = contract_of(first)

    vector = contract.encode({"seen": "2024-03-05", "born": "1984-03-05"})

    assert vector[2] == pytest.approx(40, abs=0.01)


@pytest.mark.parametrize("missing", [{}, {"born": None}])
def test_what_is_missing_is_missing_in_every_part(missing: dict[str, Any]) -> None:
    problem = make(born={"parts": ["year", "age"]})

    found = encode(problem, seen="2024-03-05", **missing)

    assert np.isnan([found["born.year"], found["born.age"]]).all()


def test_an_age_as_of_a_missing_date_is_missing() -> None:
    problem = make(born={"parts": ["year", "age"]}, seen={"missing": "allow"})

    found = encode(problem, born="1984-03-05")

    assert found["born.year"] == 1984
    assert np.isnan(found["born.age"])


def test_training_and_serving_part_dates_alike() -> None:
    problem = make(seen={"parts": ALL})
    raw = pd.DataFrame(
        {"born": ["5.3.1984", ""], "seen": ["2024-03-05 14:30", "2021-01-01"], "level": ["1", "2"]}
    )
    table = clean(raw, problem, source="rows.csv", with_target=False).table

    rows = encode_rows(table, problem)
    sent = [
        {"born": "1984-03-05", "seen": "2024-03-05T14:30", "level": 1},
        {"born": None, "seen": "2021-01-01", "level": 2},
    ]

    np.testing.assert_array_equal(rows, contract_of(problem).encode_table(sent))
    assert rows[0, 6] == 14.5


def test_a_wrong_date_is_refused_by_its_field_and_not_by_its_value() -> None:
    with pytest.raises(InvalidRecordError) as raised:
        encode(make(), born="5.3.1984", seen="2031-01-01")

    assert [fault.kind for fault in raised.value.faults] == ["not_a_date", "out_of_range"]
    assert "5.3.1984" not in str(raised.value)


def test_a_contract_without_parts_says_nothing_of_them() -> None:
    plain = draft_contract(make_problem(columns={"seen": SEEN | {"parts": []}})).to_json()

    assert "parts" not in plain
    assert "as_of" not in plain


@pytest.mark.parametrize("name", ["logistic_regression", "hist_gradient_boosting"])
def test_a_model_of_parts_answers_alike_in_its_graph(name: str) -> None:
    problem = make(seen={"parts": ALL})
    contract = contract_of(problem)
    rng = np.random.default_rng(0)
    days = rng.integers(18_300, 22_000, 300)
    ages = rng.integers(1, 30_000, 300)
    table = pd.DataFrame(
        {"born": np.where(ages < 3000, np.nan, days - ages), "seen": days, "level": rng.random(300)}
    )
    matrix = encode_rows(table, problem)
    y = (ages > 15_000).astype(np.int64)
    candidate = CANDIDATES[name]
    model = candidate.build(candidate.defaults, 0).fit(matrix, y)
    asked = np.vstack([matrix, edge_cases(model, matrix, contract)])

    parity = check_parity(model, export_onnx(model, matrix.shape[1]), asked, contract)

    assert parity.is_kept
    assert measure_use(model, matrix, y, contract, seed=0)["born"] > 0.9


def test_parity_is_asked_at_the_ends_of_a_date_in_parts() -> None:
    problem = make_problem(columns={"seen": SEEN, "level": {}})
    contract = contract_of(problem)
    matrix = contract.encode_table([{"seen": "2024-05-15", "level": 1}] * 2)
    model = CANDIDATES["dummy"].build({}, 0).fit(matrix, np.array([0, 1]))

    asked = edge_cases(model, matrix, contract)

    assert asked[1, :2].tolist() == [1, 3]
    assert asked[2, :2].tolist() == [12, 2]


def test_a_typical_date_is_told_as_far_as_its_parts_tell_it() -> None:
    problem = make(seen={"parts": ["year", "day_of_year"]})
    contract = contract_of(problem)
    texts = ["2024-03-01", "2024-03-03", "2024-03-08"]
    matrix = contract.encode_table([{"seen": t, "born": t, "level": 1} for t in texts])

    assert dict(find_typical(matrix, contract)) == {"seen": "2024-03-03", "level": 1.0}


def test_records_of_a_verification_come_back_of_parts_that_tell_their_day() -> None:
    problem = make_problem(columns={"seen": SEEN | {"parts": ["days", "month"]}, "level": {}})
    contract = contract_of(problem)
    table = pd.DataFrame({"seen": [19_787.0], "level": [1.0]})

    records = records_of_vectors(encode_rows(table, problem), contract)

    assert records == plain_records(table, contract)


@pytest.mark.parametrize(
    ("seen", "born", "fault"),
    [
        ({"parts": ["minute"]}, {}, "parts.0: got 'minute', wanted: 'days', 'year'"),
        ({"parts": ["month", "month"]}, {}, "parts: a part is given twice"),
        ({"parts": ["age"]}, {}, "as_of: wanted it with the part `age`"),
        ({"as_of": "2024-01-01"}, {}, "as_of: wanted it with the part `age`"),
        ({"kind": "number", "range": [0, 1]}, {}, "parts and as_of: got them on kind 'number'"),
        ({}, {"as_of": "level"}, "born.as_of: got 'level', wanted another column of dates, or a"),
        ({}, {"as_of": "born"}, "born.as_of: got 'born', wanted another column of dates"),
        ({}, {"as_of": "today"}, "born.as_of: got 'today', wanted another column of dates"),
    ],
)
def test_parts_that_are_declared_wrong_are_named(
    seen: dict[str, Any], born: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ProblemError, match=fault):
        make(seen, born)
