"""How each column of the reference hangs together with the rest of its row.

Each column is predicted from all others by ridge regression on normal scores and level indicators
(a Gaussian copula's conditional mean). Rows are counted by prediction and value: the odds ratios of
that table stay what they are however the people change along single columns, as a change of that
kind weighs lines and columns of the table only; a column that no longer belongs to its rows loses
them.
Sources: Liu, Lafferty and Wasserman, Journal of Machine Learning Research 10 (2009) 2295-2328
(normal scores); Bishop, Fienberg and Holland, Discrete Multivariate Analysis (1975), chapter 3
(odds ratios are free of the margins).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import rel_entr

from driftline.marginals import CategoryColumn, Codes, Column, Floats, NumberColumn, model_column
from driftline.tilts import MOST_MOVED

FOLDS: Final = 5
RIDGE: Final = 1e-3
NEARLY_0: Final = 1e-6
LEAST_LEVEL: Final = 0.02
MOST_LEVELS: Final = 8
TRIFLE: Final = 0.1  # deviations by which a whole column may move for no matter what reason
LEAST_EXPLAINED: Final = 0.3
MOST_CLASSES: Final = 12
ROWS_A_CELL: Final = 8.0
INDEPENDENT: Final = 0.02
LEAST_CELL: Final = 0.05
LEAST_INFORMATION: Final = 0.04  # nats per row; less is no relation to speak of


@dataclass(frozen=True)
class Relation:
    """A column's table: rows by predicted class (lines) and by the class of its value (columns).

    `classes` gives the class of each code of the column, -1 for missing and foreign ones.
    """

    weights: Floats
    edges: Floats
    classes: Codes
    table: Floats
    residual: NumberColumn | None
    most_moved: float

    def count(self, predicted: Floats, codes: Codes) -> Floats:
        """Rows per class of the prediction and class of the value."""
        return tabulate(np.searchsorted(self.edges, predicted), codes, self)


def tabulate(lines: Codes, codes: Codes, relation: Relation) -> Floats:
    """The table of a window whose predictions are classed."""
    shape = relation.table.shape
    classes = relation.classes[codes]
    known = classes >= 0
    flat = np.bincount(lines[known] * shape[1] + classes[known], minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float64)


@dataclass(frozen=True)
class Features:
    """Where each column stands among the features, and the features' reference means."""

    blocks: tuple[slice, ...]
    levels: tuple[Codes, ...]
    means: Floats

    def build(
        self, columns: Sequence[Column], read: Sequence[Floats | pd.Series], codes: Sequence[Codes]
    ) -> Floats:
        """Rows of centred features."""
        made = np.zeros((len(codes[0]), len(self.means)))
        for column, values, code, block, levels in zip(
            columns, read, codes, self.blocks, self.levels, strict=True
        ):
            at = block.start
            if isinstance(column, NumberColumn):
                made[:, at] = column.score(values)
                at += 1
            for offset, level in enumerate(levels):
                made[:, at + offset] = code == level
        made -= self.means
        return made

    def scores_of(self, place: int, column: Column, rows: Floats, codes: Codes) -> Floats:
        """A number's centred scores, NaN where it is missing; NaN for categories."""
        if isinstance(column, CategoryColumn):
            return np.full(len(rows), np.nan)
        missing = codes == len(column.counts) - 1
        return np.where(missing, np.nan, rows[:, self.blocks[place].start])


def plan_features(columns: Sequence[Column]) -> Features:
    """Normal scores of numbers, indicators of levels and of missing values that are no rarity."""
    blocks, chosen, start = [], [], 0
    for column in columns:
        shares = column.counts / max(column.counts.sum(), 1)
        is_common = (shares >= LEAST_LEVEL) & (shares <= 1 - LEAST_LEVEL)
        levels = np.flatnonzero(is_common)
        if isinstance(column, NumberColumn):
            levels = levels[levels == len(shares) - 1]
        else:
            is_spare = len(levels) > 1 and shares[levels].sum() > 1 - LEAST_LEVEL
            levels = levels[int(is_spare) :][:MOST_LEVELS]
        width = len(levels) + int(isinstance(column, NumberColumn))
        blocks.append(slice(start, start + width))
        chosen.append(levels)
        start += width
    return Features(tuple(blocks), tuple(chosen), np.zeros(start))


def fit_relations(
    columns: Sequence[Column],
    features: Features,
    rows: Floats,
    codes: Sequence[Codes],
    rng: np.random.Generator,
) -> tuple[Relation | None, ...]:
    """Each column's relation to the others, by predictions of rows that were not fitted on."""
    fold = rng.permutation(len(rows)) % FOLDS
    whole = rows.T @ rows
    parts = [rows[fold == k].T @ rows[fold == k] for k in range(FOLDS)]
    inverse = _invert(whole, len(rows))
    directions = [
        _direction(whole, inverse, block, c)
        for block, c in zip(features.blocks, columns, strict=True)
    ]
    weights = _weights(inverse, features.blocks, directions)
    predicted = np.zeros((len(rows), len(columns)))
    for k in range(FOLDS):
        held = fold == k
        inner = _invert(whole - parts[k], int((~held).sum()))
        predicted[held] = rows[held] @ _weights(inner, features.blocks, directions)
    return tuple(
        None
        if directions[j] is None
        else _relate(
            columns[j],
            weights[:, j],
            predicted[:, j],
            codes[j],
            features.scores_of(j, columns[j], rows, codes[j]),
        )
        for j in range(len(columns))
    )


def _invert(products: Floats, count: int) -> Floats:
    size = len(products)
    ridge = RIDGE + 0.02 * size / max(count, 1)
    made = np.linalg.inv(products / max(count, 1) + ridge * np.eye(size))
    return np.asarray(made, dtype=np.float64)


def _regress(inverse: Floats, block: slice) -> Floats:
    """Ridge coefficients of a block on all other features; zero on itself."""
    made = -inverse[:, block] @ np.linalg.inv(inverse[block, block])
    made[block] = 0.0
    return np.asarray(made)


def _direction(products: Floats, inverse: Floats, block: slice, column: Column) -> Floats | None:
    """What of a block is predicted: a number's score, or the levels' leading canonical variate."""
    width = block.stop - block.start
    if width == 0 or column.is_constant:
        return None
    if isinstance(column, NumberColumn):
        return np.asarray(np.eye(width)[0], dtype=np.float64)
    slopes = _regress(inverse, block)
    own = products[block, block] + NEARLY_0 * np.trace(products) * np.eye(width)
    values, vectors = np.linalg.eig(np.linalg.solve(own, slopes.T @ products @ slopes))
    leading = vectors[:, int(np.argmax(np.real(values)))]
    return np.asarray(np.real(leading), dtype=np.float64)


def _weights(
    inverse: Floats, blocks: Sequence[slice], directions: Sequence[Floats | None]
) -> Floats:
    made = np.zeros((len(inverse), len(blocks)))
    for j, (block, direction) in enumerate(zip(blocks, directions, strict=True)):
        if direction is not None:
            made[:, j] = _regress(inverse, block) @ direction
    return made


def _relate(
    column: Column, weights: Floats, predicted: Floats, codes: Codes, scores: Floats
) -> Relation | None:
    usable = int(column.counts[:-1].sum())
    size = int(np.clip(np.sqrt(usable / ROWS_A_CELL), 3, MOST_CLASSES))
    classes = _classes(column, size)
    known = classes[codes] >= 0
    if classes.max() < 1 or known.sum() < ROWS_A_CELL:
        return None
    edges = np.unique(np.quantile(predicted[known], np.arange(1, size) / size))
    shape = np.zeros((len(edges) + 1, classes.max() + 1))
    blank = Relation(weights, edges, classes, shape, None, 0.0)
    table = tabulate(np.searchsorted(edges, predicted), codes, blank)
    if measure_information(table) < LEAST_INFORMATION + table.size / (2 * table.sum()):
        return None
    residual, unexplained = _model_residual(column, scores, predicted)
    return Relation(weights, edges, classes, table, residual, MOST_MOVED * unexplained + 0.1)


def soften(table: Floats) -> Floats:
    """A reference table without empty cells, a small share of it taken to be broken already."""
    total = table.sum()
    alone = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    return np.asarray((1 - INDEPENDENT) * table + INDEPENDENT * alone + LEAST_CELL)


def forgive(residual: Floats) -> Floats:
    """Residuals without what is a trifle: a whole column may move by a little."""
    return np.asarray(np.sign(residual) * np.maximum(np.abs(residual) - TRIFLE, 0.0))


def measure_information(table: Floats) -> float:
    """Mutual information of a table's lines and columns in nats per row.

    Source: Cover and Thomas, Elements of Information Theory (2006), section 2.3.
    """
    p = table / table.sum()
    alone = np.outer(p.sum(axis=1), p.sum(axis=0))
    return float(rel_entr(p, alone).sum())


def _model_residual(
    column: Column, scores: Floats, predicted: Floats
) -> tuple[NumberColumn | None, float]:
    """What a number's score differs by from its prediction, and its deviation as a share."""
    if isinstance(column, CategoryColumn):
        return None, 1.0
    known = ~np.isnan(scores)
    left, own = float(np.std((scores - predicted)[known])), float(np.std(scores[known]))
    unexplained = left / max(own, NEARLY_0)
    if unexplained > np.sqrt(1 - LEAST_EXPLAINED):
        return None, 1.0
    values = pd.Series(forgive((scores - predicted)[known]))
    model = model_column(column.name, values, is_category=False)
    return (model, unexplained) if isinstance(model, NumberColumn) else (None, 1.0)


def _classes(column: Column, size: int) -> Codes:
    """Few classes of a column's codes, none of them rare; missing values belong to none."""
    counts = column.counts[:-1]
    classes = np.full(len(column.counts), -1, dtype=np.int64)
    if isinstance(column, CategoryColumn):
        common = np.flatnonzero(counts >= LEAST_LEVEL * counts.sum())[: size + 3]
        classes[: len(counts) - 1] = len(common)
        classes[common] = np.arange(len(common))
    else:
        inner = counts.copy()
        middle = (np.cumsum(inner) - inner / 2) / max(inner.sum(), 1)
        classes[: len(counts)] = np.minimum((middle * size).astype(int), size - 1)
    used = np.unique(classes[np.flatnonzero(column.counts)])
    used = used[used >= 0]
    places = np.full(len(column.counts) + size + 4, -1, dtype=np.int64)
    places[used] = np.arange(len(used))
    return np.where(classes >= 0, places[classes], -1)
