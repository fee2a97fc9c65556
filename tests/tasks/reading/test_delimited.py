import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from driftline.errors import SourceError
from tasks.reading.sources import read_table
from tests.tasks.reading.writing import ROWS, TEXT, write


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("rows.csv", bytes),
        ("rows.csv.gz", gzip.compress),
        ("rows.csv.bz2", bz2.compress),
    ],
)
def test_a_text_table_is_read_as_text(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    location = write(tmp_path, name, pack(TEXT.encode()))

    table = read_table(location).rows

    pd.testing.assert_frame_equal(table, ROWS, check_column_type=False)


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path: Path) -> None:
    location = write(tmp_path, "rows.csv", b"\xef\xbb\xbf" + TEXT.encode())

    assert list(read_table(location).rows.columns) == ["age", "level"]


def test_a_repeated_name_stays_repeated(tmp_path: Path) -> None:
    """Whether that is a mistake is for the problem to say."""
    location = write(tmp_path, "rows.csv", b"age,age\n1,2\n")

    assert list(read_table(location).rows.columns) == ["age", "age"]


def test_a_quoted_cell_may_hold_a_comma_and_a_line_break(tmp_path: Path) -> None:
    location = write(tmp_path, "rows.csv", b'age,note\n40,"one, two\nthree"\n')

    assert read_table(location).rows["note"].tolist() == ["one, two\nthree"]


def test_a_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    location = write(tmp_path, "rows.csv", b"age,level\n")

    table = read_table(location).rows

    assert (len(table), list(table.columns)) == (0, ["age", "level"])


UNEVEN = {
    "longer": ("a,b,c\n1,2,3\n1,2,3,4\n", "line 3 has 4 cells; wanted 3 cells in every line"),
    "all longer": ("a,b,c\n1,2,3,4\n1,2,3,4\n", "line 2 has 4 cells; wanted 3 cells"),
    "much longer": ("a,b\n1,2,3,4,5\n", "line 2 has 5 cells; wanted 2 cells"),
    "shorter": ("a,b,c\n1,2,3\n\n1,2\n", "line 4 has 2 cells; wanted 3 cells in every line"),
    "after a line break": ('a,b\n"1\n1",2\n1\n', "line 4 has 1 cell; wanted 2 cells"),
    "surplus value": ("a,b\n1,2,,x\n", "line 2 has 4 cells; wanted 2 cells in every line"),
}


@pytest.mark.parametrize("way", UNEVEN)
def test_a_line_of_uneven_length_is_refused_by_its_number(tmp_path: Path, way: str) -> None:
    """Its cells would come under other columns, or be lost."""
    text, message = UNEVEN[way]
    location = write(tmp_path, "rows.csv", text.encode())

    with pytest.raises(SourceError) as raised:
        read_table(location)

    assert str(raised.value).startswith(f"{location}: {message}")


def test_empty_cells_past_the_last_column_and_empty_lines_are_let_pass(tmp_path: Path) -> None:
    text = b'a,b\n1,2\n3,4,\n\n5,"6, 7",,\n   \n8,9\n'
    location = write(tmp_path, "rows.csv", text)

    table = read_table(location).rows

    assert table.to_numpy().tolist() == [["1", "2"], ["3", "4"], ["5", "6, 7"], ["8", "9"]]


def test_a_header_cell_may_hold_a_line_break(tmp_path: Path) -> None:
    location = write(tmp_path, "rows.csv", b'"age\n(years)","x"\r\n1,"a\nb"\r\n')

    assert list(read_table(location).rows.columns) == ["age\n(years)", "x"]
