"""Which rows of a large table are learnt from, or judged, so that they fit into memory."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.digests import GROUP
from driftline.problem import Problem

MOST_VALUES: Final = 32_000_000  # rows times columns; a training takes some 80 bytes for each
HASHES: Final = 2.0**64


def most_rows(problem: Problem) -> int:
    """How many rows are learnt from at most: `max_training_rows`, else as many as memory bears."""
    return problem.max_training_rows or MOST_VALUES // (len(problem.columns) + 1)


def choose_rows(pieces: Iterable[pd.DataFrame], *, rows: int, most: int) -> Iterator[pd.DataFrame]:
    """About `most` of so many rows in their order, a piece at a time, whatever stands in them.

    Which ones follows from their places (the index), or from their groups, whose rows stay
    together: the same table gives the same rows.
    """
    share = most / rows
    for piece in pieces:
        key = piece[GROUP].astype(str) if GROUP in piece else pd.Series(piece.index)
        yield piece.loc[_shares_of(key) < share].reset_index(drop=True)


class Thinned:
    """Rows that come a piece at a time, of which at most so many are kept, whatever they are.

    Which ones follows from their places: where there are too many, every second is let go.
    """

    def __init__(self, most: int) -> None:
        """Begin without rows."""
        self.rows, self._most, self._share = 0, most, 1.0
        self._kept: list[pd.DataFrame] = []

    def add(self, piece: pd.DataFrame) -> None:
        """The next rows."""
        placed = piece.set_axis(pd.RangeIndex(self.rows, self.rows + len(piece)))
        self.rows += len(piece)
        self._kept.append(self._thin(placed))
        while sum(map(len, self._kept)) > self._most:
            self._share /= 2
            self._kept = [self._thin(each) for each in self._kept]

    def finish(self) -> pd.DataFrame:
        """What was kept, in order; the index tells the places."""
        return pd.concat([each for each in self._kept if len(each)] or self._kept)

    def _thin(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows if self._share == 1 else rows.loc[_shares_of(rows.index) < self._share]


def _shares_of(key: pd.Series | pd.Index) -> NDArray[np.float64]:
    """A number from 0 to 1 for each key, evenly spread, and always the same."""
    hashes = pd.util.hash_array(key.to_numpy(), categorize=False)
    return hashes.astype(np.float64) / HASHES
