"""Draws answers whose shares differ from class to class. Knows no table."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Texts = NDArray[np.str_]


def deal_classes(classes: int, rows: int, rng: np.random.Generator) -> Ints:
    """As many rows of each class as of any other, but for the remainder, in random order."""
    return rng.permutation(np.arange(rows) % classes)


def draw_answers(
    answers: Sequence[str],
    weights: Sequence[Sequence[float]],
    y: Ints,
    rng: np.random.Generator,
) -> Texts:
    """An answer for each row, by the weights (classes, answers) of the row's class."""
    ends = np.cumsum(weights, axis=1)
    at = rng.random(len(y)) * ends[y, -1]
    chosen: Texts = np.asarray(answers)[(at[:, None] >= ends[y]).sum(axis=1)]
    return chosen


def draw_scores(
    means: Sequence[float],
    spread: float,
    bounds: tuple[int, int],
    y: Ints,
    rng: np.random.Generator,
) -> Ints:
    """A whole number for each row around the mean of the row's class, within both bounds."""
    drawn = rng.normal(np.asarray(means)[y], spread).round().clip(*bounds)
    return np.asarray(drawn, dtype=np.int64)


def shuffle_some(answers: Texts, share: float, rng: np.random.Generator) -> Texts:
    """The answers, a share of them exchanged among their rows: what these say means nothing."""
    chosen = np.flatnonzero(rng.random(len(answers)) < share)
    mixed = answers.copy()
    mixed[chosen] = answers[rng.permutation(chosen)]
    return mixed
