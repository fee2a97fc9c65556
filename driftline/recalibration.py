"""Whether the champion's probabilities still come true, by bets that need not learn any column.

A model that is made anew cannot learn a new relation from fifty rows among thousands; but where the
relation has changed, the answers are too high, too low or too sure, and that shows at once. Each
way to be wrong bets by its likelihood ratio against the probabilities as they came true out of
fold: whoever wins answers better than the champion by the logarithm of what he wins, so a renewed
model could too. A change may come late, so a part of the money begins anew with each cohort.

Sources: Arnold, Henzi and Ziegel, Sequentially valid tests for forecast calibration, Annals of
Applied Statistics 17 (2023); Grünwald, de Heide and Koolen, Safe testing, JRSS-B 86 (2024); the
late starts: Shin, Ramdas and Rinaldo, E-detectors, NEJSDS 2 (2024).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.calibration import LEAST_PROBABILITY, Calibrator, fit_calibrator
from driftline.losses import blind_answers, row_losses
from driftline.promise import OutOfFold

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_ROWS: Final = 20_000  # out of fold, that the baseline is learnt from
FIRST_SHARE: Final = 0.5  # of the money bets from the first cohort on; later ones share the rest
_SHIFTS: Final = (-1.0, -0.5, 0.0, 0.5, 1.0)  # of log-odds: risk told too low or too high
_SLOPES: Final = (0.0, 0.5, 1.0)  # of log-odds: told at random, too sure, right
BETS: Final = tuple(bet for bet in product(_SHIFTS, _SLOPES) if bet != (0.0, 1.0))


@dataclass(frozen=True)
class Baseline:
    """How the champion's probabilities came true out of fold, and its skill in log loss."""

    coefficients: tuple[float, ...]
    skill: float

    def calibrate(self, probabilities: Floats) -> Floats:
        """The probabilities as they came true, shape (rows, classes)."""
        theta = np.asarray(self.coefficients)
        return Calibrator(theta, np.zeros((0, 0))).calibrate(probabilities)

    def to_document(self) -> dict[str, Any]:
        """The baseline as JSON's own types."""
        return asdict(self)


def read_baseline(document: Mapping[str, Any] | None) -> Baseline | None:
    """What `to_document` wrote; None where nothing was."""
    if not document:
        return None
    return Baseline(tuple(document["coefficients"]), float(document["skill"]))


def fit_baseline(answers: OutOfFold | None) -> Baseline | None:
    """The baseline of answers out of fold; None without them, and of a number."""
    if answers is None or answers.probabilities.shape[1] < 2:  # noqa: PLR2004 - no classes
        return None
    count = len(answers.y)
    rows = np.linspace(0, count - 1, min(count, MOST_ROWS)).astype(int)
    told, y = answers.probabilities[rows], answers.y[rows]
    calibrator = fit_calibrator(told, y)
    loss = row_losses(calibrator.calibrate(told), y, "log_loss").mean()
    blind = blind_answers(y, "log_loss", width=told.shape[1])
    base = row_losses(blind, y, "log_loss").mean()
    skill = max(float(base - loss), 0.01 * float(base), LEAST_PROBABILITY)
    return Baseline(tuple(float(each) for each in calibrator.coefficients), skill)


@dataclass(frozen=True)
class Recalibration:
    """What cohorts of labels say of the claim that the probabilities come true no longer.

    `logs` are the logarithms of what each bet owns, class by class (of two classes the last alone).
    `recent_saved` is what the winners' corrections save per answer of the newest cohort, as a share
    of the champion's skill.
    """

    logs: tuple[float, ...] = ()
    cohorts: int = 0
    recent_saved: float = 0.0

    @property
    def log_wealth(self) -> float:
        """The logarithm of what all bets own now, those to come included."""
        if not self.cohorts:
            return 0.0
        unborn = math.log((1 - FIRST_SHARE) / self.cohorts)
        return float(np.logaddexp.reduce([unborn, *self.logs]))

    def is_proof(self, alpha: float) -> bool:
        """Whether the claim stands; that it does wrongly at any look has a chance of `alpha`."""
        return self.log_wealth >= -math.log(alpha)

    def add(
        self, probabilities: Floats, y: Ints, baseline: Baseline, *, worth: float
    ) -> "Recalibration":
        """Bet on a further cohort; a correction is to save `worth` of the skill per answer."""
        if not len(y):
            return self
        gains = _gains(baseline.calibrate(probabilities), y) - worth * baseline.skill
        won, cohort = gains.sum(axis=0), self.cohorts
        share = (1 - FIRST_SHARE) / (cohort * (cohort + 1)) if cohort else FIRST_SHARE
        newcomers = np.full(len(won), math.log(share / len(won)))
        logs = won + (np.logaddexp(self.logs, newcomers) if self.logs else newcomers)
        weights = np.exp(logs - logs.max())
        saved = float(weights @ won / weights.sum() / len(y))
        return Recalibration(
            logs=tuple(float(log) for log in logs),
            cohorts=cohort + 1,
            recent_saved=saved / baseline.skill,
        )

    def to_document(self) -> dict[str, Any]:
        """The bets as JSON's own types."""
        return asdict(self)


def read_recalibration(document: Mapping[str, Any] | None) -> Recalibration:
    """What `to_document` wrote; where nothing was, no bet has been made."""
    if not document:
        return Recalibration()
    return Recalibration(**{**document, "logs": tuple(document["logs"])})


def _gains(probabilities: Floats, y: Ints) -> Floats:
    """Log likelihood ratio per row and bet, shape (rows, classes times bets)."""
    width = probabilities.shape[1]
    classes = [1] if width == 2 else range(width)  # noqa: PLR2004 - two classes
    bets = np.asarray(BETS)
    parts = []
    for k in classes:
        p = np.clip(probabilities[:, k], LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        odds = np.log(p / (1 - p))[:, None]
        sign = np.where(y == k, 1.0, -1.0)[:, None]
        wagered = bets[:, 0] + bets[:, 1] * odds
        parts.append(np.logaddexp(0, -sign * odds) - np.logaddexp(0, -sign * wagered))
    return np.concatenate(parts, axis=1)
