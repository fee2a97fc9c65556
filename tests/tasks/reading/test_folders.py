"""A folder of tables is read as one table: endings, links, and files without rows."""

import gzip
from pathlib import Path

import pytest

from driftline.errors import SourceError
from tasks.reading.sources import open_source, read_table
from tests.support import make_problem
from tests.tasks.reading.writing import write


def test_a_folder_is_its_tables_one_after_the_other(tmp_path: Path) -> None:
    write(tmp_path, "b.csv", b"age\n3\n")
    write(tmp_path, "a.csv", b"age\n1\n2\n")
    write(tmp_path, "notes.md", b"not a table")

    assert read_table(str(tmp_path)).rows["age"].tolist() == ["1", "2", "3"]


def test_tables_of_a_folder_must_have_the_same_header(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", b"age\n1\n")
    write(tmp_path, "b.csv", b"years\n1\n")

    with pytest.raises(SourceError, match=r"b\.csv: its header differs from that of .*a\.csv"):
        read_table(str(tmp_path))


def test_a_folder_without_tables_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"a folder without tables; wanted at least one of \.csv, "
    ):
        read_table(str(tmp_path))


def test_endings_count_in_any_case_and_hidden_files_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "january.csv", b"age\n1\n")
    write(tmp_path, "FEBRUARY.CSV", b"age\n2\n")
    write(tmp_path, "march.Csv.GZ", gzip.compress(b"age\n3\n"))
    for name in ("._january.csv", ".DS_Store", "_refused-0.parquet"):
        write(tmp_path, name, b"no table")
    (tmp_path / "older.csv").mkdir()

    with caplog.at_level("INFO"):
        table = read_table(str(tmp_path)).rows

    assert sorted(table["age"]) == ["1", "2", "3"]
    told = [record.getMessage() for record in caplog.records if "not read" in record.getMessage()]
    assert told == [
        f"{tmp_path}: not read: .DS_Store, ._january.csv, _refused-0.parquet, older.csv"
    ]


def test_links_in_a_folder_are_the_tables_that_they_lead_to(tmp_path: Path) -> None:
    """As versioned data and mounted volumes have them."""
    folder, kept = tmp_path / "folder", tmp_path / "kept"
    folder.mkdir()
    write(folder, "a.csv", b"age\n1\n")
    write(tmp_path, "kept", b"age\n2\n")
    (folder / "b.csv").symlink_to(kept)
    (folder / "c.csv").symlink_to(folder)

    assert read_table(str(folder)).rows["age"].tolist() == ["1", "2"]


def test_a_link_to_a_table_of_the_same_folder_adds_no_rows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As `latest.csv` is one: its rows are there already."""
    (tmp_path / "kept").mkdir()
    write(tmp_path, "2024.csv", b"age\n1\n")
    write(tmp_path / "kept", "old.csv", b"age\n2\n")
    (tmp_path / "latest.csv").symlink_to("2024.csv")
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).symlink_to("kept/old.csv")

    with caplog.at_level("INFO", logger="driftline"):
        rows = read_table(str(tmp_path)).rows

    assert rows["age"].tolist() == ["1", "2"]
    assert "not read: kept, latest.csv, two.csv" in caplog.text


def test_a_link_to_nowhere_in_a_folder_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", b"age\n1\n")
    (tmp_path / "b.csv").symlink_to("away.csv")

    with pytest.raises(SourceError, match=r"b\.csv -> away\.csv: no such file"):
        read_table(str(tmp_path))


def test_a_file_without_rows_among_others_is_no_piece(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", b"age\n")
    write(tmp_path, "b.csv", b"age\n1\n2\n3\n")
    problem = make_problem(source={"kind": "file", "location": str(tmp_path)})
    stream = open_source.fn(problem, None, rows=2)

    pieces = [stream.read(0), stream.read(1), stream.read(2)]

    assert [None if piece is None else len(piece.rows) for piece in pieces] == [2, 1, None]


def test_files_that_are_written_in_two_ways_are_told_and_pin_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", b"age,level\n40,0.5\n")
    write(tmp_path, "b.csv", b"age;level\n40;0,5\n")

    table = read_table(str(tmp_path))

    assert table.read_as == "plain; or: semicolon, decimal comma"
    assert table.reading.is_plain
