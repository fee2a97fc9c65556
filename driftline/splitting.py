"""Which rows a model is fitted on, and which are kept from it.

A row's place follows from its digest and the seed, not from its position: the same row falls on
the same side in every snapshot of the same make, and a later challenger's test rows are mostly rows
that the champion has not seen either. Rows that coincide are numbered first (`number_repeats`): in
a table of few categories they are different people, and must fall on both sides.
"""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray


def split_holdout(
    row_digests: Sequence[str], classes: NDArray[np.int64], *, test_size: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Train and test positions, stratified by class: of each, the lowest `test_size` by hash.

    At least one row of each class stays on either side where the class has two or more.
    """
    order = np.array([_rank(digest, seed) for digest in row_digests])
    is_test = np.zeros(len(order), dtype=bool)
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        count = int(np.clip(round(test_size * len(rows)), 1, max(len(rows) - 1, 1)))
        cut = np.sort(order[rows])[count - 1]
        is_test[rows[order[rows] <= cut]] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def subsample(
    row_digests: Sequence[str],
    classes: NDArray[np.int64],
    *,
    share: float,
    least: int,
    seed: int,
) -> NDArray[np.int64]:
    """Positions of a stratified share of the rows, at least `least` of each class if there are."""
    order = np.array([_rank(digest, seed) for digest in row_digests])
    kept: list[NDArray[np.int64]] = []
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        count = max(round(share * len(rows)), least)
        kept.append(rows[np.argsort(order[rows], kind="stable")][:count])
    return np.sort(np.concatenate(kept))


def unseen_rows(row_digests: Sequence[str], seen: Collection[str]) -> NDArray[np.int64]:
    """Positions of the rows whose digest is not among those seen."""
    known = frozenset(seen)
    return np.array([i for i, row in enumerate(row_digests) if row not in known], dtype=np.int64)


def _rank(digest: str, seed: int) -> int:
    hashed = hashlib.sha256(f"{seed}:{digest}".encode()).digest()
    return int.from_bytes(hashed[:7], "big")
