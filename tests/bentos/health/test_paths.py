"""What stands in the way of a path is named, with what is wanted there."""

import errno
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bentos.health.paths import explain_path, what_is_no_folder
from tests.permissions import bound_by_permissions


def make_file(path: Path) -> None:
    path.write_text("a file")


def make_dangling(path: Path) -> None:
    path.symlink_to(path.parent / "gone" / "far")


def told_of(act: Callable[[], object]) -> str | None:
    """What is told of the error that an act on files ends in."""
    try:
        act()
    except OSError as error:
        return explain_path(error)
    return pytest.fail("nothing went wrong")


@pytest.mark.parametrize(
    ("put", "words"),
    [(make_file, "is a file"), (make_dangling, "is a link to {}/gone/far, which is not there")],
)
def test_what_stands_where_a_folder_is_wanted_is_named(
    put: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    way = tmp_path / "state"
    put(way)

    told = f"{way}: {words.format(tmp_path)}"

    assert what_is_no_folder(way) == what_is_no_folder(way / "below") == told
    for folder in (way, way / "below"):
        make = partial(folder.mkdir, parents=True, exist_ok=True)
        assert told_of(make) == told_of((folder / "x").read_bytes) == f"{told}, wanted a folder"


def test_a_folder_where_a_file_is_wanted_is_named(tmp_path: Path) -> None:
    folder, draft = tmp_path / "latest.json", tmp_path / "draft"
    folder.mkdir()
    draft.touch()

    told = f"{folder}: is a folder, wanted a file"

    assert told_of(folder.read_bytes) == told
    assert told_of(lambda: draft.replace(folder)) == told


@pytest.mark.parametrize("mode", [0o000, 0o555])
def test_a_folder_that_takes_no_file_is_named_and_not_the_draft_that_was_never_made(
    mode: int, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    draft = folder / ".page.html.4c51.part"
    folder.mkdir()
    folder.chmod(mode)

    with bound_by_permissions():
        told = told_of(draft.touch)
    folder.chmod(0o700)

    named = folder if mode else draft
    assert told == f"{named}: access denied; wanted one that this user may read and write"


def test_a_full_disk_is_told_with_the_file_or_without() -> None:
    named = OSError(errno.ENOSPC, "No space left on device", "/srv/state/x")

    told = "no room is left (No space left on device); wanted some on its disk"

    assert explain_path(named) == f"/srv/state/x: {told}"
    assert explain_path(OSError(*named.args), "rows.csv") == f"rows.csv: {told}"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no path at all"),
        OSError("no number"),
        ConnectionResetError(errno.ECONNRESET, "reset"),
        FileNotFoundError(errno.ENOENT, "No such file", "/nowhere/at/all"),
        BlockingIOError(errno.EAGAIN, "busy", "/srv/state/x"),
    ],
)
def test_other_errors_are_left_to_others(error: Exception) -> None:
    assert explain_path(error) is None


def test_a_folder_or_nothing_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    assert what_is_no_folder(tmp_path / "link" / "new") is None
    assert what_is_no_folder(tmp_path) is None
