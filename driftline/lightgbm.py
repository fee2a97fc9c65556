"""LightGBM's classifier, as the rest of the house can use it."""

from typing import Final, NoReturn

import numpy as np
from lightgbm import Booster, LGBMClassifier

from driftline.boosting import floor32

_THRESHOLDS, _SIZES = "threshold=", "tree_sizes="
_ZERO: Final = np.float32(1e-35)  # what is no further from zero counts as zero


class LightGBM(LGBMClassifier):  # type: ignore[misc]  # it has no types
    """The classifier without its raw scores.

    Its calibration then learns from probabilities, which are what its ONNX graph answers with.
    """

    @property
    def decision_function(self) -> NoReturn:
        """Not to be had."""
        raise AttributeError

    def snap_thresholds(self) -> None:
        """Round the thresholds of its trees down to float32, in place; it answers as before.

        It takes -1e-35 for zero, so a threshold there moves below it. The sizes of the trees' text
        change, so they are left out; LightGBM reads on without them.
        """
        text = self.booster_.model_to_string()
        lines = (line for line in text.split("\n") if not line.startswith(_SIZES))
        self._Booster = Booster(model_str="\n".join(map(_snapped, lines)))


def _snapped(line: str) -> str:
    if not line.startswith(_THRESHOLDS):
        return line
    values = floor32(line.removeprefix(_THRESHOLDS).split())
    values[values == -_ZERO] = np.nextafter(-_ZERO, np.float32(-np.inf))
    return _THRESHOLDS + " ".join(repr(float(value)) for value in values)
