"""What a person is told whose snapshot is gone, and that it helps."""

from pathlib import Path

import pandas as pd
import pytest

from driftline.errors import NotFoundError
from tasks.data.files import remove_file, write_file
from tasks.data.storage import Origin, read_snapshot, write_snapshot
from tasks.data.versions import fetch
from tasks.decorators import without_task_runs
from tests.support import tiny_rows

ROWS = tiny_rows(30)


@pytest.mark.usefixtures("home")
def test_a_snapshot_that_was_lost_is_told_with_where_its_rows_came_from() -> None:
    origin = Origin("/data/rows.csv", problem="tiny")
    snapshot = write_snapshot.fn(ROWS, ROWS.head(0), origin)
    remove_file(snapshot.path)

    with pytest.raises(NotFoundError) as raised:
        read_snapshot.fn(snapshot.sha256)

    wanted = "its rows came from /data/rows.csv: the same rows repair it (python -m flows.ingest ti"
    assert f"not in the store; {wanted}" in str(raised.value)
    assert str(raised.value).endswith("needs it no more (python -m flows.train tiny)")


@pytest.mark.usefixtures("home")
def test_a_snapshot_comes_back_as_its_way_out_says(tmp_path: Path) -> None:
    """The file of another store, under its name, is the one that was lost."""
    snapshot = write_snapshot.fn(ROWS, ROWS.head(0))
    copied = tmp_path / f"{snapshot.sha256}.parquet"
    with without_task_runs():
        fetch(snapshot.sha256, str(copied))
    remove_file(snapshot.path)

    write_file(snapshot.path, copied.read_bytes())

    pd.testing.assert_frame_equal(read_snapshot.fn(snapshot.sha256)[0], ROWS)
