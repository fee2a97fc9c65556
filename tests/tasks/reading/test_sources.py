import bz2
import gzip
import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from driftline.cleaning import clean
from driftline.errors import SourceError, UnavailableError
from driftline.problem import Problem
from tasks.reading.sources import open_rows, open_source, read_source, read_table
from tests.support import make_problem, mental_health, shared_data, tiny_rows
from tests.tasks.reading.writing import TEXT, write


def test_a_parquet_table_keeps_its_types(tmp_path: Path) -> None:
    table = tiny_rows(10)
    table.to_parquet(tmp_path / "rows.parquet")

    pd.testing.assert_frame_equal(read_table(str(tmp_path / "rows.parquet")).rows, table)


BAD_FILES: list[tuple[str, bytes, str]] = [
    ("empty.csv", b"", "an empty file; wanted a header and rows"),
    ("blank.csv", b"\n\n", "got no header; wanted a first line of column names"),
    ("null.csv", b"age\n\x00\n", "holds null bytes; wanted text"),
    ("ragged.csv", b"age,level\n1,2\n1,2,3\n", "wanted 2 cells in every line"),
    ("table.parquet", b"PAR1 no table", "not a readable Parquet file"),
    ("rows.csv.gz", b"not packed", "cannot be decompressed"),
    ("cut.csv.gz", gzip.compress(TEXT.encode())[:-9], "cannot be decompressed"),
    ("rows.csv.bz2", b"not packed", "cannot be decompressed"),
    ("cut.csv.bz2", bz2.compress(TEXT.encode())[:-9], "cannot be decompressed"),
    ("bad.csv.gz", gzip.compress(TEXT.encode())[:10] + b"\xff" * 20, "cannot be decompressed"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES, ids=[n for n, *_ in BAD_FILES])
def test_a_file_that_cannot_be_read_is_named_with_its_fault(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    location = write(tmp_path, name, content)

    with pytest.raises(SourceError) as raised:
        read_table(location)

    told = str(raised.value)
    assert told.startswith(f"{location}: ")
    assert message in told
    assert "\n" not in told


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    location = str(tmp_path / "nowhere.csv")

    with pytest.raises(SourceError) as raised:
        read_table(location)

    assert str(raised.value).startswith(f"{location}: no such file; wanted a table")


@pytest.mark.parametrize("location", ["ftpx://somewhere/rows.csv", "s4://rows.csv"])
def test_an_address_of_no_known_kind_is_refused(location: str) -> None:
    with pytest.raises(SourceError, match="wanted a path, or an s3:// URL"):
        read_table(location)


def test_a_problem_names_its_own_source(tmp_path: Path) -> None:
    location = write(tmp_path, "rows.csv", TEXT.encode())
    problem = make_problem(source={"kind": "file", "location": location})

    table, name, _ = read_source.fn(problem)

    assert (len(table), name) == (2, location)


def test_a_source_that_is_named_stands_in_for_the_problems_own(
    tmp_path: Path, problem: Problem
) -> None:
    location = write(tmp_path, "other.csv", TEXT.encode())

    table, name, _ = read_source.fn(problem, location)

    assert (len(table), name) == (2, location)


def test_scikit_learns_own_tables_are_read() -> None:
    problem = make_problem(source={"kind": "sklearn", "name": "breast_cancer"})

    table, name, _ = read_source.fn(problem)

    assert (table.shape, name) == ((569, 31), "scikit-learn's breast_cancer")


def test_a_packages_table_is_read() -> None:
    source = {"kind": "package", "package": "faraway", "path": "datasets/pima/pima.csv.bz2"}

    table, *_ = read_source.fn(make_problem(source=source))

    assert table.shape == (768, 9)


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "sklearn", "name": "no_such_table"},
        {"kind": "package", "package": "no_such_package", "path": "a.csv"},
        {"kind": "package", "package": "faraway", "path": "no_such_file.csv"},
    ],
)
def test_a_table_that_does_not_ship_is_named(source: dict[str, str]) -> None:
    with pytest.raises(SourceError, match=r"got .*no_such"):
        read_source.fn(make_problem(source=source))


@pytest.mark.data
def test_two_files_of_real_rows_are_read_as_one_table() -> None:
    folder = shared_data("diabetes")

    table = read_table(str(folder)).rows

    assert table.shape == (15_000, 10)


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("n" * 300 + ".csv", r"no such file \(File name too long\)"),
        ("a.csv/in.csv", r"no such file \(Not a directory\)"),
        ("loop.csv", r"no such file \(Too many levels of symbolic links\)"),
        ("pipe.csv", "neither a file nor a folder"),
    ],
)
def test_a_path_that_never_is_a_table_is_told_without_a_second_try(
    tmp_path: Path, location: str, told: str
) -> None:
    """Only an `UnavailableError` is tried again."""
    write(tmp_path, "a.csv", b"age\n1\n")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")

    with pytest.raises(SourceError, match=told) as raised:
        read_table(str(tmp_path / location))

    assert not isinstance(raised.value, UnavailableError)


@pytest.mark.parametrize("blank", ["", " "])
def test_a_source_without_a_name_does_not_mean_the_problems_own(blank: str) -> None:
    """As a shell's variable that is not set leaves it."""
    for read in (read_source.fn, open_rows.fn):
        with pytest.raises(SourceError, match="source: got an empty name"):
            read(make_problem(), blank)


def test_whole_numbers_of_parquet_stay_whole_where_some_are_missing(tmp_path: Path) -> None:
    large = 2**60 + 1
    parquet.write_table(pa.table({"id": [large, None]}), tmp_path / "a.parquet")

    assert str(read_table(str(tmp_path / "a.parquet")).rows["id"][0]) == str(large)


def test_how_a_source_is_written_is_returned_with_its_rows(
    tmp_path: Path, problem: Problem
) -> None:
    location = write(tmp_path, "rows.csv", "age;level\n40;0,5\n".encode("utf-16"))

    found = read_source.fn(problem, location)
    table = read_table(location)

    assert found.read_as == "semicolon, decimal comma, utf-16"
    assert table.reading.to_keys() == {"separator": ";", "decimal": ",", "encoding": "utf-16"}


def test_what_a_problem_pins_holds_for_its_source_and_not_for_a_table_of_labels(
    tmp_path: Path,
) -> None:
    location = write(tmp_path, "rows.csv", TEXT.encode())
    problem = make_problem(reading={"separator": ";"})

    with pytest.raises(SourceError, match="line 1 names no column of the problem file"):
        read_source.fn(problem, location)
    stream = open_source.fn(problem, location, rows=5, names=["prediction_id"])
    assert stream.read(0) is not None


@pytest.mark.data
def test_a_real_table_with_misspelt_headers_marks_and_spaces_is_the_same_table() -> None:
    problem = make_problem(
        mental_health(
            Sleep_Disorder=["Sleep dissorder"],
            Suicidal_Thoughts=["Suicidal thoughts"],
            Anorexia=["Anorxia"],
            Nervous_Breakdown=["Nervous Break-down"],
            Optimism=["Optimisim"],
        ),
        name="mental_health",
    )

    clear, messy = (
        clean(
            read_table(str(shared_data("mental_health", name))).rows,
            problem,
            source=name,
            with_target=True,
        )
        for name in ("clean.csv", "original-headers.csv")
    )

    assert messy.faults == {}
    pd.testing.assert_frame_equal(messy.table, clear.table)
