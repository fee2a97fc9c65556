"""Applies the cleaning and quarantine rules as visible steps of a run."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.cleaning import CleanTable, clean, faults_of_values
from driftline.contract import Contract
from driftline.errors import DataError
from driftline.faults import share_fault
from driftline.problem import Problem
from driftline.quarantine import Separated, check_share, separate
from driftline.served import untaken_rows
from driftline.verdicts import Cohort
from tasks.decorators import work
from tasks.progress import tell


@dataclass(frozen=True)
class Current:
    """Rows that can be judged with their places, and what was wrong with the others or with all."""

    table: pd.DataFrame
    faults: tuple[str, ...]
    places: tuple[int, ...]


@work(name="clean rows")
def clean_rows(
    raw: pd.DataFrame, problem: Problem, *, source: str, with_target: bool = True
) -> CleanTable:
    """Columns under the problem's names and types; says what did not fit."""
    cleaned = clean(raw, problem, source=source, with_target=with_target)
    if cleaned.uncoerced:
        counts = ", ".join(f"{name} {count}" for name, count in cleaned.uncoerced.items())
        tell(f"cells that are not what their column declares: {counts}")
    return cleaned


@work(name="set broken rows aside")
def separate_rows(
    cleaned: CleanTable, faults: dict[int, tuple[str, ...]], problem: Problem, *, source: str
) -> Separated:
    """Part good rows from broken ones; too many broken ones are an error.

    What the contract refuses is broken, whether or not the suite says so.
    """
    refused = faults_of_values(cleaned, problem)
    merged = {
        row: tuple(dict.fromkeys((*refused.get(row, ()), *faults.get(row, ()))))
        for row in {*refused, *faults}
    }
    separated = separate(cleaned.table, merged)
    check_share(separated, problem, source=source)
    if len(separated.quarantined):
        reasons = "; ".join(f"{why} ({count})" for why, count in separated.reasons.items())
        tell(f"{len(separated.quarantined)} rows set aside: {reasons}")
    return separated


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
def clean_cohort(labelled: pd.DataFrame, problem: Problem) -> Cohort:
    """The labelled rows of a window as the contract wants them, with the champion's answers."""
    target = problem.target.name
    raw = labelled[list(problem.columns)].assign(**{target: labelled["_label"]})
    table, kept = _usable(raw, problem)
    answers = np.array(labelled["_probabilities"].tolist(), dtype=np.float64)[kept]
    return Cohort(table.reset_index(drop=True), answers)


def _usable(raw: pd.DataFrame, problem: Problem) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows that would pass today, and their places."""
    cleaned = clean(raw, problem, source="labelled predictions", with_target=True, is_part=True)
    bad = faults_of_values(cleaned, problem)
    table = cleaned.table.drop(index=list(bad))
    return table, table.index.to_numpy()
