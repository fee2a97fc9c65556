"""How a model of a number did on its test rows, for people: coverage, errors, pictures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from driftline.figures import draw
from driftline.measured import Measured
from driftline.thresholds import count_effective, wilson_bounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CONFIDENCE: Final = 0.975  # one-sided, so that the interval covers 95 %
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Coverage:
    """The share of test rows whose interval held the truth, with Wilson's interval of it."""

    wanted: float
    reach: float
    rows: int
    measured: float
    low: float
    high: float


def measure_coverage(test: Measured) -> Coverage:
    """How often the intervals held the truth, by the rows' weights."""
    rows, spec = len(test.y), test.spec
    covered = float(np.average(test.is_covered, weights=test.weights)) if rows else 0.0
    worth = count_effective(rows, test.weights)
    low, high = wilson_bounds(covered * worth, worth, CONFIDENCE)
    return Coverage(spec.coverage, spec.reach, rows, covered, low, high)


def describe_errors(test: Measured) -> str:
    """Quantiles of the errors (answer minus truth), and of their sizes."""
    errors = test.predicted - test.y
    lines = [f"{len(errors)} test rows; mean error {errors.mean():+.6g}", "share  error  size"]
    for share in QUANTILES:
        error, size = np.quantile(errors, share), np.quantile(np.abs(errors), share)
        lines.append(f"{share:5.0%}  {error:+.6g}  {size:.6g}")
    return "\n".join(lines) + "\n"


def draw_numbers(test: Measured, unit: str | None) -> "dict[str, Figure]":
    """Truth and errors against the answers, with the intervals."""
    return {"truth": draw(_truth, test, unit), "errors": draw(_errors, test, unit)}


def _truth(axes: "Axes", test: Measured, unit: str | None) -> None:
    order = np.argsort(test.predicted)
    low, high = test.ends
    answers = test.predicted[order]
    axes.fill_between(answers, low[order], high[order], color="#3b6ea5", alpha=0.2)
    axes.plot(answers, answers, color="grey", linewidth=0.8)
    axes.scatter(test.predicted, test.y, s=6, color="#3b6ea5")
    axes.set_xlabel(_named("predicted", unit))
    axes.set_ylabel(_named("true", unit))


def _errors(axes: "Axes", test: Measured, unit: str | None) -> None:
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.scatter(test.predicted, test.predicted - test.y, s=6, color="#3b6ea5")
    axes.set_xlabel(_named("predicted", unit))
    axes.set_ylabel(_named("predicted minus true", unit))


def _named(what: str, unit: str | None) -> str:
    return what if unit is None else f"{what} ({unit})"
