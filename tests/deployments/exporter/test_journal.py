"""Who serves since when, by the journal's rows."""

from datetime import datetime

from deployments.exporter.journal import Change, Tenure, find_tenure

FIRST, SECOND, THIRD = (f"2026-0{month}-01T00:00:00+00:00" for month in (1, 2, 3))


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def test_nobody_serves_before_the_first_row() -> None:
    assert find_tenure([]) == Tenure(None, 0.0, 0, 0, 0)


def test_a_champion_serves_since_it_was_promoted() -> None:
    changes: list[Change] = [
        (FIRST, "challenger", "1"),
        (FIRST, "champion", "1"),
        (SECOND, "challenger", "2"),
        (SECOND, "challenger", None),
        (SECOND, "champion", "2"),
    ]

    assert find_tenure(changes) == Tenure("2", at(SECOND), 2, 0, 2)


def test_one_that_comes_back_is_as_old_as_it_was() -> None:
    changes: list[Change] = [
        (FIRST, "champion", "1"),
        (SECOND, "champion", "2"),
        (THIRD, "champion", "1"),
    ]

    assert find_tenure(changes) == Tenure("1", at(FIRST), 2, 1, 0)


def test_an_alias_that_is_taken_away_leaves_nobody() -> None:
    assert find_tenure([(FIRST, "champion", "1"), (SECOND, "champion", None)]).version is None
