"""Which rows go on and which are set aside, and when too many are set aside to go on at all."""

from collections import Counter
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.errors import DataError, ValidationFailedError
from driftline.problem import Problem

Reasons = tuple[str, ...]

REASONS_SHOWN = 5


class Columns(Protocol):
    """Columns by their names, in memory or not: a data frame has them."""

    def __len__(self) -> int: ...  # noqa: D105 - as any container has it
    def __contains__(self, name: object, /) -> bool: ...  # noqa: D105 - as above
    def __getitem__(self, name: str, /) -> Any: ...  # noqa: D105 - as above


class RowFaults:
    """What is wrong with single rows, by their positions, in twelve bytes a fault.

    The reasons of a row stand in the order in which they were added.
    """

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self._codes: dict[str, int] = {}
        self._notes: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []

    def add(self, faults: Mapping[int, Reasons], *, start: int = 0) -> None:
        """The faults of a piece by their positions in it, which begins at row `start`."""
        rows = sorted(faults)
        places = [start + row for row in rows for _ in faults[row]]
        codes = [self._code(reason) for row in rows for reason in faults[row]]
        self._notes.append((np.array(places, dtype=np.int64), np.array(codes, dtype=np.int32)))

    def add_rows(self, reason: str, rows: NDArray[np.int64]) -> None:
        """One more reason for rows, whose positions ascend."""
        self._notes.append((rows, np.full(len(rows), self._code(reason), dtype=np.int32)))

    def within(self, start: int, stop: int) -> dict[int, Reasons]:
        """The faults of the rows from `start` up to `stop`, by their positions from `start`."""
        texts, found = list(self._codes), dict[int, list[str]]()
        for rows, codes in self._notes:
            first, last = np.searchsorted(rows, [start, stop])
            for row, code in zip(rows[first:last], codes[first:last], strict=True):
                found.setdefault(int(row) - start, []).append(texts[code])
        return {row: tuple(reasons) for row, reasons in found.items()}

    def _code(self, reason: str) -> int:
        return self._codes.setdefault(reason, len(self._codes))


@dataclass(frozen=True)
class Separated:
    """`kept` rows go on; `quarantined` rows carry a last column `reasons`."""

    kept: pd.DataFrame
    quarantined: pd.DataFrame
    reasons: dict[str, int]


class Parted(Protocol):
    """Rows that were parted, wherever they lie."""

    @property
    def kept(self) -> Sized: ...  # noqa: D102 - as `Separated` says
    @property
    def quarantined(self) -> Sized: ...  # noqa: D102 - as above
    @property
    def reasons(self) -> Mapping[str, int]: ...  # noqa: D102 - as above


def separate(table: pd.DataFrame, faults: Mapping[int, tuple[str, ...]]) -> Separated:
    """Part the rows: those with a fault, with their reasons, from those without."""
    rows = sorted(faults)
    is_kept = ~table.index.isin(rows)
    broken = table.iloc[rows]
    told = ["; ".join(faults[row]) for row in rows]
    quarantined = broken.assign(reasons=pd.Series(told, index=broken.index, dtype="object"))
    counts = Counter(reason for row in rows for reason in faults[row])
    return Separated(
        kept=table.loc[is_kept].reset_index(drop=True),
        quarantined=quarantined,
        reasons=dict(counts.most_common()),
    )


def check_share(separated: Parted, problem: Problem, *, source: str) -> None:
    """Raise `ValidationFailedError` when more rows were set aside than the problem allows."""
    bad = len(separated.quarantined)
    total = bad + len(separated.kept)
    if bad > problem.max_quarantined_share * total:
        worst = list(separated.reasons.items())[:REASONS_SHOWN]
        named = "; ".join(f"{reason} ({count} rows)" for reason, count in worst)
        message = (
            f"{source}: {bad} of {total} rows ({bad / total:.1%}) fail their checks, wanted at "
            f"most {problem.max_quarantined_share:.1%} (max_quarantined_share): {named}"
        )
        raise ValidationFailedError(message)


def check_trainable(kept: Columns, problem: Problem, *, folds: int, source: str) -> None:
    """Raise `DataError` when the target is too rare or too even to be split and cross-validated."""
    target = problem.target.name
    if target not in kept:
        message = f"{source}: no column {target!r}; wanted rows of this problem"
        raise DataError(message)
    shortage = problem.target.find_shortage(kept[target], folds=folds)
    if shortage is not None:
        message = f"{source}: column {target!r}: {shortage}"
        raise DataError(message)
