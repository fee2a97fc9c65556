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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.calibration import LEAST_PROBABILITY, fit_calibrator
from driftline.drift_policy import DriftPolicy
from driftline.losses import blind_answers, row_losses
from driftline.promise import OutOfFold

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_ROWS: Final = 20_000  # that a baseline is learnt from, and that a cohort is judged by
ERRORS: Final = 2.0  # standard errors of the baseline that are not held against a champion
MOST_COUNTED: Final = 100  # rows of a cohort that count: its own ups and downs are no change
FIRST_SHARE: Final = 0.5  # of the money bets from the first cohort on; later ones share the rest
_SHIFTS: Final = (-1.0, -0.5, 0.0, 0.5, 1.0)  # of log-odds: risk told too low or too high
_SLOPES: Final = (0.0, 0.5, 1.0)  # of log-odds: told at random, too sure, right
_MOST_MOVED: Final = 3.0  # log-odds, where one class is heard of first
_MOVES: Final = 41  # that are tried
_HARDLY_ANY: Final = 1e-9  # rows, where there are none
BETS: Final = tuple(bet for bet in product(_SHIFTS, _SLOPES) if bet != (0.0, 1.0))


@dataclass(frozen=True)
class Baseline:
    """How often each class came true out of fold, one against the rest, and the skill in log loss.

    `coefficients` (classes, 3) and their `covariance` (classes, 3, 3) are of `fit_calibrator`; of
    two classes the last alone has some. A bet in log-odds is a calibration of that kind itself, so
    none wins out of fold.
    """

    coefficients: tuple[tuple[float, ...], ...]
    covariance: tuple[tuple[tuple[float, ...], ...], ...]
    skill: float

    @property
    def width(self) -> int:
        """How many classes there are."""
        return len(self.coefficients) + (len(self.coefficients) == 1)

    def odds(self, p: Floats, place: int) -> tuple[Floats, Floats]:
        """Log-odds of a class as it came true, and their standard errors, each (rows,)."""
        told = np.clip(np.column_stack([1 - p, p]), LEAST_PROBABILITY, 1.0)
        slopes = np.column_stack([np.log(told[:, 1] / told[:, 0]), 2 * p - 1, np.ones(len(p))])
        spread = np.einsum("ij,jk,ik->i", slopes, np.asarray(self.covariance[place]), slopes)
        most = math.log(1 / LEAST_PROBABILITY - 1)
        odds = np.clip(slopes @ np.asarray(self.coefficients[place]), -most, most)
        return odds, np.sqrt(np.maximum(spread, 0.0))

    def to_document(self) -> dict[str, Any]:
        """The baseline as JSON's own types."""
        return asdict(self)


def read_baseline(document: Mapping[str, Any] | None) -> Baseline | None:
    """What `to_document` wrote; None where nothing was."""
    if not document:
        return None
    return Baseline(
        tuple(map(tuple, document["coefficients"])),
        tuple(tuple(map(tuple, each)) for each in document["covariance"]),
        float(document["skill"]),
    )


def fit_baseline(answers: OutOfFold | None) -> Baseline | None:
    """The baseline of answers out of fold; None without them, and of a number."""
    if answers is None or answers.probabilities.shape[1] < 2:  # noqa: PLR2004 - no classes
        return None
    count = len(answers.y)
    rows = np.linspace(0, count - 1, min(count, MOST_ROWS)).astype(int)
    told, y = answers.probabilities[rows], answers.y[rows]
    loss = row_losses(fit_calibrator(told, y).calibrate(told), y, "log_loss").mean()
    blind = blind_answers(y, "log_loss", width=told.shape[1])
    base = float(row_losses(blind, y, "log_loss").mean())
    skill = max(base - float(loss), 0.01 * base, LEAST_PROBABILITY)
    fitted = [
        fit_calibrator(np.column_stack([1 - told[:, k], told[:, k]]), (y == k).astype(int))
        for k in _classes(told.shape[1])
    ]
    return Baseline(
        tuple(tuple(each.coefficients.tolist()) for each in fitted),
        tuple(tuple(map(tuple, each.covariance.tolist())) for each in fitted),
        skill,
    )


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
        self,
        probabilities: Floats,
        y: Ints,
        baseline: Baseline,
        policy: DriftPolicy,
        *,
        unlabelled: int | None = None,
    ) -> "Recalibration":
        """Bet on a further cohort; a correction is to save the policy's `worth` of the skill.

        `unlabelled` counts the predictions among the cohort's that are not in it, None where
        nobody knows: labels of one class may have come sooner. None have where a label horizon
        says so.
        """
        if not len(y):
            return self
        rows = np.linspace(0, len(y) - 1, min(len(y), MOST_ROWS)).astype(int)
        if policy.label_horizon_days > 0:
            unlabelled = 0
        moves = [_moves(int((y == k).sum()), len(y), unlabelled) for k in _classes(baseline.width)]
        gains = _best_gains(probabilities[rows], y[rows], baseline, moves)
        gains = gains - policy.worth * baseline.skill
        won, cohort = min(len(y), MOST_COUNTED) * gains, self.cohorts
        share = (1 - FIRST_SHARE) / (cohort * (cohort + 1)) if cohort else FIRST_SHARE
        newcomers = np.full(len(won), math.log(share / len(won)))
        logs = won + (np.logaddexp(self.logs, newcomers) if self.logs else newcomers)
        weights = np.exp(logs - logs.max())
        saved = float(weights @ gains / weights.sum())
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


def _classes(width: int) -> range:
    return range(1, 2) if width == 2 else range(width)  # noqa: PLR2004 - two classes


def _moves(known: int, rows: int, unlabelled: int | None) -> Floats:
    """How far log-odds of a class may seem to have moved, since `unlabelled` rows are not heard of.

    Of the labelled `rows`, `known` are of the class. At the ends all others are of the class, or
    none is.
    """
    if unlabelled == 0:
        return np.zeros(1)
    missed = math.inf if unlabelled is None else float(unlabelled)
    low = -math.log1p(missed / max(known, _HARDLY_ANY))
    high = math.log1p(missed / max(rows - known, _HARDLY_ANY))
    return np.append(np.linspace(max(low, -_MOST_MOVED), min(high, _MOST_MOVED), _MOVES), 0.0)


def _best_gains(
    probabilities: Floats, y: Ints, baseline: Baseline, moves: Sequence[Floats]
) -> Floats:
    """What each bet wins per answer of a cohort, in nats, shape (classes times bets,).

    Whoever hears of one class sooner sees the baseline's log-odds moved by a constant. A bet is
    therefore held against the move of its class that explains it best.
    """
    found = []
    for place, k in enumerate(_classes(probabilities.shape[1])):
        odds, error = baseline.odds(probabilities[:, k], place)
        sign = np.where(y == k, 1.0, -1.0)
        gains = [_gains(odds + move, odds, error, sign) for move in moves[place]]
        found.append(np.min(gains, axis=0))
    return np.concatenate(found)


def _gains(held: Floats, odds: Floats, error: Floats, sign: Floats) -> Floats:
    """Log likelihood ratio per answer of each bet against the log-odds `held`, shape (bets,).

    A bet is paid by the nearest log-odds within ERRORS standard errors of those held.
    """
    bets, held, error = np.asarray(BETS), held[:, None], ERRORS * error[:, None]
    wagered = bets[:, 0] + bets[:, 1] * odds[:, None]
    paid = np.clip(wagered, held - error, held + error)
    signs = sign[:, None]
    lost = np.logaddexp(0, -signs * paid) - np.logaddexp(0, -signs * wagered)
    mean: Floats = lost.mean(axis=0)
    return mean
