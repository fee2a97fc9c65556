"""What a fitted model answers, whatever it predicts: one array shape for all that follows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
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
Each = Callable[[Callable[[Fold], Floats], Sequence[Fold]], Iterable[Floats]]

_EACH_FOLD: ContextVar[Each] = ContextVar("each_fold", default=map)


@contextmanager
def folds_by(each: Each) -> Iterator[None]:
    """Within it folds are answered by `each`, which is like `map`: side by side, for example."""
    token = _EACH_FOLD.set(each)
    try:
        yield
    finally:
        _EACH_FOLD.reset(token)


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

    Folds run one after the other, or see `folds_by`: threads around small fits were measured to be
    slower than none.
    """
    folds = [fold for repeat in splits for fold in repeat]
    answers = iter(_EACH_FOLD.get()(partial(_answer_fold, build, X, y, design), folds))
    results = []
    for repeat in splits:
        out = np.zeros((len(y), width))
        for _, test in repeat:
            out[test] = next(answers)
        results.append(out)
    return results


def _answer_fold(
    build: Build,
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[Any],
    design: Design,
    fold: Fold,
) -> Floats:
    train, test = fold
    model = design.take(train).fit(build(train), X[train], y[train])
    return answers_of(model, X[test])


def answered_rows(splits: Sequence[Fold]) -> Ints:
    """The places of the rows that any of these folds answers, in order."""
    return np.sort(np.concatenate([test for _, test in splits]))
