"""The best that could have been done with a history, had one known it beforehand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Best:
    """The least mean loss per window with at most so many retrainings, and after which windows."""

    retrainings: int
    loss: float
    after: tuple[int, ...]


def best_with(table: Floats, most: int, *, delay: int = 0) -> list[Best]:
    """For each number of retrainings from 0 to `most`: the best times for them.

    `table` holds mean losses (model, window) of each model on each later window. A retraining after
    window w brings the model of window w - `delay`, whose outcomes are the newest that are known.
    By dynamic programming over who serves in a window: no policy can do better with as many
    retrainings among these models.
    """
    count = len(table)
    ahead = np.zeros((count, most + 1))  # what is lost from the next window on, by who serves then
    is_change = np.zeros((count, count, most + 1), dtype=bool)
    for window in range(count - 1, 0, -1):
        new = window - delay
        if new > 0:
            changed = np.concatenate(([np.inf], ahead[new, :-1]))
            is_change[window, :new] = changed < ahead[:new]
            ahead[:new] = np.minimum(ahead[:new], changed)
        ahead[:window] += table[:window, window, None]
    return [
        Best(left, float(ahead[0, left] / (count - 1)), _times(is_change, left, delay))
        for left in range(most + 1)
    ]


def _times(is_change: NDArray[np.bool_], left: int, delay: int) -> tuple[int, ...]:
    champion, times = 0, []
    for window in range(1, len(is_change)):
        if is_change[window, champion, left]:
            times.append(window)
            champion, left = window - delay, left - 1
    return tuple(times)
