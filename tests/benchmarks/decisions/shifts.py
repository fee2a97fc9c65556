"""Real change of the data, each a pure function of a stream and a generator: nothing is broken.

HARMLESS to the data's soundness are all of them; which of them harm a model is measured elsewhere
on the stream's true loss.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from driftline.problem import Problem
from tests.benchmarks.decisions.streams import Stream

Shift = Callable[[Stream, int, np.random.Generator], pd.DataFrame | None]


def pick_key(stream: Stream, rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """A column and its standardised values in the pool; a category is the code of its level."""
    name = str(rng.choice(list(stream.table.problem.columns)))
    values = stream.pool[name]
    if values.dtype == object:
        values = values.astype("category").cat.codes.astype(float)
    return name, _standard(values)


def numbers_of(problem: Problem) -> list[str]:
    """The number columns."""
    return [name for name, spec in problem.columns.items() if spec.kind != "category"]


def no_change(stream: Stream, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """The same people."""
    return stream.draw(size, rng)


def trifling(stream: Stream, size: int, rng: np.random.Generator) -> pd.DataFrame | None:
    """One number column moves by a twentieth of a deviation on every row."""
    window = stream.draw(size, rng)
    numbers = numbers_of(stream.table.problem)
    if not numbers:
        return None
    name = str(rng.choice(numbers))
    return window.assign(**{name: window[name] + 0.05 * stream.reference[name].std()})


def key_column_moved(
    stream: Stream, size: int, rng: np.random.Generator, name: str | None = None
) -> pd.DataFrame:
    """Other people come, whose mean of one column is a deviation away, as far as there are any."""
    score = _standard(stream.pool[name]) if name else pick_key(stream, rng)[1]
    sign = rng.choice([-1.0, 1.0])
    weights = np.ones(len(score))
    for strength in np.arange(0.1, 3.01, 0.1):
        weights = np.exp(np.clip(sign * strength * score, -6, 6))
        if abs(float((weights * score).sum() / weights.sum())) >= 1:
            break
    return stream.draw(size, rng, weights)


def sub_population(stream: Stream, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """Only the upper or lower third by a number, or mostly one level of a category.

    A column is left with two values at least: of one value alone nobody could tell whether it is
    stuck or the people are such.
    """
    problem, pool = stream.table.problem, stream.pool
    name = str(rng.choice(list(problem.columns)))
    if problem.columns[name].kind == "category":
        shares = pool[name].value_counts(normalize=True)
        level = rng.choice(list(shares.index[shares >= 0.1]))
        return stream.draw(size, rng, np.where(pool[name] == level, 8.0, 1.0))
    rank = pool[name].rank(pct=True).fillna(0.5)
    kept = rank <= 1 / 3 if rng.random() < 0.5 else rank >= 2 / 3
    if kept.sum() < 50 or pool.loc[kept, name].nunique() < 2:
        return stream.draw(size, rng)
    return stream.draw(size, rng, kept.to_numpy().astype(float))


def label_shift(stream: Stream, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """One class comes three times as often."""
    target = stream.table.problem.target.name
    label = rng.choice(stream.table.problem.classes)
    return stream.draw(size, rng, np.where(stream.pool[target] == label, 3.0, 1.0))


def gradual(
    stream: Stream, size: int, rng: np.random.Generator, progress: float | None = None
) -> pd.DataFrame:
    """People change slowly along two columns at once; `progress` from 0 to 1."""
    progress = float(rng.random()) if progress is None else progress
    weights = np.ones(len(stream.pool))
    for _ in range(2):
        weights *= np.exp(progress * np.clip(pick_key(stream, rng)[1], -3, 3))
    return stream.draw(size, rng, weights)


def seasonal(
    stream: Stream, size: int, rng: np.random.Generator, phase: float | None = None
) -> pd.DataFrame:
    """People come and go with the time of year; `phase` from 0 to 1."""
    phase = float(rng.random()) if phase is None else phase
    score = pick_key(stream, rng)[1]
    strength = 0.5 * np.sin(2 * np.pi * phase)
    return stream.draw(size, rng, np.exp(strength * np.clip(score, -3, 3)))


def concept_flip(stream: Stream, size: int, rng: np.random.Generator) -> pd.DataFrame:
    """In the upper half of one column the classes change places: only labels can show it."""
    problem = stream.table.problem
    score = pick_key(stream, rng)[1]
    picked = rng.choice(len(stream.pool), size, replace=size > len(stream.pool))
    window = stream.pool.iloc[picked].reset_index(drop=True)
    is_hit = pd.Series(score[picked] >= 0)
    other = dict(zip(problem.classes, reversed(problem.classes), strict=True))
    target = window[problem.target.name]
    return window.assign(**{problem.target.name: target.where(~is_hit, target.map(other))})


def column_moved(
    stream: Stream, size: int, rng: np.random.Generator, name: str, deviations: float
) -> pd.DataFrame:
    """One column moves by so many deviations on every row, whatever the others do."""
    window = stream.draw(size, rng)
    del rng
    return window.assign(**{name: window[name] + deviations * stream.reference[name].std()})


HARMLESS: dict[str, Shift] = {
    "no change": no_change,
    "trifling shift": trifling,
    "key column by one deviation": key_column_moved,
    "sub-population": sub_population,
    "label shift": label_shift,
    "gradual": gradual,
    "seasonal": seasonal,
    "concept flip": concept_flip,
}


def _standard(values: pd.Series) -> np.ndarray:
    filled = values.fillna(values.mean())
    return ((filled - filled.mean()) / (filled.std() or 1.0)).to_numpy()
