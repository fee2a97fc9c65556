from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import NotFoundError
from driftline.journal import Anchor, Entry, next_entry
from driftline.snapshots import (
    Registered,
    Version,
    choose_superfluous,
    find_names,
    insist_on_whole_journal,
)

NOW = datetime(2026, 1, 31, tzinfo=UTC)
MODELS = [Registered("tiny", "1", "a"), Registered("tiny", "2", "b"), Registered("moods", "1", "a")]


def entry(number: int, after: str | None) -> Entry:
    made = next_entry(
        None,
        problem="tiny",
        at="2026-01-01",
        actor="a test",
        alias="champion",
        before=None,
        after=after,
        why="better",
        evidence="",
    )
    return Entry(**{**made.__dict__, "number": number})


def version(sha256: str, age_days: float, **others: object) -> Version:
    told = {"problem": "tiny", **others}
    return Version(sha256, NOW - timedelta(days=age_days), **told)  # type: ignore[arg-type]


def test_a_snapshot_is_named_by_models_aliases_and_the_journal() -> None:
    names = find_names("tiny", MODELS, {"champion": "2"}, [entry(1, "1"), entry(2, "2")])

    assert names == {
        "a": ("tiny version 1", "moods version 1", "journal row 1"),
        "b": ("tiny version 2", "champion", "journal row 2"),
    }


def test_a_version_that_only_the_journal_knows_is_an_error() -> None:
    with pytest.raises(NotFoundError, match=r"row 1 of the journal names version 7.*no such"):
        find_names("tiny", MODELS, {}, [entry(1, "7")])


def test_a_row_that_takes_an_alias_away_names_nothing() -> None:
    assert find_names("tiny", [], {}, [entry(1, None)]) == {}


def test_a_journal_of_another_database_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="lacks row 2, whose anchor is in the store"):
        insist_on_whole_journal("tiny", [entry(1, "1")], [Anchor(1, "x"), Anchor(2, "y")])


def test_what_is_unnamed_old_and_not_among_the_newest_may_go() -> None:
    versions = [version("new", 0), version("kept", 5), version("old", 9), version("oldest", 20)]

    found = choose_superfluous(versions, "tiny", keep=2, before=NOW - timedelta(days=1))

    assert [each.sha256 for each in found] == ["old", "oldest"]


@pytest.mark.parametrize(
    "spared",
    [
        version("x", 9, named_by=("tiny version 1",)),
        version("x", 9, tags=("gold",)),
        version("x", 9, problem="moods"),
        version("x", 9, problem=""),
        version("x", 0.5),
    ],
    ids=["named", "tagged", "another problem's", "of nobody known", "young"],
)
def test_what_may_be_needed_stays(spared: Version) -> None:
    assert not choose_superfluous([spared], "tiny", keep=0, before=NOW - timedelta(days=1))


@given(
    ages=st.lists(st.floats(0, 100), max_size=12),
    named=st.sets(st.integers(0, 11)),
    keep=st.integers(0, 12),
)
def test_no_retention_drops_what_is_named(ages: list[float], named: set[int], keep: int) -> None:
    versions = [
        version(str(i), age, named_by=("a model",) if i in named else ())
        for i, age in enumerate(ages)
    ]

    dropped = choose_superfluous(versions, "tiny", keep=keep, before=NOW)

    assert not any(each.named_by for each in dropped)
    assert len(dropped) <= max(0, len(versions) - keep)


def test_a_snapshot_is_a_problems_by_its_origin_its_tag_or_its_model() -> None:
    assert version("x", 1).is_of("tiny")
    assert version("x", 1, problem="", tags=("gold",)).is_of("tiny")
    assert version("x", 1, problem="", named_by=("tiny version 1",)).is_of("tiny")
    assert not version("x", 1, problem="", named_by=("tiny2 version 1",)).is_of("tiny")
