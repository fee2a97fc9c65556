"""Ingest reads pieces: wherever they are cut, the outcome and what is told are the same."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from driftline.errors import DriftlineError
from driftline.expectations import parse_suite
from driftline.problem import Problem
from flows.ingest import clean_source
from tasks.data import tables
from tasks.data.cleaning import separate_rows
from tasks.data.storage import fetch_snapshot, read_snapshot, write_snapshot
from tasks.data.validation import check_expectations, refuse_critical
from tasks.decorators import without_task_runs
from tasks.reading import sources
from tasks.reading.joins import RowJoiner
from tests.support import make_problem, tiny_rows

SUITE = """
expectations:
  - expect: ExpectColumnValuesToBeBetween
    arguments: {column: age, max_value: 85, mostly: 0.99}
  - expect: ExpectColumnValuesToBeBetween
    severity: info
    arguments: {column: age, max_value: 89, mostly: 0.5}
  - expect: ExpectColumnMeanToBeBetween
    severity: critical
    arguments: {column: age, max_value: 60}
"""


class Outcome(NamedTuple):
    """What becomes of a source."""

    sha256: str
    table: pd.DataFrame
    quarantined: pd.DataFrame
    reasons: dict[str, int]
    uncoerced: dict[str, int]
    failed: tuple[str, ...]


def problem_of(source: Path) -> Problem:
    where = {"kind": "file", "location": str(source)}
    return make_problem(
        source=where, ignored=["patient"], group="patient", max_quarantined_share=0.3
    )


def take_in(source: Path, cells: int, monkeypatch: pytest.MonkeyPatch) -> Outcome | str:
    """What the flow makes of a source by pieces of so many cells, or what it says."""
    monkeypatch.setattr(sources, "PIECE_CELLS", cells)
    monkeypatch.setattr(tables, "PIECE_CELLS", cells)
    spec = problem_of(source)
    suite = parse_suite(SUITE, problem=spec, file="expectations/tiny.yaml")
    with without_task_runs():
        try:
            joiner = RowJoiner(spec, source="rows")
            cleaned = clean_source(sources.open_rows(spec), spec, joiner)
            found = check_expectations(cleaned.table, suite)
            refuse_critical(found, source="rows", page="page")
            rows = separate_rows(cleaned, found.faults, spec, source="rows")
        except DriftlineError as error:
            return str(error)
        snapshot = write_snapshot(rows.kept, rows.quarantined)
        table, _ = read_snapshot(snapshot.sha256)
    aside = rows.quarantined.select(rows.quarantined.columns)
    return Outcome(snapshot.sha256, table, aside, rows.reasons, cleaned.uncoerced, found.failed)


def odd_rows() -> pd.DataFrame:
    """Most rows are sound; some are not what their column declares, or break a rule."""
    table = tiny_rows(100).astype(object).assign(patient=[f"p{i // 2}" for i in range(100)])
    table.loc[3, "age"] = "old"
    table.loc[[40, 41], "sex"] = ["X", " m "]
    table.loc[77, "level"] = "1e9"
    return table


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_pieces_of_any_size_give_the_same_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    source = tmp_path / f"rows.{ending}"
    if ending == "csv":
        odd_rows().to_csv(source, index=False)
    elif ending == "jsonl":
        odd_rows().astype(str).replace("nan", None).to_json(source, orient="records", lines=True)
    else:
        odd_rows().astype(str).replace("nan", None).to_parquet(source)

    whole = take_in(source, 10**6, monkeypatch)
    pieces = take_in(source, 50, monkeypatch)

    assert isinstance(whole, Outcome)
    assert isinstance(pieces, Outcome)
    assert (whole.reasons, whole.uncoerced) != ({}, {})
    for name, value in whole._asdict().items():
        other = getattr(pieces, name)
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(other, value)
        else:
            assert other == value, name


@pytest.mark.usefixtures("home")
def test_the_only_broken_row_may_be_in_any_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "rows.csv"
    table = tiny_rows(100).assign(age=50, patient=[f"p{i // 2}" for i in range(100)])
    table = table.astype(object)
    table.loc[95, "age"] = "old"
    table.to_csv(source, index=False)

    taken = take_in(source, 50, monkeypatch)

    assert isinstance(taken, Outcome)
    assert len(taken.quarantined) == 1
    assert taken.quarantined["reasons"].tolist() == ["; ".join(taken.reasons)]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("age", 70),
        ("sex", ["F"] * 60 + ["X"] * 40),
        ("level", "12 %"),
        ("outcome", ""),
    ],
    ids=["critical", "too many", "no value", "no target"],
)
def test_pieces_of_any_size_are_refused_in_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, cells: Any
) -> None:
    source = tmp_path / "rows.csv"
    odd_rows().assign(**{column: cells}).to_csv(source, index=False)

    whole, pieces = (take_in(source, size, monkeypatch) for size in (10**6, 50))

    assert isinstance(whole, str)
    assert pieces == whole


@pytest.mark.usefixtures("home")
def test_a_line_that_is_too_long_is_named_in_whatever_piece_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "rows.csv"
    lines = odd_rows().to_csv(index=False).splitlines()
    source.write_text("\n".join([*lines[:90], lines[90] + ",7", *lines[91:]]))

    told = take_in(source, 50, monkeypatch)

    assert isinstance(told, str)
    assert "line 91 has 6 cells; wanted 5 cells" in told


def test_a_snapshot_is_fetched_whole_or_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "rows.csv"
    odd_rows().to_csv(source, index=False)
    taken = take_in(source, 50, monkeypatch)
    assert isinstance(taken, Outcome)

    table = fetch_snapshot.fn(taken.sha256)
    (home / "snapshots" / f"{taken.sha256}.parquet").write_bytes(b"PAR1")

    pd.testing.assert_frame_equal(table.select(table.columns), taken.table)
    with pytest.raises(DriftlineError, match=r"not a readable Parquet file .* repair it"):
        fetch_snapshot.fn(taken.sha256)
