"""Tables as other people's tools write them: what is inside, and not what the name says, counts."""

import datetime as dt
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from openpyxl import Workbook
from pyarrow import feather, orc, parquet

from driftline.cleaning import CleanTable, clean
from driftline.errors import DataError, SourceError
from driftline.problem import Problem
from tasks.reading.parsing import parse, stream
from tasks.reading.sources import expect, read_table
from tests.support import make_problem

STAGES = ["gelb", "rot"]


def stages(*categories: str) -> Problem:
    columns = {
        "age": {"kind": "integer"},
        "level": {"missing": "allow"},
        "stage": {"kind": "category", "categories": list(categories), "missing": "allow"},
    }
    return make_problem(columns=columns)


CODED = stages("1", "2")


def cleaned(content: bytes | str, name: str = "rows.csv", problem: Problem = CODED) -> CleanTable:
    raw = content.encode() if isinstance(content, str) else content
    piece = parse(raw, name, expect(problem))
    return clean(piece.rows, problem, source=name, with_target=True)


def rows_of(*stage: str) -> str:
    lines = [f"{40 + i},{i}.5,{each},{i % 2}" for i, each in enumerate(stage)]
    return "\n".join(["age,level,stage,outcome", *lines]) + "\n"


def test_a_column_that_may_mean_either_goes_by_one_that_leaves_no_doubt() -> None:
    """1.234 is a thousand and more where another column has a decimal comma."""
    text = "age;level;stage;outcome\n40;1.234;1;0\n41;2.345;2;1\n"
    text = text.replace("level", "income").replace("stage", "level")
    problem = make_problem(columns={"age": {}, "income": {}, "level": {}})
    text = text.replace("1;0", "1,5;0").replace("2;1", "0,5;1")

    table = cleaned(text, problem=problem).table

    assert table["income"].tolist() == [1234.0, 2345.0]
    assert table["level"].tolist() == [1.5, 0.5]


def test_codes_of_a_table_with_a_decimal_comma_are_the_declared_ones() -> None:
    text = "age;level;stage;outcome\n40,0;1,5;1,0;0,0\n41,0;2,5;2,0;1,0\n"

    table = cleaned(text).table

    assert table["stage"].tolist() == ["1", "2"]
    assert table["outcome"].tolist() == ["well", "ill"]


def test_codes_may_be_written_as_numpy_writes_floats() -> None:
    text = rows_of("1.000000000000000000e+00", "2.000000000000000000e+00")

    assert cleaned(text).table["stage"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("encoding", "categories"),
    [
        ("cp1250", ("žlutý", "červený")),
        ("iso8859_2", ("żółty", "śliwka")),
        ("mac_roman", ("größe", "süß")),
        ("cp866", ("красный", "синий")),
    ],
)
def test_the_words_that_are_declared_tell_the_encoding(
    encoding: str, categories: tuple[str, str]
) -> None:
    """Short words are too few letters to guess by."""
    content = rows_of(*categories * 20).encode(encoding)

    table = cleaned(content, problem=stages(*categories)).table

    assert table["stage"].tolist() == [*categories * 20]


def test_a_line_that_is_no_utf_8_among_others_is_named() -> None:
    """Else all letters of the others were read as those of another encoding."""
    problem = stages("größe", "süß")
    content = rows_of(*("größe", "süß") * 10).encode() + "50,1.5,süß,1\n".encode("cp1252")

    with pytest.raises(SourceError, match=r"rows\.csv: line 22 is no UTF-8, as most of the text"):
        cleaned(content, problem=problem)


def test_a_quote_that_is_never_closed_is_named_by_its_line() -> None:
    text = rows_of("1", "2", "1").replace("1,1.5,2", '1,1.5,"2')

    with pytest.raises(SourceError, match="line 3 opens a quote that is never closed"):
        cleaned(text)


def test_a_cell_that_never_ends_is_named_by_its_line() -> None:
    """What a quote that nothing closes makes of a long table."""
    text = rows_of("1", *("2",) * 20_000).replace("1,1.5,2", '1,1.5,"2', 1)

    with pytest.raises(SourceError, match=r"rows\.csv: line 3 begins a cell of more than 131,072"):
        cleaned(text)


def test_apostrophes_may_quote() -> None:
    text = rows_of("1", "2").replace("age,level,stage", "'age','level','stage'")

    assert cleaned(text).table["age"].tolist() == [40, 41]


def test_a_nameless_column_without_values_is_none() -> None:
    """A comma at the end of each line, as spreadsheets leave it."""
    text = rows_of("1", "2").replace("\n", ",\n")

    assert cleaned(text).table["stage"].tolist() == ["1", "2"]


def test_a_nameless_column_with_values_is_named_as_one() -> None:
    text = rows_of("1", "2").replace("outcome\n", "outcome,\n").replace("0\n", "0,x\n")
    text = text.replace(",1\n", ",1,\n")

    with pytest.raises(DataError, match=r"unexpected: '' \(a column without a name\)"):
        cleaned(text)


def written(kind: str) -> bytes:
    """A small table as another tool keeps it."""
    sink, table = io.BytesIO(), pa.table({"age": [1, 2], "stage": ["a", "b"]})
    (feather.write_feather if kind == "feather" else orc.write_table)(table, sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (gzip.compress(b"age\n1\n", mtime=0), "gzip"),
        (b"PK\x03\x04.", "a spreadsheet"),
        (b"PAR1\x15\x04", "Parquet"),
        (written("feather"), "Feather"),
        (written("orc"), "ORC"),
        (b"FEA1\0\0\0\0", "Feather"),
        (b"$FL2@(#) SPSS DATA FILE", "a file of SPSS"),
        (b"SQLite format 3\0", "a database of SQLite"),
        (b"\x28\xb5\x2f\xfd\x04abc", "Zstandard"),
        (b"age.csv" + bytes(250) + b"ustar\x0000age,level\n", "a tar archive"),
        (b"Rar!\x1a\x07\0", "a RAR archive"),
        (b"\x80\x04\x95abc", "a pickle"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_by_what_it_is(
    head: bytes, kind: str
) -> None:
    with pytest.raises(SourceError, match=f"rows.csv: begins as {kind}"):
        cleaned(head)


@pytest.mark.parametrize("column", ["ORCID", "FEA1", "ARROW1", "PAR1", "$FL2"])
def test_a_column_may_be_named_as_other_files_begin(column: str) -> None:
    problem = make_problem(columns={column: {}})

    assert cleaned(f"{column},outcome\n1,0\n2,1\n", problem=problem).table[column].tolist() == [
        1,
        2,
    ]


RECORDS = [
    {"age": 40, "stage": 1, "outcome": 0},
    {"outcome": 1, "stage": None, "age": 41, "level": 2.5},
]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
@pytest.mark.parametrize("is_list", [False, True])
def test_objects_may_lack_keys_that_others_have(name: str, is_list: bool) -> None:
    lines = "\n".join(map(json.dumps, RECORDS))

    table = cleaned(json.dumps(RECORDS, indent=1) if is_list else lines, name).table

    assert table["level"].isna().tolist() == [True, False]
    assert table["stage"].tolist() == ["1", None]
    assert table["outcome"].tolist() == ["well", "ill"]


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


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("rows.parquet", written("feather"), "Parquet file (it begins as Feather does); wanted it"),
        ("rows.parquet", b"age,level\n1,2\n", "Parquet file (it begins otherwise); wanted it"),
        ("rows.parquet", b"PAR1\x15PAR1", "Parquet file (ArrowInvalid); wanted it whole"),
        ("rows.xlsx", b"age,level\n1,2\n", "spreadsheet (it begins otherwise); wanted it whole"),
        ("rows.xlsx", b"PAR1\x15\0", "spreadsheet (it begins as Parquet does); wanted it whole"),
        (
            "rows.xlsx",
            b"\xd0\xcf\x11\xe0" + b"\0" * 600,
            "spreadsheet (CalamineError); wanted it whole",
        ),
    ],
)
@pytest.mark.parametrize("is_whole", [False, True])
def test_what_begins_otherwise_than_its_ending_says_is_told_with_what_is_wanted(
    name: str, content: bytes, told: str, is_whole: bool
) -> None:
    def in_pieces(content: bytes, name: str) -> object:
        return next(stream(io.BytesIO(content), name, size=len(content), rows=10))

    with pytest.raises(SourceError, match=rf"^{name}: not a readable {re.escape(told)}"):
        (parse if is_whole else in_pieces)(content, name)


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
