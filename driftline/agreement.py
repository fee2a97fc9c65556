"""Whether environments that were asked the same answer alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from driftline.contract import Contract
from driftline.export import TOLERANCE
from driftline.measured import Measured
from driftline.metrics import DECISION_METRICS, Scored, compute_metrics
from driftline.number_parity import allowed_share, spread_of, tell_gap
from driftline.questions import Request

State = Literal["equal", "different", "not run"]
LOGGED = "model__"  # what MLflow's names of hyperparameters begin with
METRIC_TOLERANCE = 1e-3  # a tie broken, or a bin crossed, by less than 1e-6


@dataclass(frozen=True)
class Response:
    """A status and a body."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Answers:
    """What an environment made of the records, and of the requests that are wrong.

    Of a number the label is empty, and the figures are the number and its interval's two ends.
    """

    labels: tuple[str, ...]
    risks: tuple[str | None, ...]
    probabilities: NDArray[np.float64]  # (records, classes); of a number (records, 3)
    errors: tuple[Response, ...] | None = None  # None where nothing there answers with errors
    about: Response | None = None  # what it tells of its model


@dataclass(frozen=True)
class Wanted:
    """What every environment should answer, and the truth of its first rows."""

    fitted: Answers
    requests: tuple[Request, ...]
    errors: tuple[Response, ...]
    about: Response
    y: NDArray[Any]


@dataclass(frozen=True)
class Agreement:
    """How an environment compares with the fitted pipeline, or why it was not run."""

    name: str
    state: State
    why: str = ""
    rows: int = 0
    labels_equal: bool | None = None
    max_probability_difference: float | None = None
    errors_equal: bool | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None


def compare(
    name: str, found: Answers, wanted: Wanted, contract: Contract, *, seconds: float | None = None
) -> Agreement:
    """Compare answers with the fitted pipeline's, and errors with what they should be."""
    fitted = wanted.fitted
    gap = largest_difference(found.probabilities, fitted.probabilities)
    wrong = differing_errors(found.errors, wanted.errors, wanted.requests)
    metrics = measure(found, wanted.y, contract)
    moved = differing_metrics(metrics, measure(fitted, wanted.y, contract))
    reasons = [
        f"{count_differing(found.labels, fitted.labels)} labels differ"
        if found.labels != fitted.labels
        else "",
        f"{count_differing(found.risks, fitted.risks)} risk levels differ"
        if found.risks != fitted.risks
        else "",
        describe_gap(gap, fitted, contract),
        f"metrics differ: {', '.join(moved)}" if moved else "",
        f"errors differ for: {', '.join(wrong)}" if wrong else "",
        "its /model differs" if found.about not in {None, wanted.about} else "",
    ]
    reasons = [reason for reason in reasons if reason]
    return Agreement(
        name=name,
        state="different" if reasons else "equal",
        why="; ".join(reasons),
        rows=len(found.labels),
        labels_equal=found.labels == fitted.labels,
        max_probability_difference=gap,
        errors_equal=None if found.errors is None else not wrong,
        metrics=metrics,
        seconds=seconds,
    )


def describe_gap(gap: float, fitted: Answers, contract: Contract) -> str:
    """What differs by more than it may, and by how much; empty where nothing does.

    Of a number see `driftline.number_parity`; its interval's ends are as far from it in all rows.
    """
    if contract.number is None:
        told = f"probabilities differ by {gap:.1e}, wanted {TOLERANCE:.0e}"
        return "" if gap <= TOLERANCE else told
    numbers = fitted.probabilities[:, 0]
    share, allowed = gap / spread_of(numbers), allowed_share(numbers)
    return "" if share <= allowed else f"numbers differ by {tell_gap(share, allowed)}"


def measure(answers: Answers, y: NDArray[Any], contract: Contract) -> dict[str, float]:
    """Metrics of the first answers, whose truth is known; nothing where there are too few."""
    if len(answers.labels) < len(y) or not len(y):
        return {}
    if contract.number is not None:
        return compute_metrics(Measured(y, answers.probabilities[: len(y), :1], contract.number))
    index = {name: i for i, name in enumerate(contract.classes)}
    scored = Scored(
        y=y,
        probabilities=answers.probabilities[: len(y)],
        predicted=np.array([index.get(label, -1) for label in answers.labels[: len(y)]]),
        positive=contract.positive[0] if contract.threshold is not None else None,
        threshold=contract.threshold,
    )
    return compute_metrics(scored)


def differing_metrics(found: Mapping[str, float], wanted: Mapping[str, float]) -> list[str]:
    """Names of the metrics that moved; those of decisions may not move at all."""
    return [
        name
        for name in sorted({*found, *wanted})
        if not np.isclose(
            found.get(name, np.inf),
            wanted.get(name, -np.inf),
            rtol=0,
            atol=0 if name in DECISION_METRICS else METRIC_TOLERANCE,
            equal_nan=True,
        )
    ]


def differing_parameters(logged: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """Hyperparameters whose logged text is not the value of the fitted classifier."""
    wanted = {k.removeprefix(LOGGED): v for k, v in logged.items() if k.startswith(LOGGED)}
    return [
        f"{name}: logged {text}, fitted {found.get(name, 'none')}"
        for name, text in sorted(wanted.items())
        if text != str(found.get(name, "none"))
    ]


def count_differing(found: Sequence[Any], wanted: Sequence[Any]) -> int:
    """Places where two sequences differ, missing ones counted."""
    pairs = sum(bool(a != b) for a, b in zip(found, wanted, strict=False))
    return pairs + abs(len(found) - len(wanted))


def largest_difference(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """The largest difference; infinite where shapes differ or a number is none."""
    if found.shape != wanted.shape:
        return float("inf")
    gap = float(np.abs(found - wanted).max(initial=0.0))
    return gap if np.isfinite(gap) else float("inf")


def differing_errors(
    found: Sequence[Response] | None, wanted: Sequence[Response], requests: Sequence[Request]
) -> list[str]:
    """Names of the requests whose status or body differs."""
    if found is None:
        return []
    return [r.name for r, a, b in zip(requests, found, wanted, strict=True) if a != b]
