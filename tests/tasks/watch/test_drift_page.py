import numpy as np
import pandas as pd
import pytest

from driftline.verdicts import DriftDecision
from tasks.watch import drift_page
from tasks.watch.drift_page import choose_columns, draw_drift
from tests.support import MOODS, make_problem, mood_rows, tiny_rows

DECISION = DriftDecision("need_labels", ("level has changed",))


def draw(reference: pd.DataFrame, current: pd.DataFrame) -> str:
    return draw_drift.fn(reference, current, make_problem(), DECISION).decode()


def test_the_page_begins_with_our_verdict() -> None:
    page = draw(tiny_rows(), tiny_rows(200, seed=1))

    body = page.partition("<body>")[2]
    assert body.startswith("<section")
    assert "<h1>A tiny two-class problem: need_labels</h1>" in body[:500]
    assert "level has changed" in body[:1000]


def test_the_page_of_a_large_table_stays_small() -> None:
    page = draw(tiny_rows(20_000), tiny_rows(20_000, seed=1))

    assert len(page) < 10_000_000
    assert "Drawn: 5000 of 20000 reference rows and 5000 of 20000 current rows" in page


def test_categories_alone_can_be_drawn() -> None:
    moods = make_problem(MOODS, name="moods")

    page = draw_drift.fn(mood_rows(), mood_rows(seed=1), moods, DECISION)

    assert b"sleeps" in page


def test_what_cannot_be_drawn_is_a_page_with_the_verdict() -> None:
    """A renamed column, or a header only: the table to judge has no usable row."""
    names = list(make_problem().columns)
    empty = [pd.DataFrame(columns=names), tiny_rows(200).assign(**dict.fromkeys(names, np.nan))]

    pages = [draw(tiny_rows(), current) for current in empty]

    assert all("need_labels" in page and "no rows to draw" in page for page in pages)


def test_of_very_many_columns_those_that_are_spoken_of_are_drawn() -> None:
    names = [f"c{number}" for number in range(500)]
    decision = DriftDecision("retrain", ("c499: stuck at one value", "the rows are others"))

    assert choose_columns(names, decision) == ["c499", *names[:99]]
    assert choose_columns(names[:3], decision) == names[:3]


def test_a_page_says_how_many_columns_it_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_page, "MOST_COLUMNS", 5)
    columns = {f"column {number}": {"range": [-9, 9]} for number in range(6)}
    problem = make_problem(columns=columns)
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 6)), columns=list(columns))

    page = draw_drift.fn(rows, rows, problem, DECISION).decode()

    assert "30 of 30 current rows, 5 of 6 columns." in page
    assert "column 4" in page
    assert "column 5" not in page
