"""What is decided on streams with known changes: false alarms, and how soon harm is answered.

    python -m tests.benchmarks.decisions.scenarios [--seeds 50] [--tuning] [--jobs 2]

Each seed trains a champion per table and lives through every scenario, tables and sizes in turn.
The first three windows are as the champion knew its people; then the change begins.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from threadpoolctl import threadpool_limits

from driftline.candidates import CANDIDATES
from driftline.promise import Recipe
from tests.benchmarks.decisions.changes import LABELLED, UNLABELLED, Scenario
from tests.benchmarks.decisions.champions import (
    Champion,
    is_visible,
    measure_harm,
    train_champion,
)
from tests.benchmarks.decisions.lives import (
    Stream,
    best_test,
    draw_history,
    live_labelled,
    live_unlabelled,
)
from tests.benchmarks.decisions.populations import Population, make_population
from tests.benchmarks.decisions.streams import (
    REPORTING_SEEDS,
    SIZES,
    TUNING_SEEDS,
    load_tables,
)
from tests.benchmarks.decisions.tables import print_tables
from tests.benchmarks.decisions.tally import POLICY, Life

BEFORE = 3  # windows before a change
AFTER = {50: 5, 200: 5, 2_000: 3, 20_000: 3}
EVERY = {50: 1, 200: 1, 2_000: 3, 20_000: 12}  # of so many turns, one is lived through at a size
LEAST_ROWS = {50: 0, 200: 0, 2_000: 1_000, 20_000: 15_000}  # of a table, to draw such windows from
UNLABELLED_EVERY = 3
UNLABELLED_SIZES = (50, 200, 2_000)


@dataclass(frozen=True)
class Turn:
    """One scenario on one table, at the sizes that are due."""

    scenario: Scenario
    population: Population
    sizes: tuple[int, ...]


def plan_turns(
    seed: int, populations: Sequence[Population], sizes: Sequence[int]
) -> Iterator[Turn]:
    """The turns of a seed: over the seeds each scenario meets each table at each size."""
    for place, scenario in enumerate(LABELLED):
        population = populations[(seed + place) % len(populations)]
        due = [size for size in sizes if (seed + place) % EVERY[size] == 0]
        due = [size for size in due if population.rows >= LEAST_ROWS[size]]
        yield Turn(scenario, population, tuple(due))
    for place, scenario in enumerate(UNLABELLED):
        turn = seed + place
        if turn % UNLABELLED_EVERY == 0:
            wanted = [size for size in UNLABELLED_SIZES if size in sizes]
            population = populations[turn // UNLABELLED_EVERY % len(populations)]
            size = wanted[seed % len(wanted)]
            yield Turn(scenario, population, (size,))


def run_seed(
    seed: int, populations: Sequence[Population], sizes: Sequence[int], recipe: Recipe
) -> list[Life]:
    """All lives of a seed; each table's champion is trained once."""
    champions: dict[str, Champion] = {}
    lives = []
    with threadpool_limits(1):
        for number, turn in enumerate(plan_turns(seed, populations, sizes)):
            name = turn.population.name
            if name not in champions:
                rng = np.random.default_rng([seed, *name.encode()])
                champions[name] = train_champion(turn.population, recipe, rng)
            rng = np.random.default_rng([seed, number])
            lives += live_turn(champions[name], turn, seed, rng)
    return lives


def live_turn(champion: Champion, turn: Turn, seed: int, rng: np.random.Generator) -> list[Life]:
    """Live through a scenario at each of its sizes; its harm is measured once per strength."""
    scenario, harms = turn.scenario, {0.0: champion.unchanged}
    draw = scenario.make(turn.population, champion.keys, rng)
    can_be_seen: bool | None = None
    lives = []
    for size in turn.sizes:
        strengths = strengths_of(scenario, size)
        for strength in sorted(set(strengths) - set(harms)):
            harms[strength] = measure_harm(champion, draw, strength, rng)
        felt = tuple(harms[strength] for strength in strengths)
        if can_be_seen is None and max(felt) >= POLICY.harm:
            can_be_seen = is_visible(champion, draw, rng)
        life = Life(
            seed=seed,
            table=turn.population.name,
            size=size,
            scenario=scenario.name,
            is_labelled=scenario.is_labelled,
            is_broken=scenario.is_broken,
            delay=scenario.delay,
            within=scenario.within,
            harms=felt,
            is_visible=bool(can_be_seen),
        )
        lives.append(live(life, Stream(champion, scenario, draw, size, strengths), rng))
    return lives


def live(life: Life, stream: Stream, rng: np.random.Generator) -> Life:
    """The life with its verdicts, and with how sure the best test is of its harm."""
    history = draw_history(stream, rng)
    if not life.is_labelled:
        return replace(life, verdicts=live_unlabelled(stream, history))
    verdicts, saved = live_labelled(stream, history, rng)
    life = replace(life, verdicts=verdicts, saved=saved)
    if life.kind != "harmful":
        return life
    first = life.came - life.delay
    sureness = best_test(stream, history, range(first, first + life.within), rng)
    return replace(life, sureness=sureness)


def strengths_of(scenario: Scenario, size: int) -> tuple[float, ...]:
    """The strength of the change in each window: none before it begins."""
    after = AFTER[size] if scenario.is_labelled else scenario.within
    after += scenario.delay + (scenario.within if scenario.strength(1) < 1 else 0)
    return (0.0,) * BEFORE + tuple(scenario.strength(window) for window in range(1, after + 1))


def run_all(
    seeds: Sequence[int], populations: Sequence[Population], options: argparse.Namespace
) -> list[Life]:
    """All seeds, told as they are done."""
    recipe = Recipe(options.candidate, CANDIDATES[options.candidate].defaults)
    run = delayed(run_seed)
    work = Parallel(n_jobs=options.jobs, return_as="generator_unordered")(
        run(seed, populations, options.sizes, recipe) for seed in seeds
    )
    lives: list[Life] = []
    begun = time.perf_counter()
    for done, some in enumerate(work, start=1):
        lives += some
        print(  # noqa: T201
            f"{done} of {len(seeds)} seeds, {len(lives)} lives, "
            f"{time.perf_counter() - begun:.0f} s",
            flush=True,
        )
    return lives


def main() -> None:
    """Run the seeds and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--tuning", action="store_true", help="the seeds that knobs may look at")
    parser.add_argument("--tables", nargs="*", help="of these tables alone")
    parser.add_argument("--sizes", nargs="*", type=int, choices=SIZES, default=list(SIZES))
    parser.add_argument("--candidate", choices=sorted(CANDIDATES), default="logistic_regression")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write each life")
    options = parser.parse_args()
    seeds = (TUNING_SEEDS if options.tuning else REPORTING_SEEDS)[: options.seeds]
    tables = [each for each in load_tables() if not options.tables or each.name in options.tables]
    with threadpool_limits(1):
        populations = [make_population(table) for table in tables]
    lives = run_all(seeds, populations, options)
    if options.json:
        options.json.write_text(json.dumps([asdict(life) for life in lives]), encoding="utf-8")
    print_tables(Console(width=150), lives)


if __name__ == "__main__":
    main()
