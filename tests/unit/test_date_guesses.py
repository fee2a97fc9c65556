"""Onboarding proposes an age where there is a birth and an event, and the parts that vary."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from driftline.date_guesses import find_parts
from driftline.dates import count_days
from driftline.inference import guess_column
from driftline.onboarding import onboard_table
from driftline.problem import Problem, parse_problem
from tests.support import tiny_rows

RNG = np.random.default_rng(3)
FIRST = date(2018, 1, 1)
ADMITTED = [FIRST + timedelta(days=int(day)) for day in RNG.integers(0, 1500, 240)]
BORN = [
    day - timedelta(days=int(age))
    for day, age in zip(ADMITTED, RNG.integers(7000, 33000, 240), strict=True)
]


def text_of(days: list[date], written: str = "%Y-%m-%d") -> list[str]:
    return [day.strftime(written) for day in days]


def onboard(**columns: Any) -> tuple[Problem, str]:
    rows = tiny_rows().assign(**columns).astype(object)
    text = onboard_table(rows, name="tiny", target="outcome", location="rows.csv").problem
    return parse_problem(text, name="tiny", file="data/problems/tiny.yaml"), text


@pytest.mark.parametrize("name", ["birth_date", "DOB", "date_of_birth", "Geburtsdatum", "born"])
@pytest.mark.parametrize("written", ["%Y-%m-%d", "%d.%m.%Y"])
def test_a_birth_beside_an_event_is_an_age(name: str, written: str) -> None:
    columns = {name: text_of(BORN, written), "admitted": text_of(ADMITTED, written)}

    problem, text = onboard(**columns)

    assert problem.columns[name].parts == ("age",)
    assert problem.columns[name].as_of == "admitted"
    assert problem.columns["admitted"].parts == ("year", "month", "weekday")
    assert "years before admitted, as an age" in text


def test_a_birth_alone_stays_a_number_of_days_and_that_is_told() -> None:
    problem, text = onboard(birth_date=text_of(BORN))

    assert problem.columns["birth_date"].parts == ()
    assert "a birth without the date of an event" in text


def test_an_event_before_the_birth_is_no_event_to_count_an_age_to() -> None:
    mothers = [day - timedelta(days=9000) for day in BORN]

    problem, _ = onboard(birth_date=text_of(BORN), married=text_of(mothers))

    assert problem.columns["birth_date"].as_of is None


def test_an_event_that_half_of_the_rows_lack_gives_no_age() -> None:
    half = [day if place % 2 else "" for place, day in enumerate(text_of(ADMITTED))]

    problem, _ = onboard(birth_date=text_of(BORN), died_on=half, seen=text_of(ADMITTED))

    assert problem.columns["birth_date"].as_of == "seen"


@pytest.mark.parametrize(
    ("days", "parts"),
    [
        ([FIRST + timedelta(days=7 * week) for week in range(30)], ["days"]),
        ([FIRST + timedelta(days=day) for day in range(300)], ["days", "weekday"]),
        ([FIRST + timedelta(days=day) for day in range(800)], ["year", "month", "weekday"]),
        ([date(year, 6, 1) for year in range(1990, 2020)], ["year", "weekday"]),
    ],
)
def test_a_part_that_does_not_vary_is_not_proposed(days: list[date], parts: list[str]) -> None:
    assert find_parts(np.array([count_days(day) for day in days])) == parts


def test_an_hour_is_a_part_where_times_vary() -> None:
    times = [f"{day} {place % 24:02}:30" for place, day in enumerate(text_of(ADMITTED))]

    problem, _ = onboard(seen_at=times)

    assert "hour" in problem.columns["seen_at"].parts


@pytest.mark.parametrize("code", ["9999-12-31", "1900-01-01", "1970-01-01 00:00:00"])
def test_a_date_that_stands_for_none_is_a_missing_code(code: str) -> None:
    cells = [*(f"2023-{i % 12 + 1:02}-{i % 27 + 1:02}" for i in range(90)), *[code] * 9]

    guess = guess_column("until", cells)

    assert guess.keys["missing_codes"] == [code]
    assert guess.keys["missing"] == "allow"
    assert guess.keys["range"][0].year == 2022


@pytest.mark.parametrize(
    ("code", "count"),
    [("1900-01-01", 9), ("1970-01-01", 9), ("9999-12-31", 2)],
)
def test_a_date_among_the_others_or_a_rare_one_is_a_date(code: str, count: int) -> None:
    cells = [*(f"{1920 + i % 80}-03-{i % 27 + 1:02}" for i in range(900)), *[code] * count]

    assert "missing_codes" not in guess_column("born", cells).keys
