"""How often a challenger is promoted that is equal, or better by so much: ours beside the best.

Scores are normal in each class, so two models' true areas under the ROC curve are known, and so is
the best test: that of the difference in separation, with the deviations and the correlation of the
errors known to it. Run: `python -m tests.benchmarks.decisions.promotion --trials 1000`.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from driftline.comparison import compare_pairwise
from driftline.metrics import Scored, decide
from driftline.problem import Comparison
from driftline.promotion import decide_promotion

DIFFERENCES = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05)
CORRELATIONS = (0.0, 0.5, 0.9)
METRICS = ("roc_auc", "log_loss", "brier", "error", "pr_auc", "f1", "precision")
PREVALENCE = 0.3
THRESHOLD = 0.3


@dataclass(frozen=True)
class World:
    """What two models are like on the rows that compare them."""

    rows: int
    auc: float
    difference: float
    correlation: float

    @property
    def separations(self) -> tuple[float, float]:
        """Distance of the class means in deviations: challenger's, champion's."""
        return separation(self.auc + self.difference), separation(self.auc)


def separation(auc: float) -> float:
    """Distance of two normal classes whose area under the ROC curve is this."""
    return float(np.sqrt(2) * norm.ppf(auc))


def draw_pair(world: World, rng: np.random.Generator) -> tuple[Scored, Scored]:
    """Challenger and champion on the same rows, each with calibrated probabilities."""
    y = np.zeros(world.rows, dtype=np.int64)
    y[: round(world.rows * PREVALENCE)] = 1
    first = rng.normal(size=world.rows)
    rest = np.sqrt(1 - world.correlation**2)
    second = world.correlation * first + rest * rng.normal(size=world.rows)
    one, other = (
        _answer(y, noise, distance)
        for noise, distance in zip((first, second), world.separations, strict=True)
    )
    return one, other


def _answer(y: np.ndarray, noise: np.ndarray, distance: float) -> Scored:
    score = distance * y + noise
    log_odds = distance * score - distance**2 / 2 + np.log(PREVALENCE / (1 - PREVALENCE))
    p = 1 / (1 + np.exp(-log_odds))
    both = np.column_stack([1 - p, p])
    predicted = decide(both, positive=1, threshold=THRESHOLD)
    return Scored(y, both, predicted, positive=1, threshold=THRESHOLD)


def promoted_share(world: World, policy: Comparison, *, trials: int, seed: int) -> float:
    """Share of trials in which the challenger is promoted, with no reason to renew."""
    promoted = 0
    for trial in range(trials):
        one, other = draw_pair(world, np.random.default_rng([seed, trial]))
        compared = compare_pairwise(one, other, policy, against="champion v1", seed=trial)
        promoted += decide_promotion([], [compared], policy).is_promoted
    return promoted / trials


def best_power(world: World, policy: Comparison) -> float:
    """Power of the best test of the same level that favours neither model beforehand.

    Only the means of the scores are unknown to it, so the difference of the two separations is
    normal with a variance that it knows (Neyman and Pearson's lemma in the location family).
    """
    positives = round(world.rows * PREVALENCE)
    spread = 1 / positives + 1 / (world.rows - positives)
    error = np.sqrt(2 * (1 - world.correlation) * spread)
    better, worse = world.separations
    return float(norm.cdf((better - worse) / error - norm.ppf(policy.confidence)))


def show_power(console: Console, *, rows: int, auc: float, trials: int) -> None:
    """Power curves by AUC, beside the best test's."""
    policy = Comparison(metric="roc_auc")
    columns = [f"{name}, correlation {c:g}" for c in CORRELATIONS for name in ("ours", "best")]
    table = Table("AUC gain", *columns, title=f"promoted, {rows} rows, champion's AUC {auc:g}")
    for difference in DIFFERENCES:
        cells = []
        for correlation in CORRELATIONS:
            world = World(rows, auc, difference, correlation)
            share = promoted_share(world, policy, trials=trials, seed=1)
            cells += [f"{share:.1%}", f"{best_power(world, policy):.1%}"]
        table.add_row(f"{difference:g}", *cells)
    console.print(table)


def show_equal(console: Console, *, trials: int) -> None:
    """How often an equal challenger is promoted, by metric and number of rows."""
    sizes = [(rows, c) for rows in (30, 200, 2000) for c in (0.0, 0.9)]
    headings = [f"{rows} rows, correlation {c:g}" for rows, c in sizes]
    table = Table("metric", *headings, title="promoted though equal (nominally 4 %), AUC 0.85")
    for metric in METRICS:
        policy = Comparison(metric=metric)
        cells = [
            promoted_share(World(rows, 0.85, 0.0, c), policy, trials=trials, seed=2)
            for rows, c in sizes
        ]
        table.add_row(metric, *[f"{share:.1%}" for share in cells])
    console.print(table)


def main() -> None:
    """Print the power curves and the false promotions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=2000)
    given = parser.parse_args()
    console = Console(width=140)
    for auc in (0.75, 0.85, 0.93):
        show_power(console, rows=given.rows, auc=auc, trials=given.trials)
    show_equal(console, trials=given.trials)


if __name__ == "__main__":
    main()
