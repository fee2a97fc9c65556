"""Runs the training rules over a snapshot, and says how it goes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from driftline import training
from driftline.dataset import Dataset, Plan, draft_contract, split_dataset
from driftline.digests import digest_bytes
from driftline.export import Exported, check_parity, edge_cases, export_onnx
from driftline.problem import Problem
from driftline.renewal import as_dataset, renew
from driftline.served import ServedModel
from driftline.training import Trained
from tasks.decorators import work
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
    renewal = renew(table, labelled, problem, seen=champion.train_digests, seed=plan.seed)
    if renewal is None:
        tell(f"{len(labelled)} labelled rows: too few new ones to train on")
        return None
    tell(
        f"{len(renewal.train)} rows to train on, {renewal.dropped} older ones left out; "
        f"the newest {len(renewal.test)} labelled rows are the test"
    )
    rows = pd.concat([renewal.train, renewal.test], ignore_index=True)
    return Renewed(as_dataset(renewal, problem), rows)


@work(name="compare candidate", run_name="compare {name}")
def train_candidate(name: str, problem: Problem, dataset: Dataset, plan: Plan) -> Trained:
    """Search, cross-validate and fit one candidate."""
    splits = training.plan_folds(
        dataset.data.y_train, folds=plan.folds, repeats=plan.repeats, seed=plan.seed
    )
    trained = training.train_candidate(
        name,
        problem,
        dataset.data,
        splits=splits,
        trials=plan.trials,
        seed=plan.seed,
        on_trial=lambda number, loss: _tell_trial(name, number, plan.trials, loss),
    )
    goal = problem.goal.maximise
    tell(f"{name}: cross-validated {goal} {trained.cv.mean(goal):.4f} ± {trained.cv.std(goal):.4f}")
    return trained


def _tell_trial(name: str, number: int, trials: int, loss: float) -> None:
    if number + 1 == trials:
        tell(f"{name}: searched {trials} settings, last log loss {loss:.4f}")


@work(name="choose and calibrate")
def choose_winner(
    trained: Sequence[Trained], problem: Problem, dataset: Dataset, plan: Plan
) -> Trained:
    """The candidate that wins in cross-validation, calibrated where that helps."""
    winner = training.winner_of(trained, problem)
    splits = training.plan_folds(
        dataset.data.y_train, folds=plan.folds, repeats=plan.repeats, seed=plan.seed
    )
    winner = training.calibrate(winner, problem, dataset.data, splits=splits, seed=plan.seed)
    how = "calibrated" if winner.is_calibrated else "as fitted; calibration does not help"
    tell(f"{winner.name} wins ({how})")
    return winner


@work(name="export to ONNX and prove parity")
def export_model(winner: Trained, problem: Problem, dataset: Dataset, snapshot: str) -> Exported:
    """The model as ONNX with its contract, compared on every row and on edge cases."""
    data = dataset.data
    onnx = export_onnx(winner.model, data.X_train.shape[1])
    contract = replace(
        draft_contract(problem, snapshot=snapshot),
        threshold=winner.threshold,
        onnx_sha256=digest_bytes(onnx),
        metrics=tuple(sorted(winner.flat_metrics().items())),
    )
    rows = np.vstack([data.X_train, data.X_test])[:MOST_PARITY_ROWS]
    rows = np.vstack([rows, edge_cases(winner.model, data.X_train, contract)])
    return Exported(
        onnx=onnx, contract=contract, parity=check_parity(winner.model, onnx, rows, contract)
    )
