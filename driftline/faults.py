"""What is wrong with data rather than new in it: stuck, in another unit, gone missing."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from driftline.problem import Problem
from driftline.thresholds import wilson_lower

LEAST_ROWS = 20
LEAST_FACTOR = 3.0  # a median that moves by less may be people; by more it is a unit
LEAST_JUMP = 2.0  # in reference standard deviations
CHANCE = 1e-4  # that a column loses as many values without anything being wrong
LARGEST_MISFIT = 0.5  # of the rescaled values, in reference standard deviations


def find_faults(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem
) -> tuple[str, ...]:
    """Each fault of a column, as a sentence without values of single rows."""
    if len(current) < LEAST_ROWS:
        return ()
    faults = []
    for name, spec in problem.columns.items():
        before, after = reference[name].dropna(), current[name].dropna()
        lost = _lost_share(reference[name].isna(), current[name].isna())
        if lost >= problem.drift.missing_effect:
            faults.append(f"{name}: {lost:+.0%} more values missing")
        elif (
            len(after)
            and _is_constant(after)
            and not _is_constant(before)
            and _is_odd(before, after)
        ):
            faults.append(f"{name}: stuck at one value")
        elif spec.kind != "category" and (factor := _unit_factor(before, after)) is not None:
            faults.append(f"{name}: looks like another unit (times {factor:.3g})")
    return tuple(faults)


def _lost_share(before: pd.Series, after: pd.Series) -> float:
    """How much larger the share of missing values is; 0 where chance alone would show as much.

    Held against the reference's share as it may be at the most (Wilson's upper bound), by the
    binomial distribution of the current count.
    """
    from scipy.stats import binom

    missing = int(after.sum())
    most = 1 - float(wilson_lower(np.array(1 - before.mean()), np.array(len(before)), 0.975))
    if binom.sf(missing - 1, len(after), most) > CHANCE:
        return 0.0
    return float(after.mean() - before.mean())


def _is_constant(values: pd.Series) -> bool:
    return bool((values == values.iloc[0]).all())


def _is_odd(before: pd.Series, after: pd.Series) -> bool:
    """Whether so many equal values would be a marvel if they came from the reference."""
    share = float((before == after.iloc[0]).mean())
    return share < 1 and len(after) * np.log(max(share, 1e-12)) < np.log(1e-6)


def _unit_factor(before: pd.Series, after: pd.Series) -> float | None:
    """The factor that explains the change, where a factor alone does."""
    old, new = before.to_numpy(dtype=float), after.to_numpy(dtype=float)
    middle_old, middle_new = float(np.median(old)), float(np.median(new))
    spread = float(old.std())
    if spread == 0 or middle_old <= 0 or middle_new <= 0:
        return None
    factor = middle_new / middle_old
    jump = abs(middle_new - middle_old) / spread
    if (old > 0).all() and (new > 0).all():  # a skewed column shrinks by less than its deviation
        jump = max(jump, abs(np.log(factor)) / max(float(np.log(old).std()), 1e-9))
    if max(factor, 1 / factor) < LEAST_FACTOR or jump < LEAST_JUMP:
        return None
    at = np.linspace(0.05, 0.95, 19)
    misfit = np.abs(np.quantile(new / factor, at) - np.quantile(old, at)).mean() / spread
    return factor if misfit < LARGEST_MISFIT else None


def share_fault(broken: int, total: int, problem: Problem, reasons: Sequence[str]) -> str | None:
    """A sentence where more rows are broken than the problem allows."""
    if total == 0 or broken <= problem.max_quarantined_share * total:
        return None
    return f"{broken} of {total} rows fail their checks: {'; '.join(reasons[:5])}"
