"""Parquet files and spreadsheets as other people's tools write them."""

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from driftline.errors import DataError, SourceError
from tasks.reading.parsing import parse, stream
from tasks.reading.sources import expect, read_table
from tests.tasks.reading.writing import CODED, cleaned, stages


def test_of_several_sheets_the_one_with_the_columns_is_read(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["read", "me", "first"])
    sheet = book.create_sheet("data")
    for row in (["age", "level", "stage", "outcome"], [40, 1.5, 1, 0], [41, 2.5, 2, 1]):
        sheet.append(row)
    book.save(tmp_path / "rows.xlsx")

    table = read_table(str(tmp_path / "rows.xlsx"), expect(CODED)).rows

    assert table["age"].tolist() == [40, 41]


def write_parquet(path: Path, table: Any) -> bytes:
    parquet.write_table(table, path)
    return path.read_bytes()


def test_what_pandas_kept_as_an_index_is_a_column_where_it_is_declared(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [40, 41], "level": [1.5, 2.5], "stage": [1, 2], "outcome": [0, 1]})
    frame.set_index("age").to_parquet(tmp_path / "rows.parquet")

    found = cleaned((tmp_path / "rows.parquet").read_bytes(), "rows.parquet").table

    assert found["age"].tolist() == [40, 41]


def test_a_name_that_parquet_has_twice_is_told(tmp_path: Path) -> None:
    arrays = [pa.array([1, 2])] * 5
    names = ["age", "level", "stage", "outcome", "age"]
    content = write_parquet(tmp_path / "rows.parquet", pa.Table.from_arrays(arrays, names=names))

    with pytest.raises(DataError, match="given more than once: 'age'"):
        cleaned(content, "rows.parquet")


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_text_that_its_writer_has_not_marked_as_text_is_read(
    tmp_path: Path, kind: pa.DataType
) -> None:
    """As Impala and older Hive write it."""
    columns = {"age": [b"40", b"41"], "level": [b"1.5", None], "stage": [b"gr\xc3\xbcn", b"rot"]}
    arrays = {name: pa.array(cells, kind) for name, cells in columns.items()}
    content = write_parquet(tmp_path / "rows.parquet", pa.table(arrays | {"outcome": [0, 1]}))

    table = cleaned(content, "rows.parquet", stages("grün", "rot")).table

    assert table["age"].tolist() == [40, 41]
    assert table["level"].isna().tolist() == [False, True]
    assert table["stage"].tolist() == ["grün", "rot"]


def test_bytes_of_a_fixed_length_may_be_text(tmp_path: Path) -> None:
    columns = {"age": [40, 41], "level": [1.5, 2.5], "outcome": [0, 1]}
    table = pa.table(columns | {"stage": pa.array([b"2", b"1"], pa.binary(1))})

    found = cleaned(write_parquet(tmp_path / "rows.parquet", table), "rows.parquet").table

    assert found["stage"].tolist() == ["2", "1"]


def test_what_a_cell_of_bytes_means_does_not_depend_on_others(tmp_path: Path) -> None:
    """A piece of the same rows is read alike: whole, or beside one that is no text."""
    columns = {"age": [40, 41, 42], "level": [1.5] * 3, "outcome": [0, 1, 0]}
    table = pa.table(columns | {"stage": pa.array([b"2", b"\xff", b"1"], pa.binary())})
    content = write_parquet(tmp_path / "rows.parquet", table)

    whole = parse(content, "rows.parquet").rows["stage"].tolist()
    pieces = stream(io.BytesIO(content), "rows.parquet", size=len(content), rows=1)

    assert whole == ["2", b"\xff", "1"]
    assert [cell for piece in pieces for cell in piece.rows["stage"]] == whole


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([[1.0]] * 2, "level: 2 cells, which are no single values"),
        ([dt.date(2024, 1, 1)] * 2, "level: 2 cells: dates"),
        ([b"\xff"] * 2, "level: 2 cells: bytes"),
    ],
)
def test_a_column_of_another_type_says_what_it_holds(
    tmp_path: Path, cells: list[Any], told: str
) -> None:
    columns = {"age": [40, 41], "level": cells, "stage": [1, 2], "outcome": [0, 1]}
    content = write_parquet(tmp_path / "rows.parquet", pa.table(columns))

    with pytest.raises(DataError) as raised:
        cleaned(content, "rows.parquet")

    assert str(raised.value).endswith(f"wanted at least one; {told}")


PLAIN = pd.DataFrame({"age": [40, 41], "level": [1.5, 2.5], "stage": [1, 2], "outcome": [0, 1]})


OF_ANOTHER = {"index_columns": ["gone"], "columns": [], "column_indexes": []}


@pytest.mark.parametrize("note", [b"{", json.dumps(OF_ANOTHER).encode(), b"[]"])
def test_a_note_of_pandas_that_is_damaged_or_of_another_table_is_left_alone(
    note: bytes, tmp_path: Path
) -> None:
    table = pa.Table.from_pandas(PLAIN, preserve_index=False)
    noted = table.replace_schema_metadata({b"pandas": note})

    found = cleaned(write_parquet(tmp_path / "rows.parquet", noted), "rows.parquet").table

    assert found["age"].tolist() == [40, 41]


def test_columns_that_pandas_called_by_whole_numbers_are_found_by_their_names(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame([[b"a", 0], [b"\xff", 1], [b"a", 0]])
    frame.to_parquet(tmp_path / "rows.parquet")

    rows = parse((tmp_path / "rows.parquet").read_bytes(), "rows.parquet").rows

    assert list(rows.columns) == ["0", "1"]
    assert rows["0"].tolist() == ["a", b"\xff", "a"]


def write_sheets(path: Path, **sheets: pd.DataFrame) -> str:
    with pd.ExcelWriter(path) as writer:
        for title, rows in sheets.items():
            rows.to_excel(writer, sheet_name=title, index=False)
    return str(path)


def test_a_table_that_is_parted_over_sheets_is_refused(tmp_path: Path) -> None:
    """To read one of them would pass over the rest."""
    book = write_sheets(tmp_path / "rows.xlsx", one=PLAIN.head(1), two=PLAIN.tail(1))

    with pytest.raises(SourceError, match=r"holds 2 sheets with these columns \('one', 'two'\)"):
        read_table(book, expect(CODED))


def test_a_sheet_and_its_copy_are_one_table(tmp_path: Path) -> None:
    book = write_sheets(tmp_path / "rows.xlsx", one=PLAIN, copy=PLAIN)

    assert read_table(book, expect(CODED)).rows["age"].tolist() == [40, 41]
