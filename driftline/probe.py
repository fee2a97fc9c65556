"""The probe: what a model renewed with all that is known would have answered on the newest rows.

Rows are in the order in which their outcomes became known. The newest are cut into blocks, and each
block is answered by a model of the rows before it alone: what neighbours in time have in common,
and what comes later, cannot make the probe look better than a renewed model will be. The champion's
own recipe is fitted, nothing is searched. How much of the past to learn from is chosen by the same
answers.

Source of the scheme: Dawid, Present position and potential developments: the prequential approach,
JRSS-A 147 (1984) 278-292.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from driftline.answers import answers_of
from driftline.design import EVEN, Design
from driftline.losses import LossName, row_losses

Floats = NDArray[np.float64]
Truth = NDArray[Any]  # class indices; of a number the numbers


PASTS: Final = (1, 2, 4, 8)  # learn from all rows, or from the latest half, quarter, eighth of them
BLOCKS: Final = 3
ERRORS: Final = 2.0  # standard errors by which a shorter past must be better
LEAST_ROWS: Final = 40


class Fit(Protocol):
    """Fits a new model on rows, their truth and what is known of how they were sampled."""

    def __call__(self, X: NDArray[np.float32], y: Truth, design: Design = EVEN) -> Any:  # noqa: N803
        """The fitted model."""


@dataclass(frozen=True)
class Probe:
    """Answers on the newest rows, per past that was learnt from, and the past that is chosen.

    `probabilities` maps a past (1 is all rows, 4 the latest quarter) to an array (rows, classes).
    """

    probabilities: Mapping[int, Floats]
    past: int

    @property
    def chosen(self) -> Floats:
        """The answers of the chosen past."""
        return self.probabilities[self.past]


def probe_renewal(
    X: NDArray[np.float32],  # noqa: N803
    y: Truth,
    *,
    newest: int,
    classes: int,
    fit: Fit,
    metric: LossName,
    design: Design = EVEN,
) -> Probe:
    """Answer the last `newest` rows block by block, each by models of the rows before it."""
    answers = {
        past: answer_blocks(X, y, newest=newest, classes=classes, fit=fit, past=past, design=design)
        for past in PASTS
        if past == 1 or len(y) // past >= max(newest, LEAST_ROWS)
    }
    return Probe(answers, choose_past(answers, y[len(y) - newest :], metric))


def answer_blocks(
    X: NDArray[np.float32],  # noqa: N803
    y: Truth,
    *,
    newest: int,
    classes: int,
    fit: Fit,
    past: int,
    design: Design = EVEN,
) -> Floats:
    """Probabilities (newest, classes) of the last rows, by models of a share of the rows before."""
    first = len(y) - newest
    cuts = np.unique(np.linspace(first, len(y), BLOCKS + 1).astype(int))
    out = np.zeros((newest, classes))
    for start, stop in pairwise(cuts):
        begin = start - rows_of_past(start, past, least=newest)
        out[start - first : stop - first] = answer(
            X[begin:start],
            y[begin:start],
            X[start:stop],
            classes=classes,
            fit=fit,
            design=design.part(begin, start),
        )
    return out


def rows_of_past(rows: int, past: int, *, least: int) -> int:
    """How many of so many rows a past takes; never fewer than `least` while there are as many."""
    return min(rows, max(rows // past, least, LEAST_ROWS))


def answer(
    X: NDArray[np.float32],  # noqa: N803
    y: Truth,
    asked: NDArray[np.float32],
    *,
    classes: int,
    fit: Fit,
    design: Design = EVEN,
) -> Floats:
    """Probabilities of the asked rows by a model of the others, over all classes of the problem.

    Where the others hold one class, that class is certain; where there are none, all are as likely.
    A number (`classes` is 1) is answered by a model of however few rows, and by 0 without any.
    """
    if classes == 1:
        return answers_of(fit(X, y, design), asked) if len(y) else np.zeros((len(asked), 1))
    out = np.zeros((len(asked), classes))
    known = np.unique(y)
    if len(known) < 2:  # noqa: PLR2004 - nothing to tell apart
        out[:, known] = 1.0
        return out if len(known) else np.full_like(out, 1 / classes)
    model = fit(X, y, design)
    out[:, np.asarray(model.classes_, dtype=np.int64)] = model.predict_proba(asked)
    return out


def choose_past(answers: Mapping[int, Floats], y: Truth, metric: LossName) -> int:
    """The longest past whose loss is within two standard errors of the best one's.

    Where the relation to the outcome has changed, older rows teach the older relation.
    """
    losses = {past: row_losses(p, y, metric) for past, p in answers.items()}
    best = min(losses.values(), key=lambda each: float(each.mean()))
    for past in sorted(losses):
        behind = losses[past] - best
        error = behind.std(ddof=1) / np.sqrt(len(behind)) if len(behind) > 1 else 0.0
        if behind.mean() <= ERRORS * error:
            return past
    return max(losses)  # unreachable: the best is never behind itself
