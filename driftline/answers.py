"""What a fitted model answers, whatever it predicts: one array shape for all that follows."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftline.design import EVEN, Design

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Fold = tuple[Ints, Ints]
Build = Callable[[Ints], "Pipeline"]  # an unfitted pipeline for the rows at these places


def answers_of(model: Any, X: NDArray[np.float32]) -> Floats:  # noqa: N803
    """Probabilities (rows, classes) of a classifier, numbers (rows, 1) of a regressor."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(X), dtype=np.float64)
    return np.asarray(model.predict(X), dtype=np.float64).reshape(-1, 1)


def cross_answer(
    build: Build,
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[Any],
    splits: Sequence[Sequence[Fold]],
    *,
    width: int,
    design: Design = EVEN,
) -> list[Floats]:
    """Out-of-fold answers (rows, width), one array per repeat.

    Folds run one after the other: threads around small fits were measured to be slower than none.
    """
    results = []
    for repeat in splits:
        out = np.zeros((len(y), width))
        for train, test in repeat:
            model = design.take(train).fit(build(train), X[train], y[train])
            out[test] = answers_of(model, X[test])
        results.append(out)
    return results


def answered_rows(splits: Sequence[Fold]) -> Ints:
    """The places of the rows that any of these folds answers, in order."""
    return np.sort(np.concatenate([test for _, test in splits]))
