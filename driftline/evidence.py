"""From what inputs and labels show to the evidence that a verdict rests on."""

from dataclasses import dataclass, field

from driftline.calibration import CalibrationWager
from driftline.calling import read_call
from driftline.findings import Inputs
from driftline.problem import DriftPolicy
from driftline.promise import Promise
from driftline.shadow import Shadow
from driftline.standing import Standing
from driftline.verdicts import Evidence, Window


@dataclass(frozen=True)
class Labels:
    """What the labels of a window show; `waiting` are too few to be judged yet.

    `calibration` is of labels that were judged, `doubted` of those that wait too.
    """

    window: Window
    promise: Promise | None
    standing: Standing
    waiting: int = 0
    shadow: Shadow | None = None
    calibration: CalibrationWager = field(default_factory=CalibrationWager)
    doubted: CalibrationWager = field(default_factory=CalibrationWager)
    has_cohort: bool = False


def weigh(
    inputs: Inputs, labels: Labels, policy: DriftPolicy, *, champion: str, journalled: int = 0
) -> Evidence:
    """All that a verdict on this champion rests on; `journalled` counts the journal's rows.

    An estimate without labels counts only while the probabilities come true on the labels so far.
    """
    promise, state = labels.promise, labels.window.state
    use = {} if promise is None else promise.use
    check = labels.doubted.check()
    shadow = labels.shadow
    is_worse = shadow is not None and shadow.is_better(policy)
    return Evidence(
        rows=inputs.rows,
        faults=inputs.faults,
        changes=inputs.changes,
        findings=inputs.findings(use),
        told=dict(state.get("told", {})),
        promise=promise,
        standing=labels.standing,
        has_cohort=labels.has_cohort,
        waiting=labels.waiting,
        estimated=inputs.estimated,
        doubt="" if check.holds else check.description,
        used_share=inputs.used_share(use),
        suspicions=tuple(state.get("suspicions", ())),
        answered=float(state.get("answered", 0.0)),
        asked=float(state.get("asked", 0.0)),
        call=read_call(state.get("call")),
        journalled=journalled,
        taken_back=shadow.describe(champion) if shadow is not None and is_worse else "",
        shadow=shadow,
        is_known=shadow is not None and shadow.is_known,
    )
