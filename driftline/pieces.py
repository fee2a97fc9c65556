"""A table that is cleaned a piece at a time: what only all of its pieces together can tell.

Each row becomes what it becomes in the whole table, and a person is told the same of it.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from driftline.cells import cells_of
from driftline.cleaning import clean, faults_of_values
from driftline.design import check_weights
from driftline.digests import WEIGHT
from driftline.naming import rename
from driftline.oddities import Cells, refuse_empty
from driftline.problem import Problem
from driftline.quarantine import RowFaults


@dataclass
class Cleaning:
    """A table of a source on its way: the rows so far, what did not fit, and what is wrong."""

    problem: Problem
    source: str
    rows: int = 0
    faults: RowFaults = field(default_factory=RowFaults)
    _uncoerced: dict[str, int] = field(default_factory=dict)
    _useless: dict[str, Cells] | None = None
    _unweighted: list[int] = field(default_factory=lambda: [0, 0])  # how many, and the first

    def clean(self, raw: pd.DataFrame) -> pd.DataFrame:
        """The next rows under the problem's names and types; `DataError` as `clean` raises it."""
        cleaned = clean(raw, self.problem, source=self.source, with_target=True, is_part=True)
        self.faults.add(faults_of_values(cleaned, self.problem), start=self.rows)
        for name, count in cleaned.uncoerced.items():
            self._uncoerced[name] = self._uncoerced.get(name, 0) + count
        self._look_for_values(raw, cleaned.table)
        if WEIGHT in cleaned.table:
            self._count_unweighted(cleaned.table[WEIGHT])
        self.rows += len(cleaned.table)
        return cleaned.table

    def finish(self) -> dict[str, int]:
        """How many cells of each column did not fit, when all pieces are cleaned.

        `DataError` where a row has no weight, or a column no usable value in any piece.
        """
        count, first = self._unweighted
        check_weights(count, first, self.rows, self.problem, source=self.source)
        refuse_empty(self._useless or {}, source=self.source)
        names = [*self.problem.columns, self.problem.target.name]
        return {name: self._uncoerced[name] for name in names if name in self._uncoerced}

    def _look_for_values(self, raw: pd.DataFrame, table: pd.DataFrame) -> None:
        known = {str(name): Cells() for name in table} if self._useless is None else self._useless
        self._useless = {name: cells for name, cells in known.items() if table[name].isna().all()}
        if not self._useless:
            return
        renamed = rename(raw, self.problem, source=self.source, with_target=True)
        for name, cells in self._useless.items():
            if name in renamed:
                cells.add(cells_of(renamed[name]))

    def _count_unweighted(self, weights: pd.Series) -> None:
        wrong = np.flatnonzero(weights.isna())
        if len(wrong) and not self._unweighted[0]:
            self._unweighted[1] = self.rows + int(wrong[0])
        self._unweighted[0] += len(wrong)
