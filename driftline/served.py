"""A registered model as serving sees it: its ONNX file and its contract, never its pickle."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.comparison import Improvement, compare_pairwise
from driftline.contract import Contract
from driftline.dataset import Dataset
from driftline.export import score_onnx
from driftline.matrix import encode_cleaned
from driftline.measured import Measured
from driftline.metrics import compute_metrics, score_rows
from driftline.problem import Comparison
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


def score_served(model: ServedModel, table: pd.DataFrame, y: np.ndarray) -> ScoredRows:
    """A served model's answers on a table's rows, with their truth."""
    contract = model.contract
    names = [field.name for field in contract.fields]
    matrix = encode_cleaned(table[names], contract)
    return score_by(contract, score_onnx(model.onnx, matrix), y)


def score_by(contract: Contract, answers: np.ndarray, y: np.ndarray) -> ScoredRows:
    """A model's answers as its contract settles them, with their truth."""
    if contract.number is not None:
        return Measured(y, contract.number.bound(answers), contract.number)
    positive = contract.positive[0] if contract.threshold is not None else None
    return score_rows(
        answers, y, positive=positive, threshold=contract.threshold, costs=contract.costs
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

    The champion answers through its own contract and its own ONNX file. `challenger` holds the
    scored test rows of `dataset`, in order. Returns the champion's metrics on those rows too.
    """
    rows = unseen_rows(dataset.test_digests, champion.train_digests)
    if not len(rows):
        return Improvement(champion.label, policy.metric or "brier", 0, 0.0, 0.0, 0.0), {}
    own = challenger.take(rows)
    other = score_served(champion, dataset.test_table.iloc[rows], own.y)
    improvement = compare_pairwise(own, other, policy, against=champion.label, seed=seed)
    return improvement, compute_metrics(other)
