"""Tables of joins come from a store that nobody has to believe, and the last good one stays."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bentos.health.parts import Parts
from bentos.predictor import Predictor
from bentos.tables.bringing import Bringer
from bentos.tables.lookups import LOOKUPS, Lookups, table_path
from bentos.tables.pointers import (
    TablePointer,
    format_table_pointer,
    pointer_in_store,
    table_in_store,
)
from driftline.contract import Contract
from tests.bentos.models import MARKER
from tests.bentos.tables.shelved import LATER, NEW, OLD, SECONDS, Shelf, level_in
from tests.bentos.tables.test_lookups import LABS, NOW
from tests.bentos.takeover.shelving import Clock


def test_a_table_comes_and_is_looked_for_again_once_what_is_known_is_old(
    shelf: Shelf, contract: Contract, tmp_path: Path
) -> None:
    clock = Clock()
    bringer = Bringer(shelf, tmp_path, seconds=SECONDS, clock=clock)
    shelf.put(OLD)

    assert bringer.look(contract) is None
    assert level_in(tmp_path, contract) == 1.5
    shelf.put(NEW)
    clock.seconds = SECONDS - 1
    assert bringer.look(contract) is None
    assert level_in(tmp_path, contract) == 1.5
    clock.seconds = SECONDS
    assert bringer.look(contract) is None
    assert level_in(tmp_path, contract) == 2.5


def test_a_table_that_is_here_already_is_not_fetched_and_one_that_was_changed_is(
    shelf: Shelf, contract: Contract, tmp_path: Path
) -> None:
    clock, path = Clock(), table_path(tmp_path, "tiny", "labs")
    path.parent.mkdir(parents=True)
    path.write_bytes(NEW)
    bringer = Bringer(shelf, tmp_path, seconds=SECONDS, clock=clock)
    pointer = shelf.put(NEW)
    del shelf[table_in_store(pointer)]

    assert bringer.look(contract) is None
    path.write_bytes(OLD)
    shelf.put(NEW)
    clock.seconds = LATER
    assert bringer.look(contract) is None
    assert path.read_bytes() == NEW


def test_a_store_without_a_pointer_leaves_the_folder_that_somebody_else_fills(
    shelf: Shelf, contract: Contract, tmp_path: Path
) -> None:
    path = table_path(tmp_path, "tiny", "labs")
    path.parent.mkdir(parents=True)
    path.write_bytes(OLD)

    assert Bringer(shelf, tmp_path, seconds=SECONDS).look(contract) is None
    assert path.read_bytes() == OLD


def torn(shelf: Shelf, pointer: TablePointer) -> None:
    """Half of the table."""
    shelf[table_in_store(pointer)] = NEW[: len(NEW) // 2]


def lost(shelf: Shelf, pointer: TablePointer) -> None:
    """No table."""
    del shelf[table_in_store(pointer)]


def junk(shelf: Shelf, _pointer: TablePointer) -> None:
    """Something else under its right digest."""
    shelf.put(b"no table")


def lacking(shelf: Shelf, _pointer: TablePointer) -> None:
    """A table for other fields."""
    from driftline.timelines import Timeline, parse_timeline

    table = parse_timeline(NEW)
    columns = {"sex": table.columns["sex"]}
    shelf.put(Timeline(table.keys, table.starts, table.seconds, columns).to_bytes())


def unreadable(shelf: Shelf, _pointer: TablePointer) -> None:
    """A pointer that is none."""
    shelf[pointer_in_store("tiny", "labs")] = b"[]"


def foreign(shelf: Shelf, pointer: TablePointer) -> None:
    """The pointer of another join."""
    other = replace(pointer, join="../labs")
    shelf[pointer_in_store("tiny", "labs")] = format_table_pointer(other)


def nameless(shelf: Shelf, pointer: TablePointer) -> None:
    """A pointer that names a path instead of a digest."""
    other = replace(pointer, sha256="../../" + pointer.sha256)
    shelf[pointer_in_store("tiny", "labs")] = format_table_pointer(other)


def away(shelf: Shelf, _pointer: TablePointer) -> None:
    """No store."""
    shelf.is_away = True


HARMS = {
    torn: "got SHA-256",
    lost: "the store has no table that its pointer names",
    junk: "not a table of a join",
    lacking: "has no 'level'",
    unreadable: "the pointer cannot be read",
    foreign: "the pointer cannot be read",
    nameless: "the pointer names no SHA-256",
    away: "no word from the store (ConnectionError)",
}


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_whatever_is_wrong_with_a_new_table_the_last_good_one_stays_and_it_is_tried_again(
    shelf: Shelf,
    contract: Contract,
    tmp_path: Path,
    harm: Callable[[Shelf, TablePointer], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    bringer = Bringer(shelf, tmp_path, seconds=SECONDS, clock=clock)
    shelf.put(OLD)
    bringer.look(contract)
    harm(shelf, shelf.put(NEW))

    clock.seconds = LATER
    first = bringer.look(contract)
    assert first is not None
    assert bringer.look(contract) == first  # it is not due
    clock.seconds += LATER
    second = bringer.look(contract)

    assert second is not None
    assert (first.attempts, second.attempts, bringer.failures) == (1, 2, 2)
    assert first.why.startswith("a newer table of the join 'labs': ")
    assert HARMS[harm] in first.why
    assert len(caplog.records) == 1
    assert MARKER not in caplog.text
    assert level_in(tmp_path, contract) == 1.5
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["labs.npz"]

    shelf.is_away = False
    shelf.put(NEW)
    clock.seconds += LATER
    assert bringer.look(contract) is None
    assert level_in(tmp_path, contract) == 2.5


def test_the_last_good_table_answers_until_its_rows_are_older_than_the_join_allows(
    shelf: Shelf, contract: Contract, tmp_path: Path
) -> None:
    clock = Clock()
    bringer = Bringer(shelf, tmp_path, seconds=SECONDS, clock=clock)
    shelf.put(NEW)
    bringer.look(contract)
    shelf.is_away = True
    clock.seconds = LATER

    assert bringer.look(contract) is not None
    assert LABS.max_age_seconds is not None
    taken = NOW - 5 * 86_400
    assert level_in(tmp_path, contract, taken + LABS.max_age_seconds) == 2.5
    assert level_in(tmp_path, contract, taken + LABS.max_age_seconds + 1) is None


def test_a_disk_that_is_full_leaves_the_table_and_no_half_of_another(
    shelf: Shelf, contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    bringer = Bringer(shelf, tmp_path, seconds=SECONDS, clock=clock)
    shelf.put(OLD)
    bringer.look(contract)
    shelf.put(NEW)
    write = Path.write_bytes

    def write_half(path: Path, content: bytes) -> int:
        write(path, content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    clock.seconds = LATER
    trouble = bringer.look(contract)
    monkeypatch.undo()

    assert trouble is not None
    assert "it cannot be written here (No space left on device)" in trouble.why
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["labs.npz"]
    assert level_in(tmp_path, contract) == 1.5


def test_what_keeps_a_newer_table_away_is_told_beside_what_is_wrong_here(
    contract: Contract, predictor: Predictor, tmp_path: Path
) -> None:
    parts = Parts()
    lookups = Lookups(tmp_path, parts=parts, missed=lambda: "no word from the store")
    lookups.look(contract)
    part = parts.read()[LOOKUPS]

    assert part.health == "degraded"
    assert part.why == (
        "the table of the join 'labs' cannot be read (No such file or directory); "
        "no word from the store"
    )
    lookups.look(predictor.contract)  # of a champion without joins
    assert parts.read()[LOOKUPS].health == "up"


def test_the_age_of_the_newest_row_is_known_of_each_table_that_is_held(
    contract: Contract, tmp_path: Path
) -> None:
    lookups = Lookups(tmp_path, clock=lambda: NOW)
    assert lookups.ages(contract) == {}
    path = table_path(tmp_path, "tiny", "labs")
    path.parent.mkdir(parents=True)
    path.write_bytes(NEW)

    lookups.look(contract)

    assert lookups.ages(contract) == {"labs": 5 * 86_400.0}
