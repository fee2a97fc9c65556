"""A table in blocks is the table line by line: the same rows, and the same refusals."""

import io
from collections.abc import Collection

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.errors import SourceError
from tasks.reading import blocks
from tasks.reading.delimited import stream_text
from tasks.reading.written import Dialect

CELLS = st.sampled_from(
    ["", "1", "-2.50", "1e5", "+3", " 4", "nan", "inf", "1e999", "NA", "0x1A", "1_000", "٣", "é"]
)
ODD = st.sampled_from(['"1"', '"a,b"', '"a\nb"', '5" pipe', "a\rb", "\0", "x,y", '"open'])
ENDS = st.sampled_from(["\n", "\r\n", "\n\n", " \n", ",\n"])


def read(text: str, *, typed: Collection[str], rows: int = 3) -> list[list[object]] | str:
    """All rows with numbers as they would be read of their text, or why they are refused."""
    found: list[list[object]] = []
    try:
        for table in stream_text(
            lambda: io.BytesIO(text.encode()), "t.csv", Dialect(), rows=rows, typed=typed
        ):
            assert len(table) <= rows
            found += [[as_written(cell) for cell in row] for row in table.to_numpy(dtype=object)]
    except SourceError as error:
        return str(error)
    return found


def as_written(cell: object) -> object:
    """A number, whether it came as one or as the text of one; an empty cell is nan."""
    if isinstance(cell, str):
        try:
            number = float(cell) if cell else np.nan
        except ValueError:
            return cell
        return repr(number) if np.isfinite(number) or not cell else cell
    return repr(cell)


@given(
    lines=st.lists(st.tuples(CELLS, CELLS, ENDS), max_size=12),
    odd=st.none() | st.tuples(st.integers(0, 11), ODD),
    size=st.integers(4, 60),
)
@example(lines=[("1", "2", "\n")] * 4, odd=(3, '"a\nb"'), size=4)
@example(lines=[("1", "2", "\n")] * 4, odd=(2, "x,y"), size=8)
def test_blocks_say_what_lines_say(
    lines: list[tuple[str, str, str]], odd: tuple[int, str] | None, size: int
) -> None:
    """Whatever stands in the cells, and wherever a block ends."""
    rows = [list(line) for line in lines]
    if odd is not None and odd[0] < len(rows):
        rows[odd[0]][1] = odd[1]
    text = "a,b\n" + "".join(f"{one},{other}{end}" for one, other, end in rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", size)
        found = read(text, typed={"a", "b"})

    assert found == read(text, typed=())


def test_columns_of_numbers_come_as_numbers_and_others_as_text() -> None:
    text = "﻿n,code,n\n1.5,007,\n,008,2\n"

    (table,) = stream_text(
        lambda: io.BytesIO(text.encode()), "t.csv", Dialect(), rows=9, typed={"n"}
    )

    assert list(table.columns) == ["n", "code", "n"]
    assert table.iloc[:, 1].tolist() == ["007", "008"]
    np.testing.assert_array_equal(table.iloc[:, 0].to_numpy(), [1.5, np.nan])
    np.testing.assert_array_equal(table.iloc[:, 2].to_numpy(), [np.nan, 2.0])


def test_a_line_that_is_wrong_after_many_blocks_is_named_by_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 64)
    text = "a,b\n" + "1,2\n" * 500 + "1\n" + "3,4\n" * 10

    told = read(text, typed={"a"}, rows=100)

    assert told == "t.csv: line 502 has 1 cell; wanted 2 cells in every line, as in its header"


@pytest.mark.parametrize(
    "dialect",
    [Dialect(encoding="cp1252"), Dialect(quote="'"), Dialect(decimal=","), Dialect(skipped=1)],
)
def test_what_is_not_written_plainly_is_read_line_by_line(dialect: Dialect) -> None:
    assert not blocks.is_plain(dialect)
    assert blocks.is_plain(Dialect(separator=";"))


def test_pieces_have_as_many_rows_as_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 50)
    text = "a,b\n" + "1,2\n" * 250

    tables = list(
        stream_text(lambda: io.BytesIO(text.encode()), "t.csv", Dialect(), rows=100, typed={"a"})
    )

    assert [len(table) for table in tables] == [100, 100, 50]
    assert pd.concat(tables)["a"].eq(1.0).all()


@pytest.mark.parametrize("odd", [0, 30, 100, 170, 249])
def test_a_line_that_is_not_plain_does_not_move_where_a_piece_ends(
    monkeypatch: pytest.MonkeyPatch, odd: int
) -> None:
    """Else what answers a source part by part would count other rows after it."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 50)
    lines = [f"{number},2" for number in range(250)]
    lines[odd] = f'"{odd}",2'
    text = "\n".join(["a,b", *lines])

    tables = list(
        stream_text(lambda: io.BytesIO(text.encode()), "t.csv", Dialect(), rows=100, typed={"a"})
    )

    assert [len(table) for table in tables] == [100, 100, 50]
    assert pd.concat(tables)["a"].astype(float).tolist() == list(range(250))
