"""Columns that tell the target nearly perfectly: most likely they are known only afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.cells import cells_of
from driftline.curves import roc_auc
from driftline.inference import Guess
from driftline.spelling import is_marker, read_number, spell, spell_all, tidy
from driftline.target_guesses import AnyTargetGuess

LEAKING_RATIO = 0.995  # area under the curve, or rank correlation, of one column alone
TELLING_RATIO = 0.97  # from which on it stays, and is told
SAMPLE_ROWS = 20_000
LEAST_PAIRS = 30


@dataclass(frozen=True)
class Truth:
    """The target's cells of the rows that columns are held against, read once for all of them."""

    rows: pd.DataFrame
    names: Sequence[str]
    target: AnyTargetGuess
    cells: Sequence[Any]
    classes: "Classes | None"

    def measure(self, name: str) -> float:
        """How well a column alone tells the target."""
        values = cells_of(self.rows.iloc[:, self.names.index(name)])
        if self.classes is None:
            return follow(values, self.cells)
        return self.classes.tell_apart(values)


def read_truth(rows: pd.DataFrame, place: int, target: AnyTargetGuess) -> Truth:
    """The target at this place, on a part of the rows where they are many."""
    sample = rows if len(rows) <= SAMPLE_ROWS else rows.sample(SAMPLE_ROWS, random_state=0)
    cells = cells_of(sample.iloc[:, place])
    classes = None if target.is_number else read_classes(cells)
    return Truth(sample, [tidy(str(name)) for name in rows.columns], target, cells, classes)


def suspect_leak(guess: Guess, truth: Truth) -> Guess:
    """A column that alone tells the target nearly perfectly is left out, and told.

    One that tells it very well may be no leak: it stays, and is told.
    """
    if guess.role != "input":
        return guess
    target, score = truth.target, truth.measure(guess.name)
    if score < TELLING_RATIO:
        return guess
    shown = "rank correlation" if target.is_number else "AUC"
    is_leak = score >= LEAKING_RATIO
    told = (
        f"{guess.evidence}; alone it tells {target.name!r} "
        f"{'nearly perfectly' if is_leak else 'very well'} ({shown} {score:.3f}): known only "
        f"afterwards? To {'use it, move it to `columns`' if is_leak else 'leave it out, `ignored`'}"
    )
    return replace(guess, role="ignored" if is_leak else "input", evidence=told)


@dataclass(frozen=True)
class Classes:
    """The class of each row at the places `kept`, and folds of them; too few rows have no folds."""

    kept: Sequence[int]
    codes: NDArray[np.int64]
    folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]

    def tell_apart(self, values: Sequence[Any]) -> float:
        """How well one column tells the classes apart on rows not learnt from, as the mean AUC.

        A shallow tree per class against the rest, cross-validated; 0.5 is chance. Too few rows of
        a class tell nothing.
        """
        from sklearn.tree import DecisionTreeClassifier

        if not self.folds:
            return 0.5
        column = _as_numbers([values[i] for i in self.kept]).astype(np.float32).reshape(-1, 1)
        answers = np.zeros((len(column), int(self.codes.max()) + 1))
        for others, fold in self.folds:
            tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, random_state=0)
            tree.fit(column[others], self.codes[others], check_input=False)
            answers[fold] = tree.predict_proba(column[fold], check_input=False)
        alike = np.ones((1, len(column)))
        scores = [
            roc_auc(self.codes == code, each, alike)[0] for code, each in enumerate(answers.T)
        ]
        return float(np.mean(scores))


def read_classes(truth: Sequence[Any]) -> Classes:
    """The classes that the target's cells hold, as they are written there."""
    from sklearn.model_selection import StratifiedKFold

    texts = spell_all(truth)
    kept = [i for i, text in enumerate(texts) if text and not is_marker(text)]
    found, codes, counts = np.unique(
        np.array([texts[i] for i in kept]), return_inverse=True, return_counts=True
    )
    if len(found) < 2 or counts.min() < 10:  # noqa: PLR2004 - too few rows to tell anything
        return Classes(kept, codes, ())
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return Classes(kept, codes, list(folds.split(np.zeros(len(codes)), codes)))


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
    return [None if text is None else read_number(text) for text in spell_all(values)]


def _as_numbers(values: Sequence[Any]) -> NDArray[np.float64]:
    texts = ["" if text is None else text for text in spell_all(values)]
    numbers = [read_number(text) for text in texts]
    if sum(number is not None for number in numbers) >= len(numbers) / 2:
        return np.array([-1e30 if n is None else n for n in numbers]).clip(-1e30, 1e30)
    return pd.factorize(np.array(texts, dtype=object), sort=True)[0].astype(float)
