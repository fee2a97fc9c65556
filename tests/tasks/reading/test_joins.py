"""Tables that others are joined with come as any source does, whole or in pieces."""

from pathlib import Path

import pandas as pd
import pytest

from tasks.decorators import without_task_runs
from tasks.reading.joins import RowJoiner, read_complete
from tests.support import TINY, make_problem
from tests.unit.joined import LABS, joining, labs, visits


def test_the_tables_of_joins_are_read_as_any_source(tmp_path: Path) -> None:
    dates = TINY["columns"] | {"visited": {"kind": "date", "format": "day_first"}}
    source = {"kind": "file", "location": str(tmp_path / "rows.csv")}
    changes = {"source": str(tmp_path / "labs.csv"), "format": "day_first"}
    problem = make_problem(
        source=source, columns=dates, ignored=["patient"], joins={"labs": LABS | changes}
    )
    visits(visited=["10.03.2024"]).assign(outcome=["1"]).to_csv(tmp_path / "rows.csv", index=False)
    labs(taken=["01.03.2024"], level=["1,5"]).to_csv(tmp_path / "labs.csv", index=False, sep=";")

    with without_task_runs():
        found = read_complete(problem)

    assert found.rows["level"].tolist() == [1.5]
    assert found.rows["sex"].tolist() == ["F"]
    assert found.read_as.startswith("labs joined (sha256 ")


def test_rows_are_joined_in_pieces_as_they_are_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labs(patient=["1", "2"], taken=["2024-03-01"] * 2, level=["1", "2"], sex=["F", "M"]).to_csv(
        tmp_path / "labs.csv", index=False
    )
    problem = joining(source=str(tmp_path / "labs.csv"))
    days = ["2024-03-10", "2024-02-10", "2024-03-02", "2025-03-10", "2024-03-01"]
    rows = visits(patient=["1", "2", "2", "1", "3"], visited=days, age=["30"] * 5)
    with without_task_runs(), caplog.at_level("INFO"):
        whole = RowJoiner(problem, source="rows.csv").join(rows)
        joiner = RowJoiner(problem, source="rows.csv")

        pieces = [joiner.join(rows.iloc[at : at + 2]) for at in range(0, 5, 2)]
        joiner.finish()

    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), whole)
    assert whole["level"].tolist()[2] == 2
    assert "2 of 5 rows found theirs; 1 too old, 2 none" in caplog.text
