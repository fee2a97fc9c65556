from pathlib import Path

import pandas as pd
import pytest

from bentos.log.database import insert_predictions, oldest_open_check
from driftline.errors import DataError
from driftline.problem import Problem
from tasks.log.labels import add_labels, order_checks, refuse_useless
from tasks.log.records import open_records
from tests.bentos.log.logged import row


def test_a_piece_of_labels_is_counted_and_its_checks_are_ordered(
    home: Path, problem: Problem
) -> None:
    del home
    every = problem.drift.labels_per_check
    ids = [f"{i:04}" for i in range(every)]
    insert_predictions(open_records(), [row(each) for each in ids])
    labels = ["ill", "0", *["1.0"] * (every - 1), "well", "?"]
    rows = pd.DataFrame({"id": [*ids, "nobody", "0000", "0001"], "outcome": labels})

    counts = add_labels.fn(problem, rows, source="labels.csv")

    told = {"new": every, "same": 0, "different": 1, "unknown": 1, "unusable": 1}
    assert counts == told
    assert order_checks.fn(problem) == 1
    assert oldest_open_check(open_records(), problem.name) == f"labels:tiny:{every}"
    assert order_checks.fn(problem) == 0


def test_a_file_without_any_usable_label_is_refused_in_words(problem: Problem) -> None:
    with pytest.raises(DataError, match=r"^labels.csv: 2 of 2 rows: .* \(wanted 0 or well, 1 or"):
        refuse_useless(problem, {"new": 0, "unusable": 2}, source="labels.csv")


@pytest.mark.parametrize("counts", [{"new": 0, "unusable": 0}, {"unknown": 1, "unusable": 2}])
def test_a_file_with_some_labels_or_no_rows_is_taken(
    counts: dict[str, int], problem: Problem
) -> None:
    refuse_useless(problem, counts, source="labels.csv")
