"""After how many labels a worse model is taken back, and how often an equal one is.

    python -m tests.benchmarks.decisions.rollback [--trials 1000] [--worse 200]

Answers are of models of the Pima population: the champion before, and one that was promoted on
purpose. Equal are two that have their answers exchanged at random, row by row.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from driftline.losses import row_losses
from driftline.problem import Problem
from driftline.sequential import Wager
from driftline.shadow import Shadow
from tests.benchmarks.decisions.champions import Champion, renew_after, train_champion
from tests.benchmarks.decisions.populations import People, make_population
from tests.benchmarks.decisions.streams import REPORTING_SEEDS, TUNING_SEEDS, load_tables
from tests.benchmarks.decisions.tally import Share

TABLE = "pima"
LABELS_A_LOOK = 100
CROWD = 20_000
HARMS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # Brier loss over the old model's, as shares of its skill
POWER = 0.8


@dataclass(frozen=True)
class Pair:
    """A crowd's Brier losses, by outcome class, under the old and the new model; their chances."""

    chance: np.ndarray
    old: np.ndarray
    new: np.ndarray

    def draw(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """By how much the new model loses more on each of some labelled rows."""
        places = rng.integers(len(self.chance), size=rows)
        y = (rng.random(rows) < self.chance[places]).astype(int)
        return np.asarray(self.new[places, y] - self.old[places, y])

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and deviation of what the new model loses more."""
        p = np.column_stack([1 - self.chance, self.chance])
        worse = self.new - self.old
        mean = float((p * worse).sum(axis=1).mean())
        return mean, float(np.sqrt((p * worse**2).sum(axis=1).mean() - mean**2))


def labels_until_back(worse: np.ndarray, problem: Problem) -> int | None:
    """After how many labels the old champion serves again; None if it never does.

    `worse` are the differences of the two models' losses, row by row.
    """
    shadow = Shadow("1", Wager())
    for start in range(0, min(len(worse), problem.drift.shadow_labels), LABELS_A_LOOK):
        cohort = worse[start : start + LABELS_A_LOOK]
        shadow = shadow.add(cohort, np.zeros(len(cohort)))
        if shadow.is_better(problem.drift):
            return shadow.rows
    return None


def exchange(worse: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The differences of two models whose answers are exchanged by a coin: equal in the mean."""
    return worse * rng.choice([-1.0, 1.0], len(worse))


def make_pair(champion: Champion, people: People, other: np.ndarray, weight: float) -> Pair:
    """The champion and its mixture with another model's answers (rows, classes)."""
    answers = champion.model.predict_proba(people.X)
    mixed = (1 - weight) * answers + weight * other
    return Pair(people.chance, _by_class(answers), _by_class(mixed))


def _by_class(answers: np.ndarray) -> np.ndarray:
    each = [row_losses(answers, np.full(len(answers), k, dtype=np.int64), "brier") for k in (0, 1)]
    return np.column_stack(each)


def worse_pair(
    champion: Champion, people: People, harm: float, skill: float, rng: np.random.Generator
) -> Pair:
    """A pair whose new model was trained on outcomes of others, mixed in until it harms so much."""
    others = People(people.rows, people.X, rng.permutation(people.chance))
    bad = renew_after(champion, others, rng).predict_proba(people.X)
    low, high = 0.0, 2.0
    for _ in range(40):
        middle = (low + high) / 2
        is_more = make_pair(champion, people, bad, middle).moments[0] > harm * skill
        low, high = (low, middle) if is_more else (middle, high)
    return make_pair(champion, people, bad, high)


def brier_skill(champion: Champion, people: People) -> float:
    """What the champion's Brier loss is below that of the base rate."""
    base = float(people.chance.mean())
    rate = np.tile([1 - base, base], (len(people.chance), 1))
    told = champion.model.predict_proba(people.X)
    gain = people.expected_losses(rate, "brier") - people.expected_losses(told, "brier")
    return float(gain.mean())


def best_labels(pair: Pair, alpha: float) -> int:
    """Labels that the best test looked at once needs for that power, its variance known."""
    mean, deviation = pair.moments
    return int(np.ceil(((norm.ppf(1 - alpha) + norm.ppf(POWER)) * deviation / mean) ** 2))


def show_worse(console: Console, champion: Champion, people: People, seeds: Sequence[int]) -> None:
    """Labels until a worse model is back, by its harm."""
    problem = champion.population.problem
    most, alpha = problem.drift.shadow_labels, problem.drift.false_retrains
    skill = brier_skill(champion, people)
    columns = ("Brier", f"back within {most} labels", "half are back by", "80 % by", "best test")
    table = Table("harm, of the skill", *columns, title="a worse model promoted on purpose")
    for harm in HARMS:
        pair = worse_pair(champion, people, harm, skill, np.random.default_rng(seeds[0]))
        taken = []
        for seed in seeds:
            rng = np.random.default_rng([seed, 1])
            taken.append(labels_until_back(pair.draw(most, rng), problem) or most + 1)
        share = Share(sum(each <= most for each in taken), len(taken))
        cells = [_labels(np.quantile(taken, at, method="higher"), most) for at in (0.5, POWER)]
        best = best_labels(pair, alpha)
        table.add_row(f"{harm:.0%}", f"{pair.moments[0]:+.4f}", share.text, *cells, str(best))
    console.print(table)


def _labels(count: float, most: int) -> str:
    return f"{count:.0f}" if count <= most else f"over {most}"


def show_equal(console: Console, champion: Champion, people: People, seeds: Sequence[int]) -> None:
    """How often an equal model is taken back."""
    problem = champion.population.problem
    another = renew_after(champion, champion.population.draw(500, _rng(seeds[0]))[0], _rng(1))
    pair = make_pair(champion, people, another.predict_proba(people.X), 1.0)
    back = 0
    for seed in seeds:
        rng = np.random.default_rng([seed, 2])
        worse = exchange(pair.draw(problem.drift.shadow_labels, rng), rng)
        back += labels_until_back(worse, problem) is not None
    console.print("taken back though equal (A/A):", Share(back, len(seeds)).text)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="of equal models")
    parser.add_argument("--worse", type=int, default=200, help="trials of each worse model")
    parser.add_argument("--tuning", action="store_true", help="the seeds that knobs may look at")
    options = parser.parse_args()
    seeds = TUNING_SEEDS if options.tuning else REPORTING_SEEDS
    table = next(table for table in load_tables((TABLE,)))
    population = make_population(table)
    champion = train_champion(population, _rng(seeds[0]))
    people, _ = population.draw(CROWD, _rng(seeds[0]))
    console = Console(width=120)
    show_worse(console, champion, people, seeds[: options.worse])
    show_equal(console, champion, people, seeds[: options.trials])


if __name__ == "__main__":
    main()
