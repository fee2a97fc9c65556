"""How near estimates without labels come to the truth, by simulation: CBPE beside PAPE.

The truth holds an interaction that the model lacks, so under a change of the inputs the same score
comes to mean something else. Run: `python -m tests.benchmarks.decisions.estimation --streams 200`.
"""

import argparse
from typing import get_args

import numpy as np
from rich.console import Console
from rich.table import Table

from driftline.estimation import (
    EstimatedMetric,
    adapt_estimator,
    estimate_performance,
    fit_estimator,
)
from driftline.losses import LossName, row_losses

CROWD = 200_000
METRICS: tuple[EstimatedMetric, ...] = get_args(EstimatedMetric)
SHIFTS = (0.0, 0.5, 1.0)


def chance(X: np.ndarray) -> np.ndarray:  # noqa: N803
    """The true chance of the positive class."""
    odds = 1.2 * X[:, 0] + 0.8 * X[:, 1] + 0.8 * X[:, 0] * X[:, 1] - 0.5
    return np.asarray(1 / (1 + np.exp(-odds)))


def answer(X: np.ndarray) -> np.ndarray:  # noqa: N803
    """The model's probabilities: right on the whole, blind to the interaction."""
    p = 1 / (1 + np.exp(-(1.15 * X[:, 0] + 0.75 * X[:, 1] - 0.35)))
    return np.column_stack([1 - p, p])


def draw(rows: int, shift: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs whose second and third column are shifted, and the truth."""
    X = rng.normal(size=(rows, 4))  # noqa: N806
    X[:, 1] += shift
    X[:, 2] += shift / 2
    return X, (rng.random(rows) < chance(X)).astype(np.int64)


def true_loss(metric: EstimatedMetric, shift: float, *, seed: int = 12345) -> float:
    """The model's loss on a crowd of such rows."""
    from sklearn.metrics import roc_auc_score

    X, y = draw(CROWD, shift, np.random.default_rng(seed))  # noqa: N806
    if metric == "roc_auc":
        return 1 - float(roc_auc_score(y, answer(X)[:, 1]))
    return float(row_losses(answer(X), y, _as_loss(metric)).mean())


def _as_loss(metric: EstimatedMetric) -> LossName:
    names: dict[str, LossName] = {"brier": "brier", "log_loss": "log_loss", "error": "error"}
    return names[metric]


def compare_estimates(
    shift: float, *, streams: int, rows: tuple[int, int]
) -> dict[EstimatedMetric, np.ndarray]:
    """Per stream: CBPE's error, whether its interval holds the truth, and the same of PAPE."""
    truths = {metric: true_loss(metric, shift) for metric in METRICS}
    found: dict[EstimatedMetric, list[list[float]]] = {metric: [] for metric in METRICS}
    for stream in range(streams):
        rng = np.random.default_rng([7, stream])
        X, y = draw(rows[0], 0.0, rng)  # noqa: N806
        Z, _ = draw(rows[1], shift, rng)  # noqa: N806
        plain = fit_estimator(answer(X), y)
        estimators = (plain, adapt_estimator(plain, X, Z, seed=stream))
        for metric, truth in truths.items():
            row = []
            for estimator in estimators:
                each = estimate_performance(estimator, answer(Z), metric=metric)
                row += [each.loss - truth, float(each.low <= truth <= each.high)]
            found[metric].append(row)
    return {metric: np.array(values) for metric, values in found.items()}


def main() -> None:
    """Print errors and coverage by size, shift and metric."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    streams = parser.parse_args().streams
    console = Console(width=120)
    for rows in ((2000, 1000), (500, 200)):
        title = f"{rows[0]} reference rows, {rows[1]} without labels, {streams} streams"
        table = Table("shift", "metric", "CBPE rms", "covers", "PAPE rms", "covers", title=title)
        for shift in SHIFTS:
            for metric, found in compare_estimates(shift, streams=streams, rows=rows).items():
                error, covers = np.sqrt((found**2).mean(axis=0)), found.mean(axis=0)
                cells = [f"{error[0]:.4f}", f"{covers[1]:.0%}", f"{error[2]:.4f}"]
                table.add_row(f"{shift:g} sd", metric, *cells, f"{covers[3]:.0%}")
        console.print(table)


if __name__ == "__main__":
    main()
