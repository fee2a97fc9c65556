"""How much a fitted model relies on each column."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.answers import answers_of
from driftline.contract import Contract
from driftline.losses import LossName, row_losses

MOST_ROWS = 2000
REPEATS = 3


def measure_use(
    model: Any,
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[Any],
    contract: Contract,
    *,
    seed: int,
) -> dict[str, float]:
    """The share of each column in what the model loses when a column is shuffled over the rows.

    All elements that follow from a column are shuffled together, those of features that are
    computed of it too; the newest rows are taken. Where nothing is lost, all columns share alike.
    Source: Breiman, Random forests, Machine Learning 45 (2001) 5-32.
    """
    X, y = X[-MOST_ROWS:], y[-MOST_ROWS:]  # noqa: N806
    rng = np.random.default_rng(seed)
    whole = _loss(model, X, y)
    lost: dict[str, float] = {}
    for name, elements in contract.computed.moved.items():
        losses = []
        for _ in range(REPEATS):
            shuffled = X.copy()
            shuffled[:, elements] = X[rng.permutation(len(X))][:, elements]
            losses.append(_loss(model, shuffled, y))
        lost[name] = max(float(np.mean(losses)) - whole, 0.0)
    total = sum(lost.values())
    return {name: part / total if total else 1 / len(lost) for name, part in lost.items()}


def _loss(model: Any, X: NDArray[np.float32], y: NDArray[Any]) -> float:  # noqa: N803
    answers = answers_of(model, X)
    metric: LossName = "absolute_error" if answers.shape[1] == 1 else "log_loss"
    return float(row_losses(answers, y, metric).mean())
