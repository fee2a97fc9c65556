"""A snapshot with too many rows is learnt from by a part of it, the same part each time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftline.cleaning import clean
from driftline.digests import GROUP
from driftline.errors import ProblemError
from driftline.portion import Thinned, choose_rows, most_rows
from driftline.problem import Problem
from tasks.data.portions import take_portion
from tasks.data.storage import Origin, locate_snapshot, read_origin, read_snapshot, write_snapshot
from tasks.decorators import without_task_runs
from tasks.reading import sources
from tasks.reading.joins import read_complete, read_part
from tests.support import make_problem, tiny_rows

ROWS = tiny_rows(600)
BOUNDED = make_problem(max_training_rows=200)


def keep(rows: pd.DataFrame = ROWS) -> str:
    return write_snapshot.fn(rows, origin=Origin("a file", "semicolon", "tiny")).sha256


def take(sha256: str, problem: Problem = BOUNDED) -> tuple[str, tuple[str, ...]]:
    with without_task_runs():
        return take_portion(sha256, problem)


@pytest.mark.usefixtures("home")
def test_a_part_is_a_snapshot_of_its_own_that_says_where_it_is_from() -> None:
    whole = keep()

    part, told = take(whole)
    again, _ = take(whole)

    rows, _ = read_snapshot.fn(part)
    assert part == again != whole
    assert abs(len(rows) - 200) < 4 * np.sqrt(200)
    assert told == (f"learnt from {len(rows)} of 600 rows: `max_training_rows` (200)",)
    source = f"{len(rows)} of 600 rows of snapshot {whole[:12]}, a file"
    assert read_origin.fn(part) == Origin(source, "semicolon", "tiny")
    kept = ROWS.merge(rows.drop_duplicates(), how="inner")
    assert len(kept) >= len(rows)  # each is one of the whole


@pytest.mark.usefixtures("home")
def test_what_fits_is_learnt_from_whole() -> None:
    whole = keep()

    assert take(whole, make_problem(max_training_rows=600)) == (whole, ())
    assert take(whole, make_problem()) == (whole, ())


@pytest.mark.usefixtures("home")
def test_a_damaged_snapshot_is_left_to_who_reads_it() -> None:
    whole = keep()
    Path(locate_snapshot(whole)).write_bytes(b"PAR1 cut")

    assert take(whole) == (whole, ())


def test_the_rows_of_a_group_stay_together_and_places_do_not_matter() -> None:
    groups = [f"p{number % 300}" for number in range(3000)]
    table = pd.DataFrame({"age": np.arange(3000.0), GROUP: groups})

    def choose(pieces: list[pd.DataFrame]) -> pd.DataFrame:
        return pd.concat(choose_rows(pieces, rows=3000, most=1000), ignore_index=True)

    part = choose([table])

    assert set(part[GROUP].value_counts()) == {10}
    assert abs(part[GROUP].nunique() - 100) < 4 * np.sqrt(100)
    assert list(part["age"]) == sorted(part["age"])
    pd.testing.assert_frame_equal(part, choose([table.iloc[:700], table.iloc[700:]]))


def test_by_default_there_are_as_many_as_memory_bears() -> None:
    problem = make_problem()

    assert most_rows(problem) == 32_000_000 // (len(problem.columns) + 1)
    assert most_rows(BOUNDED) == 200


@pytest.mark.parametrize("most", [99, 0, 1.5])
def test_a_bound_of_too_few_rows_is_refused(most: float) -> None:
    with pytest.raises(ProblemError, match="max_training_rows"):
        make_problem(max_training_rows=most)


def test_rows_are_thinned_alike_however_they_come_and_keep_their_places() -> None:
    table = pd.DataFrame({"age": np.arange(5000.0)})

    def thin(size: int) -> pd.DataFrame:
        thinned = Thinned(1000)
        for start in range(0, len(table), size):
            thinned.add(table.iloc[start : start + size].reset_index(drop=True))
        assert thinned.rows == len(table)
        return thinned.finish()

    kept = thin(5000)

    assert 400 < len(kept) <= 1000
    assert list(kept.index) == list(kept["age"])  # each row is where it was
    pd.testing.assert_frame_equal(kept, thin(700), check_index_type=False)
    whole = Thinned(5000)
    whole.add(table)
    pd.testing.assert_frame_equal(whole.finish(), table)


@pytest.mark.usefixtures("home")
def test_a_judged_table_is_the_same_however_many_pieces_it_is_read_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tiny_rows(300).astype("string")
    rows.loc[200, "level"], rows.loc[210, "age"], rows.loc[220, "sex"] = "n/a", "old", " M "
    file = tmp_path / "rows.csv"
    rows.to_csv(file, index=False)
    problem = make_problem()
    monkeypatch.setattr(sources, "PIECE_CELLS", 100 * (len(problem.columns) + 1))

    with without_task_runs():
        whole = read_complete(problem, str(file)).rows
        part = read_part(problem, str(file))
        thin = read_part(make_problem(max_training_rows=100), str(file))

    cleaned = [clean(each, problem, source="rows", with_target=False) for each in (whole, part)]
    pd.testing.assert_frame_equal(cleaned[0].table, cleaned[1].table)
    assert cleaned[0].faults == cleaned[1].faults != {}
    assert 20 < len(thin) <= 100
    assert thin["sex"].tolist() == part["sex"].loc[thin.index].tolist()
