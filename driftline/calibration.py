"""Whether probabilities come true: a smooth recalibration, and a check that may be looked at often.

Nothing here knows inputs; see `driftline.estimation` for what is made of it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_PROBABILITY: Final = 1e-6
_STEPS: Final = 50
_PRIOR: Final = 1.0  # weight of "already calibrated", in the units of one row
_SHIFTS: Final = (-2.0, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0)
_SLOPES: Final = (0.0, 0.5, 0.75, 1.0, 1.33, 2.0)


@dataclass(frozen=True)
class Calibrator:
    """Coefficients of the recalibration, and their covariance from the noise of the rows."""

    coefficients: Floats
    covariance: Floats

    def calibrate(self, probabilities: Floats, coefficients: Floats | None = None) -> Floats:
        """Recalibrated probabilities, shape (rows, classes)."""
        theta = self.coefficients if coefficients is None else coefficients
        return _softmax(_design(probabilities) @ theta)


@dataclass(frozen=True)
class CalibrationCheck:
    """How strong the evidence is that probabilities do not come true, over `rows` labelled rows.

    `evidence` is an e-value, the most that betting against calibration has ever multiplied its
    stake by; it counts from `needed` on, whatever the number of looks. Observed and expected are
    shares of the last class.
    """

    rows: int
    evidence: float
    needed: float
    observed: float
    expected: float

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the probabilities so far; few rows cannot."""
        return self.evidence < self.needed

    @property
    def description(self) -> str:
        """The check as one sentence."""
        verdict = "still come true" if self.holds else "no longer come true"
        return (
            f"the probabilities {verdict} on {self.rows} labels: expected {self.expected:.3f}, "
            f"observed {self.observed:.3f} (evidence {self.evidence:.3g}, counts from "
            f"{self.needed:.3g} on)"
        )


def fit_calibrator(probabilities: Floats, y: Ints, weights: Floats | None = None) -> Calibrator:
    """Fit q_k ~ exp(a log p_k + c p_k + b_k) to the truth by weighted maximum likelihood.

    With two classes this is Platt's scaling with one more bend, close to beta calibration; one
    row's worth of prior pulls it to the identity, so that a model without an error stays finite.
    The covariance is the sandwich, which holds under weights too.
    Sources: Kull, Silva Filho and Flach, AISTATS 2017; Guo et al., ICML 2017 (scaling by classes);
    White, Econometrica 50 (1982) 1-25.
    """
    design = _design(probabilities)
    truth = np.eye(probabilities.shape[1])[y]
    weights = np.ones(len(y)) if weights is None else weights
    identity = np.zeros(design.shape[2])
    identity[0] = 1.0
    theta = identity.copy()
    for _ in range(_STEPS):
        scores, hessian = _slopes(design, truth, theta)
        curvature = np.einsum("i,ijk->jk", weights, hessian) + _PRIOR * np.eye(len(theta))
        step = np.linalg.solve(curvature, weights @ scores - _PRIOR * (theta - identity))
        theta = theta + step * min(1.0, 2.0 / float(np.abs(step).max() or 1.0))
        if np.abs(step).max() < 1e-8:  # noqa: PLR2004 - converged
            break
    scores, hessian = _slopes(design, truth, theta)
    bread = np.linalg.inv(np.einsum("i,ijk->jk", weights, hessian) + _PRIOR * np.eye(len(theta)))
    weighted = weights[:, None] * scores
    return Calibrator(theta, bread @ (weighted.T @ weighted) @ bread)


@dataclass(frozen=True)
class CalibrationWager:
    """Bets against calibration that go on from cohort to cohort.

    `logs` holds the logarithm of what each bet owns, by class; `most` is the largest fortune that
    all together ever had; `observed` and `expected` count the last class.
    """

    logs: tuple[tuple[float, ...], ...] = ()
    rows: int = 0
    most: float = 1.0
    observed: float = 0.0
    expected: float = 0.0

    def add(self, probabilities: Floats, y: Ints, *, tolerance: float = 0.0) -> "CalibrationWager":
        """Bet on a further cohort, in the order of prediction; `probabilities` (rows, classes)."""
        if not len(y):
            return self
        width = probabilities.shape[1]
        classes = [1] if width == 2 else range(width)  # noqa: PLR2004 - two classes
        kept, wealth = [], np.zeros(len(y))
        for place, k in enumerate(classes):
            gains = _gains(probabilities[:, k], y == k, tolerance)
            logs = np.cumsum(gains, axis=0) + (self.logs[place] if self.logs else 0.0)
            wealth += np.exp(np.minimum(logs, 600)).mean(axis=1) / len(classes)
            kept.append(tuple(float(log) for log in logs[-1]))
        return CalibrationWager(
            logs=tuple(kept),
            rows=self.rows + len(y),
            most=max(self.most, float(wealth.max())),
            observed=self.observed + float((y == width - 1).sum()),
            expected=self.expected + float(probabilities[:, -1].sum()),
        )

    def check(self, alpha: float = 0.05) -> CalibrationCheck:
        """What the bets have shown so far, at an error of `alpha` over all looks."""
        rows = max(self.rows, 1)
        shares = self.observed / rows, self.expected / rows
        return CalibrationCheck(self.rows, self.most, 1 / alpha, *shares)

    def to_document(self) -> dict[str, Any]:
        """The bets as JSON's own types."""
        return asdict(self)


def read_calibration(document: Mapping[str, Any] | None) -> CalibrationWager:
    """What `to_document` wrote; where nothing was, no bet has been made."""
    if not document:
        return CalibrationWager()
    return CalibrationWager(**{**document, "logs": tuple(map(tuple, document["logs"]))})


def check_calibration(
    probabilities: Floats, y: Ints, *, alpha: float = 0.05, tolerance: float = 0.0
) -> CalibrationCheck:
    """Bet against calibration, label by label: alarms falsely with chance `alpha` over all looks.

    Rows stand in the order in which they were predicted, `probabilities` is (rows, classes). For
    each class (the last, of two) the stake is spread evenly over ways to be wrong (risk told too
    high or low, too sure or unsure); each grows by its likelihood ratio. `tolerance` is a shift in
    log-odds that is not held against the model: a bet is paid by the nearest tolerated probability.
    Give whole cohorts: labels that come sooner for one class are no fair sample.
    Sources: Ville's inequality; Arnold, Henzi and Ziegel, arXiv 2109.11761; Grünwald, de Heide and
    Koolen, JRSS B 86 (2024) 1091-1128.
    """
    return CalibrationWager().add(probabilities, y, tolerance=tolerance).check(alpha)


def _gains(p: Floats, truth: NDArray[np.bool_], tolerance: float) -> Floats:
    """Log likelihood ratio per row and bet, shape (rows, bets)."""
    p = np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    odds = np.log(p / (1 - p))[:, None]
    bets = np.array([bet for bet in product(_SHIFTS, _SLOPES) if bet != (0.0, 1.0)])
    wagered = bets[:, 0] + bets[:, 1] * odds
    tolerated = np.clip(wagered, odds - tolerance, odds + tolerance)
    sign = np.where(truth, 1.0, -1.0)[:, None]
    return np.asarray(np.logaddexp(0, -sign * tolerated) - np.logaddexp(0, -sign * wagered))


def _design(probabilities: Floats) -> Floats:
    """Terms of each class's score: log p, p, and the class's own constant but for the first."""
    rows, width = probabilities.shape
    design = np.zeros((rows, width, 1 + width))
    design[:, :, 0] = np.log(np.clip(probabilities, LEAST_PROBABILITY, 1.0))
    design[:, :, 1] = probabilities
    design[:, 1:, 2:] = np.eye(width - 1)
    return design


def _softmax(scores: Floats) -> Floats:
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = grown / grown.sum(axis=1, keepdims=True)
    return shares


def _slopes(design: Floats, truth: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Each row's gradient of the log likelihood, and its curvature."""
    q = _softmax(design @ theta)
    mean = np.einsum("ik,ikp->ip", q, design)
    scores = np.einsum("ik,ikp->ip", truth, design) - mean
    second = np.einsum("ik,ikp,ikr->ipr", q, design, design)
    return scores, second - mean[:, :, None] * mean[:, None, :]
