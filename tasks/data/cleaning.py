"""Applies the cleaning and quarantine rules as visible steps of a run."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.cleaning import CleanTable, clean, faults_of_values
from driftline.contract import Contract
from driftline.errors import DataError
from driftline.faults import share_fault
from driftline.pieces import Cleaning
from driftline.problem import Problem
from driftline.quarantine import Reasons, RowFaults, check_share, separate
from driftline.served import untaken_rows
from driftline.windows import Cohort
from tasks.data.tables import StoredTable, TableDraft
from tasks.decorators import work
from tasks.progress import TOLD_SHARE, tell


@dataclass(frozen=True)
class Current:
    """Rows that can be judged with their places, and what was wrong with the others or with all."""

    table: pd.DataFrame
    faults: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class CleanedRows:
    """A cleaned table in a file, what is wrong with its rows, and cells that did not fit."""

    table: StoredTable
    faults: RowFaults
    uncoerced: dict[str, int]


@dataclass(frozen=True)
class SeparatedRows:
    """As `Separated` says, in files."""

    kept: StoredTable
    quarantined: StoredTable
    reasons: dict[str, int]


@work(name="clean rows")
def clean_rows(
    raw: pd.DataFrame, problem: Problem, *, source: str, with_target: bool = True
) -> CleanTable:
    """Columns under the problem's names and types; says what did not fit."""
    cleaned = clean(raw, problem, source=source, with_target=with_target)
    _tell_uncoerced(cleaned.uncoerced)
    return cleaned


def _tell_uncoerced(uncoerced: dict[str, int]) -> None:
    if uncoerced:
        counts = ", ".join(f"{name} {count}" for name, count in uncoerced.items())
        tell(f"cells that are not what their column declares: {counts}")


class RowCleaner:
    """Cleans the rows of a source a piece at a time, into a file."""

    def __init__(self, problem: Problem, *, source: str) -> None:
        """Begin without rows."""
        self._cleaning = Cleaning(problem, source)
        self._draft = TableDraft()
        self._told = 0.0

    def clean(self, raw: pd.DataFrame, share: float = 1.0) -> None:
        """The next rows, with which that share of the source is read; says so at each tenth."""
        self._draft.add(self._cleaning.clean(raw))
        if self._told + TOLD_SHARE <= share < 1:
            tell(f"{self._cleaning.rows} rows cleaned, {share:.0%} of the source")
            self._told = share

    def finish(self) -> CleanedRows:
        """All rows, once it is sure that they are a table."""
        uncoerced = self._cleaning.finish()
        return CleanedRows(self._draft.finish(), self._cleaning.faults, uncoerced)


@work(name="clean piece")
def clean_piece(cleaner: RowCleaner, raw: pd.DataFrame, share: float) -> None:
    """The next rows of a source, with which that share of it is read, named and typed."""
    cleaner.clean(raw, share)


@work(name="end cleaning")
def end_cleaning(cleaner: RowCleaner) -> CleanedRows:
    """What has become of all pieces; says what did not fit."""
    cleaned = cleaner.finish()
    _tell_uncoerced(cleaned.uncoerced)
    return cleaned


@work(name="set broken rows aside")
def separate_rows(
    cleaned: CleanedRows, faults: RowFaults, problem: Problem, *, source: str
) -> SeparatedRows:
    """Part good rows from broken ones; too many broken ones are an error.

    What the contract refuses is broken, whether or not the suite says so.
    """
    kept, quarantined, counts = TableDraft(), TableDraft(), Counter[str]()
    start = 0
    for piece in cleaned.table.pieces():
        stop = start + len(piece)
        merged = _merge(cleaned.faults.within(start, stop), faults.within(start, stop))
        parted = separate(piece.reset_index(drop=True), merged)
        kept.add(parted.kept)
        quarantined.add(parted.quarantined)
        counts.update(reason for row in sorted(merged) for reason in merged[row])
        start = stop
    separated = SeparatedRows(kept.finish(), quarantined.finish(), dict(counts.most_common()))
    check_share(separated, problem, source=source)
    if len(separated.quarantined):
        reasons = "; ".join(f"{why} ({count})" for why, count in separated.reasons.items())
        tell(f"{len(separated.quarantined)} rows set aside: {reasons}")
    return separated


def _merge(some: dict[int, Reasons], others: dict[int, Reasons]) -> dict[int, Reasons]:
    """The reasons of each row from both, each of them once."""
    return {
        row: tuple(dict.fromkeys((*some.get(row, ()), *others.get(row, ()))))
        for row in {*some, *others}
    }


@work(name="clean current rows")
def clean_current(
    raw: pd.DataFrame, problem: Problem, contract: Contract, *, source: str
) -> Current:
    """Rows to be judged: what is broken in them is a finding here, not an error.

    What the champion's contract refuses, though the problem file has come to allow it, is left out
    as its service refuses it.
    """
    is_few = len(raw) < problem.drift.min_rows  # in which a column may be empty by chance
    try:
        cleaned = clean(raw, problem, source=source, with_target=False, is_part=is_few)
    except DataError as error:
        return Current(pd.DataFrame(columns=list(problem.columns)), (str(error),), ())
    bad = faults_of_values(cleaned, problem)
    kept = cleaned.table.drop(index=list(bad)) if bad else cleaned.table
    untaken = untaken_rows(kept, contract)
    kept, bad = kept.drop(index=list(untaken)) if untaken else kept, bad | untaken
    reasons = sorted({reason for each in bad.values() for reason in each})
    fault = share_fault(len(bad), len(cleaned.table), problem, reasons)
    places = tuple(kept.index.tolist())
    return Current(kept.reset_index(drop=True), () if fault is None else (fault,), places)


@work(name="clean labelled rows")
def clean_labelled(raw: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Logged rows with their true labels, typed; rows that would not pass today are left out."""
    return _usable(raw, problem)[0].reset_index(drop=True) if len(raw) else raw


@work(name="clean cohort")
def clean_cohort(
    labelled: pd.DataFrame, problem: Problem, *, answered: int | None = None
) -> Cohort:
    """Labelled rows of a window as the contract wants them, with the champion's answers.

    `answered` counts the predictions from the first of them to the last, where somebody has.
    """
    target = problem.target.name
    raw = labelled[list(problem.columns)].assign(**{target: labelled["_label"]})
    table, kept = _usable(raw, problem)
    answers = np.array(labelled["_probabilities"].tolist(), dtype=np.float64)[kept]
    unlabelled = None if answered is None else answered - len(table)
    return Cohort(table.reset_index(drop=True), answers, unlabelled)


def _usable(raw: pd.DataFrame, problem: Problem) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows that would pass today, and their places."""
    cleaned = clean(raw, problem, source="labelled predictions", with_target=True, is_part=True)
    bad = faults_of_values(cleaned, problem)
    table = cleaned.table.drop(index=list(bad))
    return table, table.index.to_numpy()
