from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.journal import (
    Anchor,
    Entry,
    Promoted,
    find_breaks,
    find_promoted,
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


PROMOTED = Promoted(onnx_sha256="a" * 64, contract_sha256="b" * 64, served_sha256="c" * 64)


def promote(*versions: str) -> list[Entry]:
    """A journal whose rows hold what was promoted; each version has a model of its own."""
    entries: list[Entry] = []
    for version in versions:
        entry = next_entry(
            entries[-1] if entries else None,
            problem="p",
            at="2026-01-01T00:00:00",
            actor="a test",
            alias="champion",
            before=last_holders(entries).get("champion"),
            after=version,
            why="because",
            evidence="figures",
            promoted=replace(PROMOTED, onnx_sha256=version * 64),
        )
        entries.append(entry)
    return entries


def test_what_was_promoted_is_found_by_its_version() -> None:
    entries = promote("1", "2")

    assert find_promoted(entries, "1") == replace(PROMOTED, onnx_sha256="1" * 64)
    assert find_promoted(entries, "3") is None
    assert find_promoted(write(("champion", "1")), "1") is None


@pytest.mark.parametrize("digest", ["onnx_sha256", "contract_sha256", "served_sha256"])
@pytest.mark.parametrize("other", ["f" * 64, None])
def test_an_edited_digest_of_what_was_promoted_breaks_the_chain(
    digest: str, other: str | None
) -> None:
    entries = promote("1", "2")
    holders = last_holders(entries)
    entries[0] = replace(entries[0], **{digest: other})  # type: ignore[arg-type]

    assert find_breaks(entries, holders) == ["row 1: edited, its content does not have its hash"]


def test_rows_of_before_digests_were_kept_have_the_hash_that_they_had() -> None:
    (entry,) = write(("champion", "1"))

    assert entry.sha256 == "dc3a3af066a8e94036b1fa659d84196f91ae6e6b43046bb867fed4cf4ee00f21"


def test_newer_code_around_the_same_model_is_what_was_promoted() -> None:
    assert PROMOTED.difference(replace(PROMOTED, served_sha256="d" * 64)) is None
    assert PROMOTED.difference(replace(PROMOTED, contract_sha256="d" * 64)) == "contract"
    assert PROMOTED.difference(replace(PROMOTED, onnx_sha256="d" * 64)) == "ONNX file"


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
