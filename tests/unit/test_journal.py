from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.journal import (
    Anchor,
    Entry,
    find_breaks,
    is_step_back,
    last_holders,
    next_entry,
    previous_holder,
)


def write(*changes: tuple[str, str | None]) -> list[Entry]:
    """A journal of these (alias, version) changes."""
    entries: list[Entry] = []
    for alias, after in changes:
        entry = next_entry(
            entries[-1] if entries else None,
            problem="p",
            at="2026-01-01T00:00:00",
            actor="a test",
            alias=alias,
            before=last_holders(entries).get(alias),
            after=after,
            why="because",
            evidence="figures",
        )
        entries.append(entry)
    return entries


@given(st.lists(st.tuples(st.sampled_from(["champion", "challenger"]), st.sampled_from("123"))))
def test_an_honest_journal_has_no_breaks(changes: list[tuple[str, str]]) -> None:
    entries = write(*changes)

    assert find_breaks(entries, last_holders(entries)) == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_edited_row_is_found(place: int) -> None:
    entries = write(("champion", "1"), ("champion", "2"), ("champion", "3"))
    entries[place] = replace(entries[place], why="for another reason")

    assert any("edited" in each for each in find_breaks(entries, last_holders(entries)))


def test_a_removed_row_is_found() -> None:
    entries = write(("champion", "1"), ("champion", "2"), ("champion", "3"))
    del entries[1]

    assert find_breaks(entries, last_holders(entries))


def test_an_inserted_row_is_found() -> None:
    entries = write(("champion", "1"), ("champion", "2"))
    entries.insert(1, write(("champion", "9"))[0])

    assert find_breaks(entries, last_holders(entries))


def test_an_alias_moved_past_the_journal_is_found() -> None:
    entries = write(("champion", "1"))

    breaks = find_breaks(entries, {"champion": "7"})

    assert breaks == ["alias champion: held by version 7, the journal says version 1"]


def test_rolling_back_twice_goes_back_two_promotions() -> None:
    promoted = [("champion", "1"), ("champion", "2"), ("champion", "3")]

    assert previous_holder(write(*promoted), "champion") == "2"
    assert previous_holder(write(*promoted, ("champion", "2")), "champion") == "1"
    assert (
        previous_holder(write(*promoted, ("champion", "2"), ("champion", "1")), "champion") is None
    )


def test_the_first_champion_has_none_before_it() -> None:
    assert previous_holder(write(("champion", "1"), ("challenger", "2")), "champion") is None


@pytest.mark.parametrize(
    ("held", "is_back"), [("", False), ("1", False), ("12", False), ("121", True), ("1213", False)]
)
def test_a_step_back_is_told_from_a_step_forward(held: str, is_back: bool) -> None:
    entries = write(*(("champion", version) for version in held), ("challenger", "9"))

    assert is_step_back(entries, "champion") == is_back


def anchors_of(entries: list[Entry]) -> list[Anchor]:
    return [Anchor(entry.number, entry.sha256) for entry in entries]


def test_an_alias_that_was_moved_by_hand_stays_visible_after_the_next_promotion() -> None:
    entries = write(("champion", "1"))
    moved = next_entry(
        entries[-1],
        problem="p",
        at="2026-01-02T00:00:00",
        actor="a test",
        alias="champion",
        before="2",
        after="3",
        why="because",
        evidence="figures",
    )

    breaks = find_breaks([*entries, moved], {"champion": "3"})

    assert breaks == [
        "row 2: takes champion from version 2, the row before it gave it to version 1"
    ]


@given(cut=st.integers(0, 3))
def test_a_cut_tail_is_found_though_the_alias_was_moved_too(cut: int) -> None:
    entries = write(*[("champion", version) for version in "1234"])
    rest = entries[:cut]

    breaks = find_breaks(rest, last_holders(rest), anchors_of(entries))

    assert breaks == [f"row {number}: removed, its anchor is there" for number in range(cut + 1, 5)]


def test_a_journal_written_anew_is_found() -> None:
    told = write(("champion", "1"), ("champion", "2"), ("champion", "3"))
    forged = write(("champion", "1"), ("champion", "3"), ("champion", "4"), ("champion", "3"))

    breaks = find_breaks(forged, last_holders(forged), anchors_of(told))

    assert [each.split(" (")[0] for each in breaks] == [
        "row 2: not the row that was anchored",
        "row 3: not the row that was anchored",
    ]


@given(st.integers(1, 4))
def test_anchors_of_an_earlier_head_break_nothing(known: int) -> None:
    entries = write(*[("champion", version) for version in "1234"])

    assert find_breaks(entries, last_holders(entries), anchors_of(entries[:known])) == []
