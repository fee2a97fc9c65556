"""Answers of two classes, drawn with their truth."""

import numpy as np


def draw(
    rng: np.random.Generator, rows: int, *, flipped: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Answers of two classes and their truth, turned round for a share of the rows."""
    told = two_of(rng.normal(0, 2, rows))
    chance = np.where(rng.random(rows) < flipped, told[:, 0], told[:, 1])
    return told, (rng.random(rows) < chance).astype(np.int64)


def two_of(odds: np.ndarray) -> np.ndarray:
    """Probabilities of two classes."""
    p = 1 / (1 + np.exp(-odds))
    return np.column_stack([1 - p, p])
