"""Rows that belong together, such as those of one patient: no split has them on both sides.

A model that has seen a patient knows the patient's other rows too well, so its test would flatter.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.digests import GROUP
from driftline.errors import DataError
from driftline.problem import Problem
from driftline.spelling import is_marker, spell

LEAST_GROUPS = 10  # a side of fewer tells nothing about new ones
_MARK_LENGTH = 16


def mark_groups(texts: Sequence[str | None], problem: Problem) -> pd.Series:
    """A mark for each group in place of its name, None where a row has none."""
    marks = [
        None if text is None or is_marker(spell(text)) else _mark(spell(text), problem.name)
        for text in texts
    ]
    return pd.Series(marks, dtype="object")


def _mark(text: str, problem: str) -> str:
    return hashlib.sha256(f"{problem}:{text}".encode()).hexdigest()[:_MARK_LENGTH]


def groups_of(table: pd.DataFrame, problem: Problem) -> tuple[str, ...] | None:
    """The group of each row, None where the problem has no groups; a row without is its own."""
    if problem.group is None:
        return None
    if GROUP not in table:
        message = (
            f"group: the snapshot does not know its rows' {problem.group!r}; wanted one of a "
            f"source with that column (python -m flows.ingest {problem.name})"
        )
        raise DataError(message)
    marks = table[GROUP].astype("object").where(table[GROUP].notna(), None)
    return tuple(f"row {i}" if mark is None else str(mark) for i, mark in enumerate(marks))


def split_groups(
    groups: Sequence[str], *, test_size: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Train and test positions: whole groups, by their hash, until the test has its share.

    A group's side follows from its mark and the seed, as a row's does without groups.
    """
    names, codes, sizes = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    if len(names) < 2 * LEAST_GROUPS:
        message = f"group: got {len(names)} groups, wanted at least {2 * LEAST_GROUPS}"
        raise DataError(message)
    order = np.argsort([_rank(name, seed) for name in names], kind="stable")
    taken = np.cumsum(sizes[order]) <= test_size * len(codes)
    taken[0], taken[-1] = True, False
    is_test = np.isin(codes, order[taken])
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
