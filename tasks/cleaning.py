"""Applies the cleaning and quarantine rules as visible steps of a run."""

import pandas as pd

from driftline.cleaning import CleanTable, clean
from driftline.problem import Problem
from driftline.quarantine import Separated, check_share, separate
from tasks.decorators import work
from tasks.progress import tell


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
    """Part good rows from broken ones; too many broken ones are an error."""
    rows = {*cleaned.faults, *faults}
    merged = {
        row: tuple(dict.fromkeys((*cleaned.faults.get(row, ()), *faults.get(row, ()))))
        for row in rows
    }
    separated = separate(cleaned.table, merged)
    check_share(separated, problem, source=source)
    if len(separated.quarantined):
        reasons = "; ".join(f"{why} ({count})" for why, count in separated.reasons.items())
        tell(f"{len(separated.quarantined)} rows set aside: {reasons}")
    return separated
