import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftline.errors import DataError, UnavailableError
from tasks.data import tables
from tasks.data.tables import StoredTable, TableDraft, store_table
from tests.support import tiny_rows

pytestmark = pytest.mark.usefixtures("home")

ROWS = tiny_rows(30)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven rows of four columns at a time."""
    monkeypatch.setattr(tables, "PIECE_CELLS", 28)


@pytest.mark.usefixtures("small_pieces")
def test_pieces_are_the_rows_in_order_at_their_places() -> None:
    table = store_table(ROWS)

    pieces = list(table.pieces())

    assert [len(piece) for piece in pieces] == [7, 7, 7, 7, 2]
    pd.testing.assert_frame_equal(pd.concat(pieces), ROWS, check_index_type=False)


@pytest.mark.usefixtures("small_pieces")
def test_columns_are_read_in_the_order_in_which_they_are_asked_for() -> None:
    table = store_table(ROWS)

    assert list(next(table.pieces(["sex", "age"])).columns) == ["sex", "age"]
    pd.testing.assert_frame_equal(table.select(["sex", "age"]), ROWS[["sex", "age"]])
    pd.testing.assert_series_equal(table["level"], ROWS["level"])
    assert "level" in table
    assert "weight" not in table


def test_a_table_without_rows_is_one_piece_without_rows() -> None:
    (piece,) = store_table(ROWS.head(0)).pieces()

    assert list(piece.columns) == list(ROWS.columns)
    assert not len(piece)


def test_a_column_whose_first_values_are_missing_takes_text_later() -> None:
    draft = TableDraft()
    draft.add(pd.DataFrame({"sex": [None, None], "level": [np.nan, np.nan]}, dtype=object))
    draft.add(pd.DataFrame({"sex": ["F", None], "level": ["high", None]}, dtype=object))

    table = draft.finish()

    assert table["sex"].tolist() == [None, None, "F", None]
    assert table["level"].tolist() == [None, None, "high", None]


def test_a_working_file_has_no_name(home: Path) -> None:
    """A process that is killed with kill -9 leaves nothing behind."""
    table = store_table(ROWS)

    assert len(table) == 30
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_full_disk_is_an_outage_that_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())

    with pytest.raises(UnavailableError, match="No space left on device") as raised:
        store_table(ROWS)
    assert str(raised.value).startswith(str(home))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet at all"])
def test_a_file_that_is_no_table_is_named(content: bytes) -> None:
    with pytest.raises(DataError, match=r"^rows\.parquet: not a readable Parquet file"):
        StoredTable(io.BytesIO(content), "rows.parquet")
