"""What is wrong with data rather than new in it: stuck, in another unit, gone missing."""

from collections.abc import Sequence

import pandas as pd

from driftline.problem import Problem
from driftline.reference import fit_reference, judge_window


def find_faults(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem
) -> tuple[str, ...]:
    """Each fault of a window, as a sentence without values of single rows.

    Where many windows are held against one reference, fit it once with `fit_reference`.
    """
    return judge_window(fit_reference(reference, problem), current)


def share_fault(broken: int, total: int, problem: Problem, reasons: Sequence[str]) -> str | None:
    """A sentence where more rows are broken than the problem allows."""
    if total == 0 or broken <= problem.max_quarantined_share * total:
        return None
    return f"{broken} of {total} rows fail their checks: {'; '.join(reasons[:5])}"
