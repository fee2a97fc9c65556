"""What a monitoring run judges: a window of predictions, their labels, and what was set aside."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Window:
    """What came since the last verdict: inputs in order, and the labelled rows among all.

    `labelled` holds the inputs plus `_label` (a class name), `_probabilities` (class order) and
    `_place` (the prediction's sequence).
    """

    inputs: pd.DataFrame
    labelled: pd.DataFrame
    first: int
    last: int
    last_label: int
    seen: int
    seen_label: int
    state: Mapping[str, Any] = field(default_factory=dict)  # what the last verdict left
    rows: int = 0  # that came; `inputs` are evenly chosen among more than memory would bear
    places: tuple[int, ...] = ()  # sequences of the inputs; rows of one part of a batch share it
    offsets: tuple[int, ...] = ()  # places in such a part
    answered: int | None = None  # predictions from the first labelled one to the last, both with

    def judged_elsewhere(self) -> "Window":
        """The window without what came in: a verdict on other rows leaves it to be judged."""
        return replace(
            self.with_labels_waiting(),
            inputs=self.inputs.head(0),
            rows=0,
            first=self.seen + 1,
            last=self.seen,
        )

    def with_labels_waiting(self) -> "Window":
        """The window whose labels are left to a later look."""
        return replace(self, labelled=self.labelled.head(0), last_label=self.seen_label)

    def with_rows_waiting(self) -> "Window":
        """The window whose rows are left to a later look, which finds more of them."""
        return replace(self, first=self.seen + 1, last=self.seen)


@dataclass(frozen=True)
class Cohort:
    """Labelled rows in the order of their labels, with the champion's answers (rows, classes).

    `unlabelled` counts the predictions among theirs that are not here: their labels have not come,
    or came before; None where nobody counted.
    """

    table: pd.DataFrame
    probabilities: NDArray[np.float64]
    unlabelled: int | None = None


@dataclass(frozen=True)
class Quarantined:
    """Predictions from `first` to `last`, both with, that a verdict judged broken."""

    key: str
    first: int
    last: int
    reasons: tuple[str, ...]
    is_dropped: bool = False
