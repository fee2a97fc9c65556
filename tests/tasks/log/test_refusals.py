"""What monitoring reads of the records that services have refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bentos.log.database import insert_rows
from bentos.log.refusals import PendingRefusals
from bentos.log.rows import refusal_rows
from driftline.refusals import Refusals
from tasks.log.records import _open, open_records
from tasks.log.refusals import read_refusals
from tests.system.servers import start_mariadb, start_postgresql


@pytest.fixture(
    autouse=True,
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def records(
    request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """An empty database of each kind behind the settings."""
    if request.param == "sqlite":
        monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"sqlite:///{home / 'predictions.db'}")
        yield
        return
    start = start_postgresql if request.param == "postgresql" else start_mariadb
    with start() as server:
        monkeypatch.setenv("DRIFTLINE_DATABASE_URL", server.create_database())
        yield
        open_records().dispose()
        _open.cache_clear()


def refuse(problem: str, version: str, counts: dict[tuple[str, str], int]) -> None:
    pending = PendingRefusals()
    pending.add(problem, version, counts)
    for entry in pending.take():
        insert_rows(open_records(), predictions=(), refusals=refusal_rows(entry))


def test_counts_are_added_up_for_one_model_since_the_last_look() -> None:
    refuse("tiny", "7", {("age", "out_of_range"): 2, ("", "record"): 3, ("sex", "missing"): 1})
    refuse("tiny", "8", {("age", "out_of_range"): 10, ("", "record"): 10})
    refuse("other", "7", {("", "record"): 100})
    first = read_refusals.fn("tiny", "7", 0)  # type: ignore[attr-defined]
    refuse("tiny", "7", {("age", "out_of_range"): 5, ("", "record"): 5})

    second = read_refusals.fn("tiny", "7", first.last)  # type: ignore[attr-defined]
    both = read_refusals.fn("tiny", "7", 0)  # type: ignore[attr-defined]
    none = read_refusals.fn("tiny", "7", second.last)  # type: ignore[attr-defined]

    assert (first.records, first.by_fault) == (
        3,
        {("age", "out_of_range"): 2, ("sex", "missing"): 1},
    )
    assert (second.records, second.by_fault) == (5, {("age", "out_of_range"): 5})
    assert (both.records, both.by_fault["age", "out_of_range"]) == (8, 7)
    assert none == Refusals(last=second.last)


def test_a_share_is_of_all_that_was_asked() -> None:
    refuse("tiny", "7", {("", "record"): 1})

    refused = read_refusals.fn("tiny", "7", 0)  # type: ignore[attr-defined]

    assert refused.share(3) == 0.25
    assert Refusals().share(0) == 0.0
