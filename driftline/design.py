"""How rows were sampled: which belong together, and for how many people each of them stands.

Weights are those of a survey or a sample: a row counts as often in fitting and in figures as its
weight says. Their scale means nothing, so the average row weighs 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.candidates import Candidate
from driftline.digests import GROUP, WEIGHT
from driftline.errors import DataError, ProblemError
from driftline.groups import groups_of
from driftline.problem import Problem

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """The group and the weight of each row, None where the problem has none."""

    groups: tuple[str, ...] | None = None
    weights: Floats | None = None

    def take(self, rows: NDArray[np.int64]) -> "Design":
        """The same for some of the rows."""
        return Design(
            None if self.groups is None else tuple(self.groups[row] for row in rows),
            None if self.weights is None else self.weights[rows],
        )

    def part(self, start: int, stop: int) -> "Design":
        """The same for the rows from one place to another."""
        return self.take(np.arange(start, stop))

    def followed_by(self, other: "Design") -> "Design":
        """The rows of both, one after the other; where one has no groups or weights, none has."""
        (first, second), (light, heavy) = (
            (self.groups, other.groups),
            (self.weights, other.weights),
        )
        return Design(
            None if first is None or second is None else first + second,
            None if light is None or heavy is None else np.concatenate([light, heavy]),
        )

    def one_a_group(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """Of each group one row of each class that it has; without groups all rows."""
        rows = range(len(y))
        if self.groups is None:
            return np.array(rows)
        return np.array(list({(self.groups[row], y[row]): row for row in rows}.values()))

    def fit(self, pipeline: "Pipeline", X: NDArray[np.float32], y: NDArray[Any]) -> "Pipeline":  # noqa: N803
        """The pipeline fitted, its model with the rows' weights; imputing and scaling need none."""
        name, first = pipeline.steps[0]
        if getattr(first, "strategy", None) != "median" or first.add_indicator or not len(X):
            return self._fit(pipeline, X, y)
        imputer = first.fit(middle_values(X))
        rest = self._fit(pipeline[1:], imputer.transform(X), y)
        return type(pipeline)([(name, imputer), *rest.steps])

    def _fit(self, pipeline: "Pipeline", X: NDArray[np.float32], y: NDArray[Any]) -> "Pipeline":  # noqa: N803
        if self.weights is None:
            return pipeline.fit(X, y)
        return pipeline.fit(X, y, **{f"{pipeline.steps[-1][0]}__sample_weight": self.weights})


EVEN: Final = Design()  # every row is on its own and counts alike


def middle_values(X: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: N803
    """The two middle known values of each column, (2, columns): an imputer learns their median.

    It is the same as of all rows (rows, columns), and scikit-learn's masked median of those takes a
    third of a linear model's whole fit. A column without values is nan.
    """
    values = np.sort(np.ascontiguousarray(X.T), axis=1)  # nan comes last
    known = len(X) - np.isnan(X).sum(axis=0)
    lower, upper = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, len(X) - 1)
    columns = np.arange(X.shape[1])
    return np.stack([values[columns, lower], values[columns, upper]])


def mark_weights(numbers: Sequence[float | None]) -> pd.Series:
    """The weights as the snapshot keeps them, nan where a row has no positive one."""
    weights = np.array([np.nan if n is None else n for n in numbers], dtype=np.float64)
    return pd.Series(np.where(np.isfinite(weights) & (weights > 0), weights, np.nan))


def check_weights(wrong: int, first: int, rows: int, problem: Problem, *, source: str) -> None:
    """`DataError` where rows have no positive weight: how many of all, and the first's position."""
    if wrong:
        message = (
            f"{source}: weight: got {wrong} of {rows} rows without a positive number "
            f"in {problem.weight!r} (row {first + 1} first), wanted one in each; leave those "
            "rows out of the source, or say what they count"
        )
        raise DataError(message)


def weights_of(table: pd.DataFrame, problem: Problem) -> Floats | None:
    """The weight of each row, 1 on average; None where the problem has no weights.

    A labelled prediction, which came without a weight, counts as the average row.
    """
    if problem.weight is None:
        return None
    if WEIGHT not in table:
        message = (
            f"weight: the snapshot does not know its rows' {problem.weight!r}; wanted one of a "
            f"source with that column (python -m flows.ingest {problem.name})"
        )
        raise DataError(message)
    weights = table[WEIGHT].to_numpy(dtype=np.float64)
    known = weights[~np.isnan(weights)]
    return np.where(np.isnan(weights), 1.0, weights / (known.mean() if len(known) else 1.0))


def design_of(table: pd.DataFrame, problem: Problem) -> Design:
    """What a table of known and newly labelled rows says of them, which may be nothing."""
    return Design(
        groups_of(table, problem) if GROUP in table else None,
        weights_of(table, problem) if WEIGHT in table else None,
    )


def check_candidates(candidates: Iterable[Candidate]) -> None:
    """Refuse weights where a candidate's model cannot take them."""
    from sklearn.utils.validation import has_fit_parameter

    deaf = [
        one.name
        for one in candidates
        if not has_fit_parameter(one.build(one.defaults, 0).steps[-1][1], "sample_weight")
    ]
    if deaf:
        message = (
            f"candidates: got {', '.join(deaf)} beside `weight`, wanted models that can be fitted "
            "with weights"
        )
        raise ProblemError(message)
