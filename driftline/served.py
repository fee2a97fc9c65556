"""A registered model as serving sees it: its ONNX file and its contract, never its pickle."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.comparison import Improvement, compare_pairwise
from driftline.contract import Contract
from driftline.dataset import Dataset, encode_by
from driftline.export import score_onnx
from driftline.fields import InvalidRecordError
from driftline.matrix import as_sent, encode_cleaned
from driftline.measured import Measured
from driftline.metrics import compute_metrics, score_rows
from driftline.problem import Comparison, Problem, Target
from driftline.promise import OutOfFold, Promise
from driftline.scored import ScoredRows
from driftline.splitting import unseen_rows


@dataclass(frozen=True)
class ServedModel:
    """A registered model as serving sees it, and the digests of the rows it was trained on."""

    version: str
    onnx: bytes
    contract: Contract
    train_digests: frozenset[str]
    promise: Promise | None = None  # models of earlier versions made none
    out_of_fold: OutOfFold | None = None

    @property
    def label(self) -> str:
        """How reasons speak of it."""
        return f"champion v{self.version}"


def find_difference(model: ServedModel, problem: Problem) -> str | None:
    """What the problem file asks for now that the model was not made for; None where it fits.

    Ranges and categories may differ: of the rows it takes the model can still be asked.
    """
    contract = model.contract
    kinds = {name: spec.kind for name, spec in problem.columns.items()}
    other = [each.name for each in contract.fields if kinds.get(each.name) != each.kind]
    if other:
        return f"column {', '.join(map(repr, other))} is gone or of another kind"
    wanted = tuple(problem.target.classes) if isinstance(problem.target, Target) else ()
    return None if contract.classes == wanted else "the target has other classes"


def score_served(
    model: ServedModel, table: pd.DataFrame, y: np.ndarray, weights: np.ndarray | None = None
) -> ScoredRows:
    """A served model's answers on a table's rows, with their truth."""
    matrix = encode_by(model.contract, table)
    return score_by(model.contract, score_onnx(model.onnx, matrix), y, weights)


def takes_rows(model: ServedModel, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows of a table the model's own contract takes."""
    untaken = find_untaken(model.contract, as_sent(table, model.contract))
    return ~table.index.isin(list(untaken))


def untaken_rows(table: pd.DataFrame, contract: Contract) -> dict[int, tuple[str, ...]]:
    """The same as `find_untaken` of cleaned rows, and quick where all are taken.

    A table that lacks a field of the contract has none: it fits no model of this contract.
    """
    if not {field.name for field in contract.fields} <= set(table.columns):
        return {}
    try:
        encode_cleaned(table, contract)
    except InvalidRecordError:
        return find_untaken(contract, as_sent(table, contract))
    return {}


def find_untaken(contract: Contract, sent: pd.DataFrame) -> dict[int, tuple[str, ...]]:
    """Rows, by their index, that a contract refuses, and why, where its problem allows them by now.

    `sent` has the contract's fields as requests have them.
    """
    names = [field.name for field in contract.fields]
    filled = sent[names].astype("object").where(sent[names].notna(), None)
    untaken: dict[int, tuple[str, ...]] = {}
    for row, record in zip(sent.index, filled.to_dict(orient="records"), strict=True):
        try:
            contract.encode(record)  # type: ignore[arg-type] # names are strings
        except InvalidRecordError as error:
            untaken[int(row)] = tuple(f"{field}: {why}" for field, why in error.fields)
    return untaken


def score_by(
    contract: Contract, answers: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
) -> ScoredRows:
    """A model's answers as its contract settles them, with their truth."""
    if contract.number is not None:
        return Measured(y, contract.number.bound(answers), contract.number, weights)
    positive = contract.positive[0] if contract.threshold is not None else None
    return score_rows(
        answers,
        y,
        positive=positive,
        threshold=contract.threshold,
        costs=contract.costs,
        weights=weights,
    )


def compare_unseen(
    challenger: ScoredRows,
    dataset: Dataset,
    champion: ServedModel,
    policy: Comparison,
    *,
    seed: int,
) -> tuple[Improvement, dict[str, float]]:
    """Compare pairwise on the test rows that the champion was not trained on either.

    The champion answers through its own contract and its own ONNX file; rows that it would refuse
    do not count. `challenger` holds the
    scored test rows of `dataset`, in order. Returns the champion's metrics on those rows too.
    """
    rows = unseen_rows(dataset.test_digests, champion.train_digests)
    rows = rows[takes_rows(champion, dataset.test_table.iloc[rows])]
    if not len(rows):
        return Improvement(champion.label, policy.metric or "brier", 0, 0.0, 0.0, 0.0), {}
    own = challenger.take(rows)
    other = score_served(champion, dataset.test_table.iloc[rows], own.y, own.weights)
    improvement = compare_pairwise(own, other, policy, against=champion.label, seed=seed)
    return improvement, compute_metrics(other)
