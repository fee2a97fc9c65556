"""Files that are no table of the kind their name says are told by what they are."""

import bz2
import gzip
import io
import lzma
import pickle
import re
import sqlite3
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, ipc, orc

from driftline.errors import SourceError
from tasks.reading.parsing import parse, stream
from tests.support import make_problem
from tests.tasks.reading.writing import cleaned

TABLE = pd.DataFrame({"age": [40, 41], "stage": ["a", "b"]})


def as_arrow(kind: str) -> bytes:
    sink, table = io.BytesIO(), pa.Table.from_pandas(TABLE)
    if kind == "feather":
        feather.write_feather(table, sink)
    elif kind == "orc":
        orc.write_table(table, sink)
    else:
        with ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    return sink.getvalue()


def as_archive() -> bytes:
    sink, content = io.BytesIO(), TABLE.to_csv(index=False).encode()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        member = tarfile.TarInfo("rows.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return sink.getvalue()


def as_stata(version: int) -> bytes:
    sink = io.BytesIO()
    TABLE.to_stata(sink, version=version)
    return sink.getvalue()


def as_array() -> bytes:
    sink = io.BytesIO()
    np.save(sink, TABLE["age"].to_numpy())
    return sink.getvalue()


def as_picture(kind: str) -> bytes:
    from matplotlib.figure import Figure

    sink = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(sink, format=kind)
    return sink.getvalue()


def as_database(folder: Path) -> bytes:
    with sqlite3.connect(folder / "rows.db") as connection:
        TABLE.to_sql("rows", connection)
    return (folder / "rows.db").read_bytes()


UNPACKED = "wanted the table in it, unpacked, or a folder of tables"
PACKED = "wanted it unpacked, or packed as .gz, .bz2, .xz or .zip"
EXPORTED = "wanted it exported as .parquet or .csv"
SHOWN = "wanted the table itself, as .csv, .xlsx or .parquet"

MADE = {
    "rows.tar.gz": (gzip.compress(as_archive()), "a tar archive", UNPACKED),
    "rows.tar.bz2": (bz2.compress(as_archive()), "a tar archive", UNPACKED),
    "rows.tar.xz": (lzma.compress(as_archive()), "a tar archive", UNPACKED),
    "rows.tgz": (gzip.compress(as_archive()), "a tar archive in gzip", UNPACKED),
    "rows.tar": (as_archive(), "a tar archive", UNPACKED),
    "rows.zst": (pa.compress(b"age\n1\n", "zstd", asbytes=True), "Zstandard", PACKED),
    "rows.feather": (as_arrow("feather"), "Feather", EXPORTED),
    "rows.orc": (as_arrow("orc"), "ORC", EXPORTED),
    "rows.arrow": (as_arrow("stream"), "a stream of Arrow", EXPORTED),
    "rows.pkl": (pickle.dumps(TABLE), "a pickle of Python", EXPORTED),
    "rows.pkl.gz": (gzip.compress(pickle.dumps(TABLE, 2)), "a pickle of Python", EXPORTED),
    "old.dta": (as_stata(114), "a file of Stata", EXPORTED),
    "new.dta": (as_stata(118), "a file of Stata", EXPORTED),
    "rows.npy": (as_array(), "an array of NumPy", EXPORTED),
    "rows.png": (as_picture("png"), "a picture", SHOWN),
    "rows.pdf": (as_picture("pdf"), "a PDF", SHOWN),
}
SAS = b"\0" * 12 + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011") + b"22\0"
KNOWN = {
    "rows.7z": (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive", UNPACKED),
    "rows.rar": (b"Rar!\x1a\x07\x01\0", "a RAR archive", UNPACKED),
    "rows.csv.zip": (b"Rar!\x1a\x07\0\xcf", "a RAR archive", UNPACKED),
    "rows.csv.gz": (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive", UNPACKED),
    "rows.jsonl": (b"\x28\xb5\x2f\xfd\x04\0", "Zstandard", PACKED),
    "rows.h5": (b"\x89HDF\r\n\x1a\n\0", "HDF5", EXPORTED),
    "rows.sas7bdat": (SAS, "a file of SAS", EXPORTED),
    "rows.xpt": (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!0", "a file of SAS", EXPORTED),
    "rows.sav": (b"$FL2@(#) SPSS DATA FILE\0", "a file of SPSS", EXPORTED),
    "rows.RData": (gzip.compress(b"RDX3\nX\n\0\0\0\x03"), "a file of R in gzip", EXPORTED),
    "rows.rds": (gzip.compress(b"X\n\0\0\0\x03\0\x04\x02\x02"), "a file of R in gzip", EXPORTED),
    "rows.avro": (b"Obj\x01\x04\x14avro.codec", "Avro", EXPORTED),
    "rows.mat": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "a file of MATLAB", EXPORTED),
    "rows.duckdb": (b"\1" * 8 + b"DUCK@\0\0\0", "a database of DuckDB", EXPORTED),
    "rows.csv": (b"\n<!DOCTYPE html>\n<title>Sign in</title>", "a page of the web", SHOWN),
    "rows.txt": (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture", SHOWN),
}


@pytest.mark.parametrize("name", [*MADE, *KNOWN])
def test_a_file_of_another_kind_is_told_with_what_is_wanted_instead(name: str) -> None:
    content, kind, wanted = (MADE | KNOWN)[name]

    with pytest.raises(SourceError) as raised:
        parse(content, name)

    assert str(raised.value) == f"{name}: begins as {kind} does; {wanted}"


def test_a_database_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"begins as a database of SQLite does; wanted it export"):
        parse(as_database(tmp_path), "rows.csv")


@pytest.mark.parametrize("column", ["RDX3", "GIF89a", "Obj1", "CDF", "7z", "Rar!", "DUCK", "<html"])
def test_a_column_may_be_named_as_other_kinds_begin(column: str) -> None:
    rows = parse(f"{column}x,age\n1,2\n".encode(), "rows.csv").rows

    assert list(rows.columns) == [f"{column}x", "age"]


def test_text_may_hold_the_word_of_an_archive_where_an_archive_has_it() -> None:
    header = ("age," + "x" * 252 + ",ustard").encode()

    assert header[257:262] == b"ustar"
    assert "ustard" in parse(header + b"\n1,2,3\n", "rows.csv").rows.columns


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
