"""How many rows of each class are found: beside a mean over classes, what each of them gets."""

from dataclasses import dataclass

from driftline.metrics import Scored
from driftline.thresholds import wilson_bounds

CONFIDENCE = 0.975  # one-sided, so that the interval covers 95 %


@dataclass(frozen=True)
class ClassRecall:
    """The share of a class's rows that are found, with Wilson's interval.

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
        rows, hits = int(truth.sum()), int((truth & (scored.predicted == index)).sum())
        low, high = wilson_bounds(hits, rows, CONFIDENCE)
        found.append(ClassRecall(name, rows, hits / max(rows, 1), low, high))
    return found
