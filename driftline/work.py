"""What fitting a candidate takes, told by a formula, so that a search ends and runs stay alike.

Work is in seconds of an ordinary core as fits of many shapes were measured to take, within a factor
of two or so. It follows from the shape of a table and the settings alone, never from a clock: the
same rows are searched, compared and left out in the same way on every machine.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import log2
from typing import Any, Final

Params = Mapping[str, Any]

LOOK: Final = 4.5e-8  # at a cell, sorted at each level of a tree
BIN: Final = 1.5e-8  # a cell into a histogram
SPLIT: Final = 2e-6  # the best split of a histogram
TREE: Final = 5e-4  # begun and ended, whatever its size
PASS: Final = 1e-7  # the passes of a linear model over a cell, per class
FEWER_FOLDS: Final = (5, 3)
SHARE: Final = 0.5  # of the budget is for the search, the rest for the comparison


@dataclass(frozen=True)
class Shape:
    """Rows, columns and classes (1 of a number) of what a model is fitted on."""

    rows: int
    columns: int
    classes: int


Work = Callable[[Params, Shape], float]


def no_work(params: Params, shape: Shape) -> float:
    """None worth counting."""
    del params, shape
    return 0.0


def linear_work(params: Params, shape: Shape) -> float:
    """Of the usual passes over all cells, for each class, as many as they need to settle."""
    del params
    return PASS * shape.rows * shape.columns * _outputs(shape)


def tree_work(params: Params, shape: Shape) -> float:
    """Of one tree that looks at every column at each level."""
    return _grow(shape, shape.columns, params["max_depth"])


def forest_work(params: Params, shape: Shape) -> float:
    """Of trees that look at a part of the columns at each level."""
    part = params["max_features"]
    looked_at = shape.columns**0.5 if part == "sqrt" else part * shape.columns
    one = TREE + _grow(shape, max(1.0, looked_at), params["max_depth"])
    return float(params["n_estimators"] * one)


def _grow(shape: Shape, columns: float, depth: int) -> float:
    levels = min(depth, log2(max(shape.rows, 2)))
    return LOOK * shape.rows * columns * levels * (1 + shape.classes / 60)


def boosting_work(trees: str, leaves: str) -> Work:
    """Of a library's boosted trees, one for each class and step; by its names for both."""
    return partial(_boost, trees, leaves)


def _boost(trees: str, leaves: str, params: Params, shape: Shape) -> float:
    most = 2 ** params[leaves] if leaves == "max_depth" else params[leaves]
    split = SPLIT * min(most, shape.rows) * shape.columns
    one = TREE + split + BIN * shape.rows * shape.columns
    return float(params[trees] * _outputs(shape) * one)


def _outputs(shape: Shape) -> int:
    return 1 if shape.classes <= 2 else shape.classes  # noqa: PLR2004 - of two one tells the other


@dataclass(frozen=True)
class Budget:
    """What a candidate may take: `work` in all, for its search and `fits` of the comparison.

    `shape` is that of all training rows.
    """

    work: float
    shape: Shape
    folds: int
    repeats: int

    def compare(self, work: Work, params: Params) -> float:
        """What comparing these settings takes."""
        rows = self.shape.rows * (self.folds - 1) // self.folds
        return self.folds * self.repeats * work(params, replace(self.shape, rows=rows))

    def may_compare(self, work: Work, params: Params) -> bool:
        """Whether these settings can be compared within the budget."""
        return self.compare(work, params) <= (1 - SHARE) * self.work

    def may_search(self, spent: float, more: float) -> bool:
        """Whether a search that has spent so much may go on to a trial that takes so much more."""
        return spent + more <= SHARE * self.work


@dataclass(frozen=True)
class Kind:
    """A kind of model by what its defaults take."""

    name: str
    work: Work
    defaults: Params


def fit_in(kinds: Iterable[Kind], budget: Budget) -> tuple[Budget, list[str]]:
    """The budget with as many folds as let the most kinds take part, and who has to stay out.

    The kind that takes the least always takes part.
    """
    kinds = sorted((kind for kind in kinds if kind.work is not no_work), key=_cost(budget))
    best: tuple[Budget, list[str]] | None = None
    for folds in (budget.folds, *(fewer for fewer in FEWER_FOLDS if fewer < budget.folds)):
        tried = replace(budget, folds=folds)
        out = [k.name for k in kinds[1:] if not tried.may_compare(k.work, k.defaults)]
        if best is None or len(out) < len(best[1]):
            best = tried, out
    assert best is not None  # noqa: S101 - the folds that were asked for are always tried
    return best


def _cost(budget: Budget) -> Callable[[Kind], float]:
    return lambda kind: budget.compare(kind.work, kind.defaults)
