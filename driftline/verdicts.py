"""The verdict of a monitoring run, as a pure function of its evidence.

Broken data comes first: it is never learnt from. Then harm that labels prove. Changed inputs alone
call for labels, or for watching, not for training.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.drift import ColumnChange, DriftDecision, decide_drift
from driftline.problem import DriftPolicy

RESAMPLES = 2000


@dataclass(frozen=True)
class Window:
    """What came since the last verdict: inputs in order, and the labelled rows among all.

    `labelled` holds the inputs plus `_label` (a class name) and `_probabilities` (class order).
    """

    inputs: pd.DataFrame
    labelled: pd.DataFrame
    first: int
    last: int
    last_label: int
    seen: int
    seen_label: int

    def judged_elsewhere(self) -> "Window":
        """The window without what came in: a verdict on other rows leaves it to be judged."""
        return Window(
            inputs=self.inputs.head(0),
            labelled=self.labelled.head(0),
            first=self.seen,
            last=self.seen,
            last_label=self.seen_label,
            seen=self.seen,
            seen_label=self.seen_label,
        )


@dataclass(frozen=True)
class Harm:
    """How much worse the model is on labelled rows than on its own holdout, as mean Brier score."""

    labels: int
    before: float
    now: float
    low: float
    high: float


@dataclass(frozen=True)
class Evidence:
    """All that a verdict rests on."""

    rows: int
    faults: tuple[str, ...]
    changes: tuple[ColumnChange, ...]
    harm: Harm | None


def measure_harm(
    reference_losses: NDArray[np.float64], current_losses: NDArray[np.float64], *, seed: int
) -> Harm | None:
    """The rise of the mean loss with its 95 % bootstrap interval; None without rows on a side."""
    if not len(reference_losses) or not len(current_losses):
        return None
    rng = np.random.default_rng(seed)
    rises = [
        rng.choice(current_losses, len(current_losses)).mean()
        - rng.choice(reference_losses, len(reference_losses)).mean()
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(rises, [2.5, 97.5])
    return Harm(
        labels=len(current_losses),
        before=float(reference_losses.mean()),
        now=float(current_losses.mean()),
        low=float(low),
        high=float(high),
    )


def decide_verdict(evidence: Evidence, policy: DriftPolicy) -> DriftDecision:
    """`quarantine`, `retrain`, `need_labels`, `watch` or `ok`, with reasons."""
    if evidence.faults:
        return DriftDecision("quarantine", evidence.faults)
    harm = evidence.harm
    has_labels = harm is not None and harm.labels >= policy.min_labels
    if harm is not None and has_labels and harm.low > 0 and harm.now - harm.before >= policy.harm:
        return DriftDecision("retrain", (_describe(harm), *_changed(evidence.changes)))
    if not evidence.rows:
        return DriftDecision("ok", ("nothing new",))
    by_inputs = decide_drift(evidence.changes, policy, rows=evidence.rows)
    if by_inputs.verdict != "retrain":
        unharmed = (f"no harm shown: {_describe(harm)}",) if harm is not None else ()
        return DriftDecision(by_inputs.verdict, (*by_inputs.reasons, *unharmed))
    if has_labels and harm is not None:
        return DriftDecision("watch", (*by_inputs.reasons, f"no harm shown: {_describe(harm)}"))
    got = 0 if harm is None else harm.labels
    wanted = f"{got} labels, wanted {policy.min_labels} to tell whether this does harm"
    return DriftDecision("need_labels", (*by_inputs.reasons, wanted))


def verdict_key(problem: str, model_version: str, *, first: int, last: int, last_label: int) -> str:
    """One name for one piece of evidence, so that it is judged once."""
    text = f"{problem}:{model_version}:{first}:{last}:{last_label}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _describe(harm: Harm) -> str:
    return (
        f"mean Brier score {harm.now:.4f} on {harm.labels} labelled rows, {harm.before:.4f} on its "
        f"holdout (rise between {harm.low:+.4f} and {harm.high:+.4f})"
    )


def _changed(changes: Sequence[ColumnChange]) -> tuple[str, ...]:
    drifted = [change.column for change in changes if change.has_drifted]
    return (f"changed inputs: {', '.join(drifted)}",) if drifted else ()
