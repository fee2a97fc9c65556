"""How much a fitted model relies on each column."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.contract import Contract
from driftline.losses import row_losses

MOST_ROWS = 2000
REPEATS = 3


def measure_use(
    model: Any,
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[np.int64],
    contract: Contract,
    *,
    seed: int,
) -> dict[str, float]:
    """The share of each column in what the model loses when a column is shuffled over the rows.

    All elements that a column fills in the vector are shuffled together; the newest rows are
    taken. Where nothing is lost, all columns share alike. Source: Breiman, Random forests, Machine
    Learning 45 (2001) 5-32.
    """
    X, y = X[-MOST_ROWS:], y[-MOST_ROWS:]  # noqa: N806
    rng = np.random.default_rng(seed)
    whole = _loss(model, X, y)
    lost: dict[str, float] = {}
    start = 0
    for field in contract.fields:
        width = len(field.feature_names)
        losses = []
        for _ in range(REPEATS):
            shuffled = X.copy()
            shuffled[:, start : start + width] = X[rng.permutation(len(X)), start : start + width]
            losses.append(_loss(model, shuffled, y))
        lost[field.name] = max(float(np.mean(losses)) - whole, 0.0)
        start += width
    total = sum(lost.values())
    return {name: part / total if total else 1 / len(lost) for name, part in lost.items()}


def _loss(model: Any, X: NDArray[np.float32], y: NDArray[np.int64]) -> float:  # noqa: N803
    return float(row_losses(model.predict_proba(X), y, "log_loss").mean())
