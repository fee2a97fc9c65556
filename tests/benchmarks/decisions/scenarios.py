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

from driftline.replay import Replay
from tests.benchmarks.decisions.champions import (
    Champion,
    is_visible,
    measure_harm,
    train_champion,
)
from tests.benchmarks.decisions.changes import LABELLED, UNLABELLED, Scenario
from tests.benchmarks.decisions.curve import curve_table
from tests.benchmarks.decisions.lives import (
    Models,
    Stream,
    best_test,
    draw_history,
    live_labelled,
    live_unlabelled,
    probe_window,
    watch_levels,
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
BEFORE_UNLABELLED = 1
AFTER_HARMLESS = 5
TURNS = (50, 200, 2_000, 50, 200, 20_000)
LEAST_ROWS = {50: 0, 200: 0, 2_000: 1_000, 20_000: 15_000}  # of a table, to draw such windows from
MOST_ELEMENTS = 30  # of an encoded row at 20,000 rows a window: wider ones take minutes to fit
UNLABELLED_SIZES = (50, 200, 2_000)
UNLABELLED_A_SEED = 2
NAMES = tuple(scenario.title for scenario in (*LABELLED, *UNLABELLED))


@dataclass(frozen=True)
class Turn:
    """One scenario on one table, at one size."""

    scenario: Scenario
    population: Population
    size: int


def plan_turns(
    seed: int, populations: Sequence[Population], sizes: Sequence[int]
) -> Iterator[Turn]:
    """The turns of a seed: over the seeds each scenario meets each table at each size.

    Six of a scenario's seeds in a row meet windows of 50, 200, 2,000, 50, 200 and 20,000 rows.
    """
    for place, scenario in enumerate(LABELLED):
        size = TURNS[(seed + place) % len(TURNS)]
        population = populations[(seed + seed // len(TURNS) + place) % len(populations)]
        if size in sizes and _can_be_drawn(population, size):
            yield Turn(scenario, population, size)
    for number in range(UNLABELLED_A_SEED):
        turn = UNLABELLED_A_SEED * seed + number
        size = UNLABELLED_SIZES[turn % len(UNLABELLED_SIZES)]
        if size in sizes:
            scenario = UNLABELLED[turn % len(UNLABELLED)]
            yield Turn(scenario, populations[turn % len(populations)], size)


def _can_be_drawn(population: Population, size: int) -> bool:
    is_quick = size < 20_000 or population.people.X.shape[1] <= MOST_ELEMENTS
    return is_quick and population.rows >= LEAST_ROWS[size]


def run_seed(
    seed: int,
    populations: Sequence[Population],
    sizes: Sequence[int],
    scenarios: Sequence[str] = NAMES,
) -> list[Life]:
    """All lives of a seed under these scenarios; each table's champion is trained once.

    A life is the same whatever else is lived.
    """
    champions: dict[str, Champion] = {}
    lives = []
    with threadpool_limits(1):
        for number, turn in enumerate(plan_turns(seed, populations, sizes)):
            if turn.scenario.title not in scenarios:
                continue
            name = turn.population.name
            if name not in champions:
                rng = np.random.default_rng([seed, *name.encode()])
                champions[name] = train_champion(turn.population, rng)
            rng = np.random.default_rng([seed, number])
            lives.append(live_turn(champions[name], turn, seed, rng))
    return lives


def live_turn(champion: Champion, turn: Turn, seed: int, rng: np.random.Generator) -> Life:
    """Measure what a change does, then live through it."""
    scenario = turn.scenario
    draw = scenario.make(turn.population, champion.keys, rng)
    strengths = strengths_of(scenario)
    harms = {0.0: champion.unchanged}
    if not scenario.is_broken:  # what is broken is never to be learnt from, whatever it does
        harms |= {s: measure_harm(champion, draw, s, rng) for s in set(strengths) - {0.0}}
    felt = tuple(harms.get(strength, 0.0) for strength in strengths)
    is_harmful = max(felt) >= POLICY.harm
    life = Life(
        seed=seed,
        table=turn.population.name,
        size=turn.size,
        scenario=scenario.name,
        is_labelled=scenario.is_labelled,
        is_broken=scenario.is_broken,
        delay=scenario.delay,
        within=scenario.within,
        harms=felt,
        is_visible=is_harmful and is_visible(draw, rng),
    )
    if is_harmful and scenario.is_labelled:
        kept = life.came - 1 + life.within
        life = replace(life, harms=felt[:kept])
    stream = Stream(champion, scenario, draw, turn.size, strengths[: len(life.harms)])
    return live(life, stream, rng)


def live(life: Life, stream: Stream, rng: np.random.Generator) -> Life:
    """The life with its verdicts, and with how sure the best test is of its harm."""
    history = draw_history(stream, rng)
    if not life.is_labelled:
        return replace(life, verdicts=live_unlabelled(stream, history))
    models = Models(history, stream.champion, probe_window)
    verdicts, saved = live_labelled(stream, history, models, rng)
    levels = watch_levels(stream, Replay(history, models, stream.scenario.delay))
    life = replace(life, verdicts=verdicts, saved=saved, levels=levels)
    if life.kind != "harmful":
        return life
    first = life.came - life.delay
    sureness = best_test(stream, history, range(first, first + life.within), rng)
    return replace(life, sureness=sureness)


def strengths_of(scenario: Scenario) -> tuple[float, ...]:
    """The strength of the change in each window: none before it begins."""
    before = BEFORE if scenario.is_labelled else BEFORE_UNLABELLED
    after = scenario.within if not scenario.is_labelled else AFTER_HARMLESS + scenario.delay
    after += scenario.within if 0 < scenario.strength(1) < 1 else 0  # it takes its time
    return (0.0,) * before + tuple(scenario.strength(window) for window in range(1, after + 1))


def run_all(
    seeds: Sequence[int], populations: Sequence[Population], options: argparse.Namespace
) -> list[Life]:
    """All seeds, told as they are done."""
    run = delayed(run_seed)
    work = Parallel(n_jobs=options.jobs, return_as="generator_unordered")(
        run(seed, populations, options.sizes, options.scenarios) for seed in seeds
    )
    lives: list[Life] = []
    begun = time.perf_counter()
    for done, some in enumerate(work, start=1):
        lives += some
        if options.json:
            options.json.write_text(json.dumps([asdict(life) for life in lives]), encoding="utf-8")
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
    parser.add_argument("--scenarios", nargs="*", choices=NAMES, default=NAMES, metavar="NAME")
    parser.add_argument("--skip", type=int, default=0, help="seeds to leave out first")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write each life")
    options = parser.parse_args()
    seeds = (TUNING_SEEDS if options.tuning else REPORTING_SEEDS)[options.skip :][: options.seeds]
    with threadpool_limits(1):
        populations = [make_population(table) for table in load_tables(options.tables)]
    lives = run_all(seeds, populations, options)
    console = Console(width=150)
    print_tables(console, lives)
    console.print(curve_table(lives))


if __name__ == "__main__":
    main()
