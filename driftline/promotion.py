"""The gate: may this model serve, and does it beat the champion?

A challenger is promoted when it keeps every bound of its problem and is better than the champion,
beyond noise, on rows that neither was trained on. Being equal is not being better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from driftline.metrics import Scored
from driftline.problem import Comparison, Gate

RESAMPLES = 2000


@dataclass(frozen=True)
class GateResult:
    """One bound, the value measured against it, and whether it was kept."""

    metric: str
    wanted: str
    got: float | None
    is_kept: bool


@dataclass(frozen=True)
class Improvement:
    """Mean loss saved per row by the challenger, with its interval, over `rows` paired rows."""

    against: str
    metric: str
    rows: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Decision:
    """`promoted` or `rejected`, with every reason for it."""

    verdict: Literal["promoted", "rejected"]
    reasons: tuple[str, ...]

    @property
    def is_promoted(self) -> bool:
        """Whether the model may serve."""
        return self.verdict == "promoted"


def check_gates(gates: Sequence[Gate], metrics: Mapping[str, float]) -> list[GateResult]:
    """Each gate against the figures of the model; a figure that is absent keeps no bound."""
    results = []
    for gate in gates:
        value = metrics.get(gate.metric)
        if gate.at_least is not None:
            wanted, is_kept = f">= {gate.at_least:g}", value is not None and value >= gate.at_least
        else:
            bound = float("nan") if gate.at_most is None else gate.at_most
            wanted, is_kept = f"<= {bound:g}", value is not None and value <= bound
        results.append(GateResult(metric=gate.metric, wanted=wanted, got=value, is_kept=is_kept))
    return results


def compare_pairwise(
    challenger: Scored, other: Scored, policy: Comparison, *, against: str, seed: int
) -> Improvement:
    """Loss of `other` minus loss of the challenger on the same rows, bootstrapped over rows.

    Both hold the same rows in the same order; the interval is two-sided at the policy's confidence.
    """
    saved = _losses(other, policy.metric) - _losses(challenger, policy.metric)
    rng = np.random.default_rng(seed)
    rows = len(saved)
    means = np.array([saved[rng.integers(0, rows, rows)].mean() for _ in range(RESAMPLES)])
    tail = (1 - policy.confidence) / 2 * 100
    low, high = np.percentile(means, [tail, 100 - tail])
    return Improvement(
        against=against,
        metric=policy.metric,
        rows=rows,
        mean=float(saved.mean()),
        low=float(low),
        high=float(high),
    )


def decide_promotion(
    gates: Sequence[GateResult],
    improvements: Sequence[Improvement],
    policy: Comparison,
    *,
    obstacles: Sequence[str] = (),
) -> Decision:
    """Promote only where nothing speaks against it.

    `obstacles` are reasons that stand by themselves, such as a smoke run or a failed parity check.
    """
    against = list(obstacles)
    for gate in gates:
        if not gate.is_kept:
            got = "not measured" if gate.got is None else f"{gate.got:.4f}"
            against.append(f"{gate.metric} is {got}, wanted {gate.wanted}")
    favour = [f"{gate.metric} is {gate.got:.4f} ({gate.wanted})" for gate in gates if gate.is_kept]
    for improvement in improvements:
        text = _describe(improvement)
        if improvement.rows < policy.min_rows:
            against.append(
                f"only {improvement.rows} rows unseen by both it and "
                f"{improvement.against}, wanted {policy.min_rows}"
            )
        elif improvement.low > 0:
            favour.append(f"better than {improvement.against}: {text}")
        else:
            against.append(f"not better than {improvement.against} beyond noise: {text}")
    if against:
        return Decision(verdict="rejected", reasons=tuple(against))
    return Decision(verdict="promoted", reasons=tuple(favour) or ("no gate stands against it",))


def _describe(improvement: Improvement) -> str:
    return (
        f"{improvement.metric} saved per row {improvement.mean:+.4f} "
        f"[{improvement.low:+.4f}, {improvement.high:+.4f}] on {improvement.rows} rows"
    )


def _losses(scored: Scored, metric: str) -> NDArray[np.float64]:
    if metric == "error":
        return np.asarray(scored.y != scored.predicted, dtype=np.float64)
    rows = np.arange(len(scored.y))
    if metric == "log_loss":
        losses: NDArray[np.float64] = -np.log(
            np.clip(scored.probabilities[rows, scored.y], 1e-6, 1)
        )
        return losses
    one_hot = np.eye(scored.probabilities.shape[1])[scored.y]
    squares = (scored.probabilities - one_hot) ** 2
    return np.asarray(squares.sum(axis=1) / (2 if scored.positive is not None else 1))
