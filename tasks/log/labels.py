"""True labels in bulk: a file's rows into the prediction log, and the checks that they call for."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from bentos.log import labels as log
from bentos.log.database import order_all_checks
from driftline.labelling import ID_NAMES, read_labels
from driftline.problem import Problem
from tasks.decorators import io
from tasks.log.records import open_records

PIECE_ROWS = 10_000
NAMES = (*ID_NAMES, "label")  # what such a file's columns are called, beside the target's names


@io(name="add labels")
def add_labels(problem: Problem, rows: pd.DataFrame, *, source: str) -> Mapping[str, int]:
    """Keep a piece's labels; how many were new, the same, different, unknown, or not usable."""
    read = read_labels(rows, problem, source=source)
    counts = Counter(map(str, log.add_labels(open_records(), problem.name, read.pairs)))
    return {
        "new": counts["added"],
        "same": counts["same"],
        "different": counts["different"],
        "unknown": counts["unknown"],
        "unusable": read.unusable,
    }


@io(name="order checks")
def order_checks(problem: Problem) -> int:
    """Place the checks that all labels call for, as each label at the service does; how many."""
    every = problem.drift.labels_per_check
    return len(order_all_checks(open_records(), problem.name, every=every))
