"""Which class a record gets by its probabilities, and which band by its risk.

One record at a time, as serving and the contract have it; tables: `driftline.metrics.decide`.
"""

from collections.abc import Sequence

TIE = 1e-5  # scores as near as this are as high: implementations differ by a tenth of it


def choose_class(
    probabilities: Sequence[float],
    *,
    positive: Sequence[int],
    threshold: float | None,
    costs: Sequence[float] = (),
) -> int:
    """Class index: the first positive class from its threshold on, else the dearest to miss.

    `costs` are of missing each class, at most 1; without them it is the most probable class. Where
    several are as high, it is the first.
    """
    if threshold is None:
        scores = probabilities
        if costs:
            scores = [cost * p for cost, p in zip(costs, probabilities, strict=True)]
        least = max(scores) - TIE
        return next(index for index, score in enumerate(scores) if score >= least)
    return positive[0] if probabilities[positive[0]] >= threshold else 1 - positive[0]


def name_band(risk: float, medium: float, high: float) -> str:
    """`low`, or `medium` or `high` above their limits."""
    if risk > high:
        return "high"
    return "medium" if risk > medium else "low"
