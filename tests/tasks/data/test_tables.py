import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import EndpointConnectionError

from driftline.errors import DataError, UnavailableError
from tasks.data import tables
from tasks.data.tables import StoredTable, TableDraft, store_table
from tasks.reaching import reaching
from tasks.reading.parsing import stream
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


class Counting(io.BytesIO):
    """A file that counts the bytes that were asked of it."""

    asked = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.asked += len(found)
        return found


def many_groups() -> bytes:
    """A Parquet file of fifty groups of rows, each of some 8 kB."""
    rng, file = np.random.default_rng(0), io.BytesIO()
    numbers = pd.DataFrame({"level": rng.normal(size=50_000)})
    numbers.to_parquet(file, row_group_size=1000)
    return file.getvalue()


def test_a_piece_is_read_without_those_that_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PIECE_CELLS", 1000)
    file = Counting(many_groups())

    piece = next(StoredTable(file, "rows.parquet").pieces())

    assert len(piece) == 1000
    assert file.asked < len(file.getvalue()) / 4


def test_a_piece_of_a_source_is_read_without_those_that_follow() -> None:
    file = Counting(many_groups())

    piece = next(stream(file, "rows.parquet", size=len(file.getvalue()), rows=1000))

    assert len(piece.rows) == 1000
    assert file.asked < len(file.getvalue()) / 4


class Away(io.BytesIO):
    """A file whose store is away after some reads, which its library says in its own words."""

    def __init__(self, content: bytes, reads: int) -> None:
        """So many reads succeed."""
        super().__init__(content)
        self._left = reads

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise EndpointConnectionError(endpoint_url="http://store")
        return super().read(size)


@pytest.mark.parametrize("reads", [0, 1, 8])
def test_a_store_that_is_away_says_nothing_of_the_file(
    reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PIECE_CELLS", 1000)
    content = many_groups()

    with pytest.raises(UnavailableError, match=r"rows\.parquet: did not answer"):
        list(StoredTable(Away(content, reads), "rows.parquet").pieces())
    with (
        pytest.raises(UnavailableError, match=r"rows\.parquet: did not answer"),
        reaching("rows.parquet"),
    ):
        list(stream(Away(content, reads), "rows.parquet", size=len(content), rows=1000))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet at all"])
def test_a_file_that_is_no_table_is_named(content: bytes) -> None:
    with pytest.raises(DataError, match=r"^rows\.parquet: not a readable Parquet file"):
        StoredTable(io.BytesIO(content), "rows.parquet")
