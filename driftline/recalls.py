"""What the rows of each class are answered: beside a mean over classes, what each of them gets."""

from dataclasses import dataclass

import numpy as np

from driftline.metrics import Scored, base_weights
from driftline.thresholds import count_effective, wilson_bounds

CONFIDENCE = 0.975  # one-sided, so that the interval covers 95 %


@dataclass(frozen=True)
class ClassRecall:
    """The share of a class's rows that are found, by their weights, with Wilson's interval.

    On few rows it stays wide where a bootstrap sees none but found ones and shrinks to a point.
    """

    name: str
    rows: int
    recall: float
    low: float
    high: float


def recall_by_class(scored: Scored, classes: tuple[str, ...]) -> list[ClassRecall]:
    """Each class's recall, in order of class index; of a class without rows nothing is known."""
    found = []
    for index, name in enumerate(classes):
        truth = scored.y == index
        weights, rows = base_weights(scored)[truth], int(truth.sum())
        recall = float(np.average(scored.predicted[truth] == index, weights=weights)) if rows else 0
        worth = count_effective(rows, weights)
        low, high = wilson_bounds(recall * worth, worth, CONFIDENCE)
        found.append(ClassRecall(name, rows, recall, low, high))
    return found


def confusion_by_name(scored: Scored, classes: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """How many rows of each class got each answer, in order of class index."""
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (scored.y, scored.predicted), 1)
    return {
        truth: dict(zip(classes, row, strict=True))
        for truth, row in zip(classes, counts.tolist(), strict=True)
    }


def shares_off_by(scored: Scored, width: int) -> list[float]:
    """The shares of rows, by their weights, whose answer is 0, 1, ... of `width` classes off."""
    off = np.abs(scored.y - scored.predicted)
    counted = np.bincount(off, base_weights(scored), minlength=width)
    return [float(share) for share in counted / counted.sum()]


def tell_unfound(scored: Scored, classes: tuple[str, ...]) -> list[str]:
    """A sentence of each class that has rows and of which none is found: figures hide that."""
    told = []
    for index, name in enumerate(classes):
        rows = int((scored.y == index).sum())
        said = scored.predicted == index
        if rows and not (said & (scored.y == index)).any():
            fault = f"says {name} of others alone" if said.any() else f"never says {name}"
            of = f"of {len(scored.y)} test rows, {rows} of which are {name}"
            told.append(f"it {fault}: {of}, {_unfound(scored, index, name)}; {_ADVICE}")
    return told


_ADVICE = "go by its probabilities rather than by its answers"


def _unfound(scored: Scored, index: int, name: str) -> str:
    if scored.threshold is None or index != scored.positive:
        return f"none that is {name} is answered so"
    return f"none that is {name} reaches the threshold {scored.threshold:.4g}"
