"""Which rows to label first, so that few labels tell most about what has changed."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.density import measure_ratios

Floats = NDArray[np.float64]
_CANDIDATES_PER_PICK: Final = 10
_LEAST_CANDIDATES: Final = 1000
_NEIGHBOURS: Final = 1e-3  # of a whole distance: rows that coincide are told apart by their worth


def choose_rows_to_label(
    probabilities: Floats,
    X_reference: NDArray[Any],  # noqa: N803
    X_current: NDArray[Any],  # noqa: N803
    *,
    count: int,
    seed: int,
) -> NDArray[np.int64]:
    """Indices of `count` current rows, most informative first; all of them where there are fewer.

    A row is worth its uncertainty (entropy of the model's answer, of at most 1) plus its novelty
    (how much likelier it is to be a current than a reference row, of at most 1). Rows are taken
    one by one, each by its worth times its distance to those taken before, so that not all are
    alike. They are no fair sample: use them to train and to look, not to estimate a loss.
    Sources: Lewis and Gale, SIGIR 1994 (uncertainty); Gonzalez, Theoretical Computer Science 38
    (1985) 293-306 (farthest first).
    """
    count = min(count, len(X_current))
    if not count:
        return np.zeros(0, dtype=np.int64)
    ratios = measure_ratios(X_reference, X_current, seed=seed).current
    worth = _entropy(probabilities) + ratios / (1 + ratios)
    order = np.random.default_rng(seed).permutation(len(worth))
    best_first = order[np.argsort(-worth[order], kind="stable")]
    candidates = best_first[: max(_LEAST_CANDIDATES, _CANDIDATES_PER_PICK * count)]
    places = _standardise(X_reference, X_current[candidates])
    return np.asarray(candidates[_spread(places, worth[candidates], count)], dtype=np.int64)


def _entropy(probabilities: Floats) -> Floats:
    """As a share of the most there can be; a number does not say how unsure it is."""
    if probabilities.shape[1] == 1:
        return np.zeros(len(probabilities))
    p = np.clip(probabilities, 1e-12, 1.0)
    entropy: Floats = -(p * np.log(p)).sum(axis=1) / np.log(p.shape[1])
    return entropy


def _standardise(X_reference: NDArray[Any], X: NDArray[Any]) -> Floats:  # noqa: N803
    """In robust reference deviations, cut at five; a missing value lies in the middle."""
    reference = np.asarray(X_reference, dtype=np.float64)
    filled = np.where(np.isfinite(reference), reference, np.nan)
    usable = np.isfinite(filled).any(axis=0)
    centre, spread = np.zeros(X.shape[1]), np.ones(X.shape[1])
    centre[usable] = np.nanmedian(filled[:, usable], axis=0)
    spread[usable] = np.nanstd(filled[:, usable], axis=0)
    scaled = (np.asarray(X, dtype=np.float64) - centre) / np.where(spread > 0, spread, 1.0)
    return np.clip(np.nan_to_num(scaled, nan=0.0), -5, 5)


def _spread(places: Floats, worth: Floats, count: int) -> list[int]:
    chosen = [0]
    distance = np.linalg.norm(places - places[0], axis=1)
    worth = worth.copy()
    worth[0] = -1.0
    while len(chosen) < count:
        following = int(np.argmax(worth * (distance + _NEIGHBOURS)))
        chosen.append(following)
        worth[following] = -1.0
        distance = np.minimum(distance, np.linalg.norm(places - places[following], axis=1))
    return chosen
