"""Whether inputs have changed, by how much, and what follows from it.

A change counts when its effect size passes the problem's policy *and* exceeds what a random
re-division of the same rows would show: large tables flag trifles by significance alone, small
ones flag noise by effect alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.problem import DriftPolicy, Problem

Verdict = Literal["ok", "watch", "quarantine", "retrain", "need_labels"]
PERMUTATIONS = 200
MOST_ROWS = 5000
ROUNDING = 1e-9  # of a mean: a deviation below it is rounding
_QUANTILES = np.linspace(0.01, 0.99, 99)


@dataclass(frozen=True)
class ColumnChange:
    """How one column changed: effect sizes, the policy's bounds for them, and the noise level."""

    column: str
    measure: str
    effect: float
    bound: float
    noise: float
    missing: float
    missing_bound: float

    @property
    def has_drifted(self) -> bool:
        """Whether the values changed by more than the policy allows and noise explains."""
        return self.effect >= self.bound and self.effect > self.noise

    @property
    def has_lost_values(self) -> bool:
        """Whether values are missing that used to be there."""
        return self.missing >= self.missing_bound


@dataclass(frozen=True)
class DriftDecision:
    """A verdict with its reasons, most telling first."""

    verdict: Verdict
    reasons: tuple[str, ...]


def measure_changes(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem, *, seed: int
) -> list[ColumnChange]:
    """Effect size of each declared column, with one noise level for the whole family.

    Numbers: Wasserstein distance in reference standard deviations (the shift of the mean, were it
    one). Categories: total variation distance. The noise level is the quantile
    1 - `false_alarms` of the largest effect, in units of its bound, over random re-divisions.
    Source of the maximum statistic: Westfall and Young, Resampling-Based Multiple Testing (1993).
    """
    policy = problem.drift
    rng = np.random.default_rng(seed)
    before, after = _thin(reference, rng), _thin(current, rng)
    pooled = pd.concat([before, after], ignore_index=True)
    columns = {name: _as_numbers(pooled[name], spec.kind) for name, spec in problem.columns.items()}
    kinds = {name: spec.kind for name, spec in problem.columns.items()}
    cut, total = len(before), len(pooled)
    noise = _family_noise(columns, kinds, policy, cut=cut, rng=rng)
    changes = []
    for name, values in columns.items():
        is_category = kinds[name] == "category"
        bound = _bound(policy, kinds[name])
        lost = float(np.isnan(values[cut:]).mean() - np.isnan(values[:cut]).mean())
        changes.append(
            ColumnChange(
                column=name,
                measure="total variation" if is_category else "Wasserstein / sd",
                effect=_effect(values, np.arange(total), cut, is_category=is_category),
                bound=bound,
                noise=noise * bound,
                missing=lost,
                missing_bound=policy.missing_effect,
            )
        )
    return sorted(changes, key=lambda change: change.effect / change.bound, reverse=True)


def decide_drift(
    changes: Sequence[ColumnChange], policy: DriftPolicy, *, rows: int, faults: Sequence[str] = ()
) -> DriftDecision:
    """The verdict from the evidence; `faults` are failed checks of the data itself."""
    lost = [change for change in changes if change.has_lost_values]
    if faults or lost:
        reasons = [*faults]
        reasons += [f"{c.column}: {c.missing:+.0%} more values missing" for c in lost]
        return DriftDecision("quarantine", tuple(reasons))
    if rows < policy.min_rows:
        return DriftDecision("watch", (f"only {rows} rows, wanted {policy.min_rows} to judge by",))
    drifted = [change for change in changes if change.has_drifted]
    reasons = [_describe(change) for change in drifted]
    share = len(drifted) / max(len(changes), 1)
    summary = f"{len(drifted)} of {len(changes)} columns changed"
    if share >= policy.retrain_share:
        return DriftDecision("retrain", (summary, *reasons))
    if drifted:
        return DriftDecision("watch", (summary, *reasons))
    strongest = f"; the largest: {_describe(changes[0])}" if changes else ""
    return DriftDecision("ok", (f"no column changed beyond policy and noise{strongest}",))


def _describe(change: ColumnChange) -> str:
    return (
        f"{change.column}: {change.measure} {change.effect:.3f} "
        f"(bound {change.bound:g}, noise {change.noise:.3f})"
    )


def _bound(policy: DriftPolicy, kind: str) -> float:
    return policy.category_effect if kind == "category" else policy.numeric_effect


def _thin(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if len(table) <= MOST_ROWS:
        return table
    return table.iloc[np.sort(rng.choice(len(table), MOST_ROWS, replace=False))]


def _as_numbers(series: pd.Series, kind: str) -> NDArray[np.float64]:
    if kind != "category":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    codes = pd.factorize(series)[0].astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _family_noise(
    columns: dict[str, NDArray[np.float64]],
    kinds: Mapping[str, str],
    policy: DriftPolicy,
    *,
    cut: int,
    rng: np.random.Generator,
) -> float:
    total = len(next(iter(columns.values())))
    largest = np.zeros(PERMUTATIONS)
    for i in range(PERMUTATIONS):
        order = rng.permutation(total)
        largest[i] = max(
            _effect(values, order, cut, is_category=kinds[name] == "category")
            / _bound(policy, kinds[name])
            for name, values in columns.items()
        )
    return float(np.quantile(largest, 1 - policy.false_alarms))


def _effect(
    values: NDArray[np.float64], order: NDArray[np.int64], cut: int, *, is_category: bool
) -> float:
    before, after = values[order[:cut]], values[order[cut:]]
    before, after = before[~np.isnan(before)], after[~np.isnan(after)]
    if not len(before) or not len(after):
        return 0.0
    if is_category:
        size = int(values[~np.isnan(values)].max()) + 1
        shares = [
            np.bincount(part.astype(int), minlength=size) / len(part) for part in (before, after)
        ]
        return float(np.abs(shares[0] - shares[1]).sum() / 2)
    scale = float(np.abs(before).mean())
    spread = float(before.std())
    if spread <= ROUNDING * scale:  # a constant column: its deviation is what floats leave over
        spread = scale or 1.0
    gap = _quantiles(before) - _quantiles(after)
    return float(np.abs(gap).mean() / spread)


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(values)
    at = _QUANTILES * (len(ordered) - 1)
    low = at.astype(int)
    high = np.minimum(low + 1, len(ordered) - 1)
    return np.asarray(ordered[low] + (ordered[high] - ordered[low]) * (at - low))
