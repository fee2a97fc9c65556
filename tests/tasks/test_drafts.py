from pathlib import Path

import pytest

from tasks.drafts import whole_file


def test_nobody_sees_a_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"

    with whole_file(path) as draft:
        draft.write_text("whole")
        was_there = path.exists()

    assert not was_there
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")

    with pytest.raises(OSError, match="cut"):
        write_a_part(path)

    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def write_a_part(path: Path) -> None:
    with whole_file(path) as draft:
        draft.write_text("a part")
        raise OSError("cut")
