"""Runs the training rules over a snapshot, and says how it goes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from driftline import bounding, training
from driftline.candidates import Params
from driftline.dataset import Dataset, Plan, draft_contract, split_dataset
from driftline.digests import digest_bytes
from driftline.export import Exported, check_parity, edge_cases, export_onnx
from driftline.importance import measure_use
from driftline.outcome import outcome_of
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE, SEARCHED_AGAIN, Recipe, make_promise
from driftline.renewal import as_dataset, renew
from driftline.served import ServedModel
from driftline.training import Trained
from driftline.typical import find_typical
from driftline.work import Budget, Shape
from tasks.cluster import spread
from tasks.decorators import work
from tasks.models.threads import begin_processes, processes_for, threads_for
from tasks.progress import tell

MOST_PARITY_ROWS = 200_000


@work(name="split rows")
def split_rows(table: pd.DataFrame, digests: list[str], problem: Problem, plan: Plan) -> Dataset:
    """Encode the rows and part them into training and test rows, stratified and seeded."""
    return split_dataset(table, digests, problem, plan)


@dataclass(frozen=True)
class Renewed:
    """The dataset of a training on new labels, and all its rows as the snapshot to keep."""

    dataset: Dataset
    table: pd.DataFrame


@work(name="join labelled rows")
def renew_rows(
    table: pd.DataFrame,
    labelled: pd.DataFrame,
    problem: Problem,
    champion: ServedModel | None,
    plan: Plan,
) -> Renewed | None:
    """The rows with the labelled ones where enough of them are new; else None."""
    if champion is None or plan.is_smoke or not len(labelled):
        return None
    recipe = DEFAULT_RECIPE if champion.promise is None else champion.promise.recipe
    renewal = renew(table, labelled, problem, seen=champion.train_digests, recipe=recipe)
    if renewal is None:
        tell(f"{len(labelled)} labelled rows: too few new ones to train on")
        return None
    tell(
        f"{len(renewal.train)} rows to train on, {renewal.dropped} older ones left out; "
        f"the newest {len(renewal.test)} labelled rows are the test"
    )
    rows = pd.concat([renewal.train, renewal.test], ignore_index=True)
    return Renewed(as_dataset(renewal, problem), rows)


def plan_candidates(
    problem: Problem, champion: ServedModel | None, rows: int, *, may_refit: bool
) -> dict[str, Params | None]:
    """The candidates to compare, and the settings of those that are not searched.

    A renewal keeps the champion's recipe while the rows have not doubled since it was searched: a
    refit costs a fraction of a search, and answers nearly as well.
    """
    recipe = None if champion is None or champion.promise is None else champion.promise.recipe
    if not may_refit or recipe is None or rows >= SEARCHED_AGAIN * recipe.searched_rows:
        return dict.fromkeys(problem.candidates)
    tell(
        f"renewing by the champion's recipe ({recipe.candidate}), searched at "
        f"{recipe.searched_rows} rows"
    )
    baseline: dict[str, Params | None] = {"dummy": None} if "dummy" in problem.candidates else {}
    return baseline | {recipe.candidate: recipe.params}


def expect_fits(problem: Problem, rows: int, plan: Plan) -> None:
    """Have processes ready for the folds of a training on so many rows, if it will take long."""
    shape = Shape(int(rows * (1 - plan.test_size)), len(problem.columns), problem.width)
    budget = Budget(problem.search.work, shape, plan.folds, plan.repeats)
    takes = [bounding.comparing_takes(n, None, problem, budget) for n in problem.candidates]
    begin_processes(shape.rows * shape.columns, seconds=max(takes))


def bound_work(
    candidates: Mapping[str, Params | None], problem: Problem, dataset: Dataset, plan: Plan
) -> tuple[dict[str, Params | None], Plan, tuple[str, ...]]:
    """The candidates and the plan within the problem's budget of work, and what it left out.

    What is refitted by known settings takes what it takes.
    """
    if any(params is not None for params in candidates.values()):
        return dict(candidates), plan, ()
    bounded = bounding.bound_work(
        tuple(candidates), problem, dataset.data, folds=plan.folds, repeats=plan.repeats
    )
    for sentence in bounded.told:
        tell(sentence)
    kept = {name: candidates[name] for name in bounded.names}
    return kept, replace(plan, folds=bounded.folds), bounded.told


def searched_rows(
    candidates: Mapping[str, Params | None], champion: ServedModel | None, rows: int
) -> int:
    """The rows at which the winner's recipe was searched: now, or with the champion's."""
    is_refit = any(params is not None for params in candidates.values())
    if is_refit and champion is not None and champion.promise is not None:
        return champion.promise.recipe.searched_rows
    return rows


@work(name="compare candidate", run_name="compare {name}")
def train_candidate(
    name: str, problem: Problem, dataset: Dataset, plan: Plan, params: Params | None = None
) -> Trained:
    """Search, cross-validate and fit one candidate; with `params` nothing is searched."""
    searched, rows = outcome_of(problem).searched_by, len(dataset.data.y_train)
    part = f" on a part of the {rows} rows" if rows > problem.search.rows else ""
    with _spread_folds(name, params, problem, dataset, plan):
        trained = _train(
            problem,
            dataset,
            plan,
            (name, params),
            on_trial=lambda number, loss: _tell_trial(
                name, number, plan.trials, f"{part}, last {searched} {loss:.4f}"
            ),
        )
    _tell_figures(trained, problem)
    return trained


@work(name="compare candidates on the cluster")
def train_on_cluster(
    candidates: Mapping[str, Params | None], problem: Problem, dataset: Dataset, plan: Plan
) -> list[Trained]:
    """Each candidate as `train_candidate` does, side by side; in the order of the candidates."""
    trained: dict[str, Trained] = {}
    for (name, _), made in spread(_train, (problem, dataset, plan), list(candidates.items())):
        trained[name] = made
        _tell_figures(made, problem)
    return [trained[name] for name in candidates]


def _train(
    problem: Problem,
    dataset: Dataset,
    plan: Plan,
    candidate: tuple[str, Params | None],
    on_trial: Callable[[int, float], None] | None = None,
) -> Trained:
    name, params = candidate
    splits = training.plan_folds(
        problem.target.strata(dataset.data.y_train),
        folds=plan.folds,
        repeats=plan.repeats,
        seed=plan.seed,
        groups=dataset.groups,
    )
    with threads_for(dataset.data.X_train.size):
        return training.train_candidate(
            name,
            problem,
            dataset.data,
            splits=splits,
            trials=plan.trials,
            seed=plan.seed,
            on_trial=on_trial,
            params=params,
        )


def _spread_folds(
    name: str, params: Params | None, problem: Problem, dataset: Dataset, plan: Plan
) -> AbstractContextManager[None]:
    """Within it the folds of this candidate go over several processes where that is quicker."""
    data = dataset.data
    budget = bounding.budget_of(problem, data, folds=plan.folds, repeats=plan.repeats)
    seconds = bounding.comparing_takes(name, params, problem, budget)
    return processes_for(data.X_train.size, seconds=seconds)


def _tell_figures(trained: Trained, problem: Problem) -> None:
    goal = problem.goal.metric
    mean, deviation = trained.cv.mean(goal), trained.cv.std(goal)
    for sentence in trained.bounds:
        tell(sentence)
    tell(f"{trained.name}: cross-validated {goal} {mean:.4f} ± {deviation:.4f}")


def _tell_trial(name: str, number: int, trials: int, how: str) -> None:
    if number + 1 == trials:
        tell(f"{name}: searched {trials} settings{how}")


@work(name="choose and calibrate")
def choose_winner(
    trained: Sequence[Trained], problem: Problem, dataset: Dataset, plan: Plan
) -> Trained:
    """The candidate that wins in cross-validation, calibrated where that helps."""
    winner = training.winner_of(trained, problem)
    splits = training.plan_folds(
        problem.target.strata(dataset.data.y_train),
        folds=plan.folds,
        repeats=plan.repeats,
        seed=plan.seed,
        groups=dataset.groups,
    )
    best = _spread_folds(winner.name, winner.params, problem, dataset, plan)
    with best, threads_for(dataset.data.X_train.size):
        winner = training.calibrate(winner, problem, dataset.data, splits=splits, seed=plan.seed)
    how = "calibrated" if winner.is_calibrated else outcome_of(problem).uncalibrated
    tell(f"{winner.name} wins ({how})")
    return winner


@work(name="refit on all rows")
def renew_winner(winner: Trained, problem: Problem, dataset: Dataset, plan: Plan) -> Trained:
    """The winner refitted on the newest rows too, and tested on them by what had not seen them."""
    newest = len(dataset.data.y_test)
    tell(f"{winner.name}: answering the newest {newest} rows by models of the rows before them")
    recipe = _recipe_of(winner, problem, seed=plan.seed)
    with threads_for(dataset.data.X_train.size):
        return training.renew(winner, problem, dataset.data, recipe, seed=plan.seed)


def _recipe_of(winner: Trained, problem: Problem, *, seed: int) -> Recipe:
    return Recipe(
        winner.name, winner.params, winner.is_calibrated, seed, predicts=problem.target.kind
    )


@work(name="export to ONNX and prove parity")
def export_model(
    winner: Trained,
    problem: Problem,
    dataset: Dataset,
    snapshot: str,
    *,
    searched_rows: int,
    seed: int,
) -> Exported:
    """The model as ONNX with its contract, compared on every row, and with what it promises."""
    data = dataset.data
    onnx = export_onnx(winner.model, data.X_train.shape[1])
    draft = draft_contract(problem, snapshot=snapshot)
    contract = replace(
        outcome_of(problem).seal(draft, winner.rule),
        onnx_sha256=digest_bytes(onnx),
        metrics=tuple(sorted(winner.flat_metrics().items())),
        intervals=tuple((name, *bounds) for name, bounds in sorted(winner.intervals.items())),
        typical=find_typical(data.X_train, draft),
    )
    rows = np.vstack([data.X_train, data.X_test])[:MOST_PARITY_ROWS]
    rows = np.vstack([rows, edge_cases(winner.model, data.X_train, contract)])
    tell(f"{winner.name}: comparing it with its export on {len(rows)} rows")
    answers = training.out_of_fold(winner, data, is_renewed=dataset.is_renewed)
    recipe = replace(_recipe_of(winner, problem, seed=seed), searched_rows=searched_rows)
    use = measure_use(winner.model, data.X_test, data.y_test, contract, seed=seed)
    return Exported(
        onnx=onnx,
        contract=contract,
        parity=check_parity(winner.model, onnx, rows, contract),
        promise=make_promise(answers, metric=problem.drift.loss, recipe=recipe, use=use),
        out_of_fold=answers,
    )
