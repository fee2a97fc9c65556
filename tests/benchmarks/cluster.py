"""What Dask's workers give: one single-thread worker, two, and no cluster, in turn.

    python -m tests.benchmarks.cluster [--rounds 3] [--rows 1200000] [--only scoring] [--csv]

Each round makes the models of a replay anew, in a store of its own, trains the candidates of a
problem, and scores so many rows out of a Parquet file, or a CSV file, from the file to answers and
log. The files of the models, and those of the scores, are compared byte by byte.

A cluster's start is in the time. What its workers import is not, nor a new log's tables: as in the
flow, that begins before other work, and once for all. Processor seconds are those of this process,
and of all below it.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import psutil
from rich.console import Console
from rich.table import Table

from driftline.cleaning import clean
from driftline.dataset import Plan
from driftline.digests import digest_rows
from driftline.history import History, cut_history
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE
from flows.score import find_rows
from tasks.cluster import begin_imports
from tasks.data.problems import read_problem
from tasks.decorators import without_task_runs
from tasks.log import scoring
from tasks.log.answering import IMPORTED
from tasks.log.records import open_records
from tasks.models import training
from tasks.reading import sources
from tasks.reading.sources import read_source
from tasks.replays.renewing import make_models
from tasks.settings import get_settings
from tests.benchmarks.batches import Contest, prepare

ONE, TWO, NONE = "1", "2", ""
NAMES = {ONE: "one worker", TWO: "two workers", NONE: "no cluster"}
WINDOWS, COPIES = 20, 8
PLAN = Plan(folds=5, repeats=3, trials=10, test_size=0.25, seed=0, is_smoke=False)


def main() -> None:
    """Run the rounds and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_200_000)
    parser.add_argument("--only", choices=("making", "scoring"))
    parser.add_argument("--csv", action="store_true")
    options = parser.parse_args()
    seconds: dict[tuple[str, str], list[Taken]] = {}
    with tempfile.TemporaryDirectory() as name, without_task_runs():
        os.environ["DRIFTLINE_HOME"] = name
        get_settings.cache_clear()
        problem, table = read_rows()
        contest = prepare(Path(name), options.rows, "hist_gradient_boosting", "1")
        if options.csv:
            contest = replace(contest, source=contest.source.with_suffix(".csv"))
            contest.rows.to_csv(contest.source, index=False)
        for number in range(options.rounds):
            stores = {where: Path(name) / f"store-{number}-{where}" for where in NAMES}
            for where, store in stores.items():
                choose(where, store)
                taken = {} if options.only == "scoring" else run(where, problem, table)
                if options.only != "making":
                    taken["scoring"] = score(contest)
                for what, each in taken.items():
                    seconds.setdefault((what, where), []).append(each)
            insist_on_equality(list(stores.values()), made=options.only != "scoring")
    show(seconds)


def read_rows() -> tuple[Problem, pd.DataFrame]:
    """The Pima table several times over, cleaned."""
    problem = read_problem("diabetes")
    raw, name, _ = read_source(problem, None)
    table = clean(raw, problem, source=name, with_target=True).table.dropna()
    return problem, pd.concat([table] * COPIES, ignore_index=True)


def choose(where: str, store: Path) -> None:
    """Have heavy parts run there, and what is made kept in a store and a log of their own."""
    os.environ |= {
        "DRIFTLINE_DASK": where,
        "DRIFTLINE_STORE_URL": str(store),
        "DRIFTLINE_DATABASE_URL": f"sqlite:///{store}.db",
    }
    get_settings.cache_clear()
    begin_imports(IMPORTED)
    open_records()


class Taken(NamedTuple):
    """Seconds on the clock, and of processors: of this process, and of those below it."""

    seconds: float
    here: float
    below: float


@contextmanager
def timed(taken: list[Taken]) -> Iterator[None]:
    """Add what the block took."""
    begun, here, below = time.perf_counter(), time.process_time(), _spent_below()
    yield
    seconds, here = time.perf_counter() - begun, time.process_time() - here
    taken.append(Taken(seconds, here, _spent_below() - below))


def _spent_below() -> float:
    """Processor seconds of the processes below, and of those that have ended below them."""
    return sum(sum(each.cpu_times()[:4]) for each in psutil.Process().children())


def score(contest: Contest) -> Taken:
    """What scoring the contest's file takes, the start of a cluster with it."""
    taken: list[Taken] = []
    with timed(taken):
        _score(contest)
    return taken[0]


def _score(contest: Contest) -> None:
    source = str(contest.source)
    stream = sources.open_source(contest.problem, source, rows=scoring.PIECE_ROWS)
    scorer = scoring.Scorer(
        contest.problem, contest.served, source=source, sha256=stream.sha256, output=None
    )
    answered = sum(
        each for _, each in scoring.score_parts(scorer, find_rows(stream, scorer, Counter()))
    )
    if answered != len(contest.rows):
        message = f"{answered} rows answered of {len(contest.rows)}"
        raise SystemExit(message)


def run(where: str, problem: Problem, table: pd.DataFrame) -> dict[str, Taken]:
    """What a replay's models and the candidates take, where heavy parts run there."""
    history: History = cut_history(table, problem, windows=WINDOWS)
    taken: list[Taken] = []
    with timed(taken):
        make_models(history, DEFAULT_RECIPE)
    with timed(taken):
        dataset = training.split_rows(table, digest_rows(table), problem, PLAN)
        candidates = dict.fromkeys(problem.candidates)
        if where:
            training.train_on_cluster(candidates, problem, dataset, PLAN)
        else:
            for candidate in candidates:
                training.train_candidate(candidate, problem, dataset, PLAN)
    return dict(zip(("models of a replay", "candidates of a training"), taken, strict=True))


def insist_on_equality(stores: list[Path], *, made: bool) -> None:
    """End where the stores do not hold the same files."""
    held = [
        {
            str(path.relative_to(store)): path.read_bytes()
            for kind in ("*.npz", "*.parquet")
            for path in sorted(store.rglob(kind))
        }
        for store in stores
    ]
    models = sum(name.endswith(".npz") for name in held[0])
    if (made and models != WINDOWS) or any(each != held[0] for each in held):
        message = "the models of a replay, or scores, differ from place to place"
        raise SystemExit(message)


def show(seconds: dict[tuple[str, str], list[Taken]]) -> None:
    """Medians, and how many times as fast as one worker."""
    figures = ("median s", "processor s here", "below")
    table = Table("what", "where", *figures, "times one worker's speed")
    median = {
        key: Taken(*map(statistics.median, zip(*each, strict=True)))
        for key, each in seconds.items()
    }
    for (what, where), taken in median.items():
        speed = median[what, ONE].seconds / taken.seconds
        shown = [f"{figure:.1f}" for figure in taken]
        table.add_row(what, NAMES[where], *shown, f"{speed:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
