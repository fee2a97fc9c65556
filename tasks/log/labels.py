"""True labels in bulk: a file's rows into the prediction log, and the checks that they call for."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from bentos.ids import fold_id
from bentos.log import labels as log
from bentos.log.database import order_all_checks
from driftline.errors import DataError
from driftline.labelling import OWN_NAMES, describe_unusable, read_labels
from driftline.problem import Problem
from tasks.decorators import io
from tasks.log.records import open_records
from tasks.progress import tell

PIECE_ROWS = 10_000
NAMES = OWN_NAMES  # what such a file's columns are called, beside the target's names


@io(name="add labels")
def add_labels(problem: Problem, rows: pd.DataFrame, *, source: str) -> Mapping[str, int]:
    """Keep a piece's labels; how many were new, the same, different, unknown, or not usable."""
    read = read_labels(rows, problem, source=source)
    pairs = [(fold_id(prediction_id), label) for prediction_id, label in read.pairs]
    counts = Counter(map(str, log.add_labels(open_records(), problem.name, pairs)))
    return {
        "new": counts["added"],
        "same": counts["same"],
        "different": counts["different"],
        "unknown": counts["unknown"],
        "unusable": read.unusable,
    }


def refuse_useless(problem: Problem, counts: Mapping[str, int], *, source: str) -> None:
    """Say what rows without a usable label lack; `DataError` where that is all of them."""
    if not counts["unusable"]:
        return
    told = f"{source}: {describe_unusable(counts, problem)}"
    if counts["unusable"] == sum(counts.values()):
        raise DataError(told)
    tell(told)


@io(name="order checks")
def order_checks(problem: Problem) -> int:
    """Place the checks that all labels call for, as each label at the service does; how many."""
    every = problem.drift.labels_per_check
    return len(order_all_checks(open_records(), problem.name, every=every))
