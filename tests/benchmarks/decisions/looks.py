"""How often a stream without change is ever retrained on, over many looks at it.

    python -m tests.benchmarks.decisions.looks [--streams 100] [--looks 200] [--tuning] [--jobs 2]

Windows of 50 labelled rows come from a population that stays as it was; a life ends with the first
retraining. More rows make a better model though nothing changes, so what the model of a retraining
truly saves is told beside. Twelve fits at each of so many looks would take hours: the probe's
answers are those of models fitted beforehand on about as many rows of the same population.
"""

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from driftline.dataset import encode_target
from driftline.history import History
from driftline.probe import PASTS, Probe, choose_past, rows_of_past
from tests.benchmarks.decisions.champions import RECIPE, train_champion
from tests.benchmarks.decisions.changes import Scenario, no_change
from tests.benchmarks.decisions.lives import (
    Models,
    Probing,
    Stream,
    draw_history,
    live_labelled,
)
from tests.benchmarks.decisions.populations import Population, make_population
from tests.benchmarks.decisions.streams import REPORTING_SEEDS, TUNING_SEEDS, load_tables
from tests.benchmarks.decisions.tally import POLICY, Life, Share

SIZE = 50
RUNGS = (400, 800, 1500, 3000, 4500, 6000, 8000, 10_500, 13_000)  # rows learnt from
MODELS_A_RUNG = 4


@dataclass(frozen=True)
class Ladder:
    """Models of a population by how many rows they learnt from."""

    population: Population
    models: dict[int, list[Any]]

    def climb(self, history: History) -> Probing:
        """A probe whose models are those of the nearest rungs."""
        told = {
            rung: [model.predict_proba(history.X) for model in models]
            for rung, models in self.models.items()
        }

        def probe(history: History, window: int) -> Probe:
            rows, before = history.rows_of(window), history.cuts[window]
            newest = rows.stop - rows.start
            answers = {}
            for past in PASTS:
                learnt = rows_of_past(before, past, least=newest)
                rung = min(RUNGS, key=lambda rung: abs(np.log(rung / learnt)))
                answers[past] = told[rung][(window + past) % MODELS_A_RUNG][rows]
            past = choose_past(answers, history.y[rows], history.problem.drift.loss)
            return Probe(answers, past)

        return probe


def make_ladder(population: Population, rng: np.random.Generator) -> Ladder:
    """Fit the models of a ladder."""

    def fit(rung: int) -> Any:
        people, _ = population.draw(rung, rng)
        y = encode_target(people.with_outcomes(population.problem, rng), population.problem)
        return RECIPE.fit(people.X, y)

    models = {rung: [fit(rung) for _ in range(MODELS_A_RUNG)] for rung in RUNGS}
    return Ladder(population, models)


def live_long(seed: int, ladder: Ladder, looks: int) -> Life:
    """One stream without change."""
    rng, population = np.random.default_rng([seed, looks]), ladder.population
    with threadpool_limits(1):
        champion = train_champion(population, rng)
        scenario = Scenario("no change", no_change)
        draw = scenario.make(population, champion.keys, rng)
        stream = Stream(champion, scenario, draw, SIZE, (0.0,) * looks)
        history = draw_history(stream, rng)
        models = Models(history, champion, ladder.climb(history))
        verdicts, saved = live_labelled(stream, history, models, rng)
    return Life(
        seed=seed,
        table=population.name,
        size=SIZE,
        scenario=scenario.name,
        is_labelled=True,
        is_broken=False,
        delay=0,
        within=2,
        harms=(champion.unchanged,) * looks,
        is_visible=False,
        verdicts=verdicts,
        saved=saved,
    )


def show(console: Console, lives: list[Life], looks: int) -> None:
    """One table, by the table of the rows."""
    columns = ("ever retrained on", "of no use", "ever quarantined")
    table = Table(f"{looks} looks at no change", *columns)
    for name in (*dict.fromkeys(life.table for life in lives), "all"):
        some = [life for life in lives if name in (life.table, "all")]
        retrained = [life for life in some if "retrain" in life.verdicts]
        useless = [life for life in retrained if not life.is_worth_it]
        quarantined = [life for life in some if "quarantine" in life.verdicts]
        counts = (len(retrained), len(useless), len(quarantined))
        table.add_row(name, *(Share(count, len(some)).text for count in counts))
    console.print(table)
    saved = [f"{life.saved:+.1%}" for life in lives if life.saved is not None]
    console.print(f"saved per look by the models of retrainings (cost {POLICY.cost:.0%}):", *saved)


def main() -> None:
    """Live through the streams and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--tables", nargs="*", help="of these tables alone")
    parser.add_argument("--looks", type=int, default=200)
    parser.add_argument("--tuning", action="store_true", help="the seeds that knobs may look at")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    seeds = (TUNING_SEEDS if options.tuning else REPORTING_SEEDS)[: options.streams]
    with threadpool_limits(1):
        ladders = [
            make_ladder(make_population(table), np.random.default_rng(0))
            for table in load_tables(options.tables)
        ]
    work = Parallel(n_jobs=options.jobs, return_as="generator_unordered")(
        delayed(live_long)(seed, ladders[seed % len(ladders)], options.looks) for seed in seeds
    )
    lives: list[Life] = []
    begun = time.perf_counter()
    for life in work:
        lives.append(life)
        taken = time.perf_counter() - begun
        print(f"{len(lives)} of {len(seeds)} streams, {taken:.0f} s", flush=True)  # noqa: T201
    show(Console(width=120), lives, options.looks)


if __name__ == "__main__":
    main()
