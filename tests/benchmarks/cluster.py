"""What Dask's workers give: one single-thread worker, two, and no cluster, in turn.

    python -m tests.benchmarks.cluster [--rounds 3]

Each round makes the models of a replay anew, in a store of its own, and then trains the candidates
of a problem. The files of the models are compared byte by byte.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from driftline.cleaning import clean
from driftline.dataset import Plan
from driftline.digests import digest_rows
from driftline.history import History, cut_history
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE
from tasks.data.problems import read_problem
from tasks.decorators import without_task_runs
from tasks.models import training
from tasks.reading.sources import read_source
from tasks.replays.renewing import make_models
from tasks.settings import get_settings

ONE, TWO, NONE = "1", "2", ""
NAMES = {ONE: "one worker", TWO: "two workers", NONE: "no cluster"}
WINDOWS, COPIES = 20, 8
PLAN = Plan(folds=5, repeats=3, trials=10, test_size=0.25, seed=0, is_smoke=False)


def main() -> None:
    """Run the rounds and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    seconds: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as name, without_task_runs():
        os.environ["DRIFTLINE_HOME"] = name
        get_settings.cache_clear()
        problem, table = read_rows()
        for number in range(options.rounds):
            stores = {where: Path(name) / f"store-{number}-{where}" for where in NAMES}
            for where, store in stores.items():
                for what, taken in run(where, store, problem, table).items():
                    seconds.setdefault((what, where), []).append(taken)
            insist_on_equality(list(stores.values()))
    show(seconds)


def read_rows() -> tuple[Problem, pd.DataFrame]:
    """The Pima table several times over, cleaned."""
    problem = read_problem("diabetes")
    raw, name, _ = read_source(problem, None)
    table = clean(raw, problem, source=name, with_target=True).table.dropna()
    return problem, pd.concat([table] * COPIES, ignore_index=True)


def run(where: str, store: Path, problem: Problem, table: pd.DataFrame) -> dict[str, float]:
    """Seconds of a replay's models and of the candidates, where heavy parts run there."""
    os.environ |= {"DRIFTLINE_DASK": where, "DRIFTLINE_STORE_URL": str(store)}
    get_settings.cache_clear()
    history: History = cut_history(table, problem, windows=WINDOWS)
    begun = time.perf_counter()
    make_models(history, DEFAULT_RECIPE)
    middle = time.perf_counter()
    dataset = training.split_rows(table, digest_rows(table), problem, PLAN)
    candidates = dict.fromkeys(problem.candidates)
    if where:
        training.train_on_cluster(candidates, problem, dataset, PLAN)
    else:
        for candidate in candidates:
            training.train_candidate(candidate, problem, dataset, PLAN)
    ended = time.perf_counter()
    return {"models of a replay": middle - begun, "candidates of a training": ended - middle}


def insist_on_equality(stores: list[Path]) -> None:
    """End where the stores do not hold the same files."""
    held = [
        {path.name: path.read_bytes() for path in sorted(store.rglob("*.npz"))} for store in stores
    ]
    if len(held[0]) != WINDOWS or any(each != held[0] for each in held):
        message = "the models of a replay differ from place to place"
        raise SystemExit(message)


def show(seconds: dict[tuple[str, str], list[float]]) -> None:
    """Medians, and how many times as fast as one worker."""
    table = Table("what", "where", "median s", "times one worker's speed")
    median = {key: statistics.median(each) for key, each in seconds.items()}
    for (what, where), taken in median.items():
        speed = median[what, ONE] / taken
        table.add_row(what, NAMES[where], f"{taken:.1f}", f"{speed:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
