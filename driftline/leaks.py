"""Columns that tell the target nearly perfectly: most likely they are known only afterwards."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from driftline.cleaning import cells_of
from driftline.inference import Guess
from driftline.spelling import is_marker, read_number, spell, tidy
from driftline.target_guesses import AnyTargetGuess

LEAKING_RATIO = 0.995  # area under the curve, or rank correlation, of one column alone
TELLING_RATIO = 0.97  # from which on it stays, and is told
SAMPLE_ROWS = 20_000
LEAST_PAIRS = 30


def suspect_leak(guess: Guess, rows: pd.DataFrame, place: int, target: AnyTargetGuess) -> Guess:
    """A column that alone tells the target nearly perfectly is left out, and told.

    One that tells it very well may be no leak: it stays, and is told.
    """
    if guess.role != "input":
        return guess
    names = [tidy(str(name)) for name in rows.columns]
    sample = rows if len(rows) <= SAMPLE_ROWS else rows.sample(SAMPLE_ROWS, random_state=0)
    measure, shown = (follow, "rank correlation") if target.is_number else (tell_apart, "AUC")
    score = measure(
        cells_of(sample.iloc[:, names.index(guess.name)]), cells_of(sample.iloc[:, place])
    )
    if score < TELLING_RATIO:
        return guess
    is_leak = score >= LEAKING_RATIO
    told = (
        f"{guess.evidence}; alone it tells {target.name!r} "
        f"{'nearly perfectly' if is_leak else 'very well'} ({shown} {score:.3f}): known only "
        f"afterwards? To {'use it, move it to `columns`' if is_leak else 'leave it out, `ignored`'}"
    )
    return replace(guess, role="ignored" if is_leak else "input", evidence=told)


def tell_apart(values: Sequence[Any], truth: Sequence[Any]) -> float:
    """How well one column tells the classes apart on rows not learnt from, as the mean AUC.

    A shallow tree per class against the rest, cross-validated; 0.5 is chance. Too few rows of a
    class tell nothing.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    texts = [None if cell is None else spell(cell) for cell in truth]
    kept = [i for i, text in enumerate(texts) if text and not is_marker(text)]
    labels = np.array([texts[i] for i in kept])
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2 or counts.min() < 10:  # noqa: PLR2004 - too few rows to tell anything
        return 0.5
    column = _as_numbers([values[i] for i in kept]).reshape(-1, 1)
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, random_state=0)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    answers = cross_val_predict(tree, column, labels, cv=folds, method="predict_proba")
    scores = [
        roc_auc_score(labels == label, answers[:, place]) for place, label in enumerate(classes)
    ]
    return float(np.mean(scores))


def follow(values: Sequence[Any], truth: Sequence[Any]) -> float:
    """How nearly a column goes with a number, as the size of their rank correlation.

    Words count as the mean of the other rows that have them. Too few pairs tell nothing.
    """
    numbers = _numbers_of(values)
    if sum(number is not None for number in numbers) < len(numbers) / 2:
        numbers = _means_of(values, truth)
    pairs = pd.DataFrame({"value": numbers, "truth": _numbers_of(truth)}).dropna()
    if len(pairs) < LEAST_PAIRS or pairs.nunique().min() < 2:  # noqa: PLR2004 - one value goes with none
        return 0.0
    return abs(float(pairs["value"].rank().corr(pairs["truth"].rank())))


def _means_of(values: Sequence[Any], truth: Sequence[Any]) -> list[float | None]:
    """For each cell the mean truth of the cells that say the same, in the other two thirds."""
    words = pd.Series(["" if value is None else spell(value) for value in values])
    known = pd.Series(_numbers_of(truth), dtype="float64")
    third = np.arange(len(words)) % 3
    found = pd.Series(np.nan, index=words.index)
    for each in range(3):
        means = known[third != each].groupby(words[third != each]).mean()
        found[third == each] = words[third == each].map(means)
    return [None if np.isnan(mean) else float(mean) for mean in found]


def _numbers_of(values: Sequence[Any]) -> list[float | None]:
    return [None if value is None else read_number(spell(value)) for value in values]


def _as_numbers(values: Sequence[Any]) -> np.ndarray:
    texts = ["" if value is None else spell(value) for value in values]
    numbers = [read_number(text) for text in texts]
    if sum(number is not None for number in numbers) >= len(numbers) / 2:
        return np.array([-1e30 if n is None else np.clip(n, -1e30, 1e30) for n in numbers])
    return pd.factorize(np.array(texts, dtype=object), sort=True)[0].astype(float)
