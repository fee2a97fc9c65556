"""The verdict of a monitoring run, as a pure function of its evidence.

Broken data comes first: it is never learnt from. Then what labels prove: that a renewed model would
be better, by enough to be worth it, or that the champion lost its skill. Without labels a change of
the inputs, or an estimate that the answers got worse, calls for labels. No method without labels
can see that the same inputs have come to mean something else. What is judged (`windows`) may be
imported from here.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Literal

from driftline.calling import Call
from driftline.drift import ColumnChange
from driftline.problem import DriftPolicy
from driftline.promise import Promise
from driftline.shadow import AGAIN, Shadow
from driftline.standing import Standing, describe_due, describe_standing, is_renewal_due
from driftline.windows import Cohort, Quarantined, Window

__all__ = [
    "NOTHING_NEW",
    "Cohort",
    "DriftDecision",
    "Evidence",
    "Finding",
    "Quarantined",
    "Verdict",
    "Window",
    "decide_verdict",
    "describe_likely",
    "is_harm_likely",
    "judge_inputs",
    "judge_labels",
    "leaves_rows",
    "measure_suspicion",
    "name_of",
    "verdict_key",
]

NOTHING_NEW = ("nothing new",)
Verdict = Literal["ok", "watch", "quarantine", "retrain", "need_labels"]


@dataclass(frozen=True)
class DriftDecision:
    """A verdict with its reasons, most telling first."""

    verdict: Verdict
    reasons: tuple[str, ...]


def name_of(reason: str) -> str:
    """What a finding is about, without its figures: the same finding has the same name."""
    return re.sub(r"[-+]?\d[\d.,]*(e[-+]?\d+)?\s*%?", "#", reason)


@dataclass(frozen=True)
class Finding:
    """Something that was noticed of the inputs: what it is about, how strong, and in words.

    `strength` is 1 at the bound from which it counts.
    """

    about: str
    strength: float
    text: str


@dataclass(frozen=True)
class Evidence:
    """All that a verdict rests on.

    `findings` are changes that count; `told` are the strengths of those that people know of;
    `waiting` counts labels that are too few to be judged yet; `estimated` is the estimated rise of
    the loss as a share of the skill, from below, or None where nothing could be estimated; `doubt`
    says why it is not to be trusted. `answered` is how strong a suspicion was that a training has
    been ordered for already, `asked` how strong one that labels have been asked for, `call` what a
    training was called for last; `journalled` counts the rows of the journal. `taken_back` says why
    the champion before serves again, by `shadow`; `is_known` says that people have been told what
    the verdict comes to.
    """

    rows: int
    faults: tuple[str, ...] = ()
    changes: tuple[ColumnChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    told: dict[str, float] = field(default_factory=dict)
    promise: Promise | None = None
    standing: Standing = field(default_factory=Standing)
    waiting: int = 0
    estimated: float | None = None
    used_share: float = 0.0
    has_cohort: bool = False
    suspicions: tuple[bool, ...] = ()  # of the newest windows: whether harm was likely
    doubt: str = ""
    answered: float = 0.0
    asked: float = 0.0
    call: Call = field(default_factory=Call)
    journalled: int = 0
    taken_back: str = ""
    shadow: Shadow | None = None
    is_known: bool = False


def decide_verdict(evidence: Evidence, policy: DriftPolicy) -> DriftDecision:
    """`quarantine`, `retrain`, `need_labels`, `watch` or `ok`, with reasons."""
    if evidence.faults:
        return DriftDecision("quarantine", evidence.faults)
    if not (evidence.rows or evidence.has_cohort or evidence.waiting):
        return DriftDecision("ok", NOTHING_NEW)
    by_labels = judge_labels(evidence, policy)
    if evidence.taken_back:
        waits = "; a retraining waits" if by_labels and by_labels.verdict == "retrain" else ""
        return DriftDecision("watch", (evidence.taken_back + waits,))
    if by_labels is not None and by_labels.verdict == "retrain":
        return by_labels
    by_inputs = judge_inputs(evidence, policy)
    return by_inputs if by_labels is None else _combine(by_inputs, by_labels, evidence)


def _combine(
    by_inputs: DriftDecision, by_labels: DriftDecision, evidence: Evidence
) -> DriftDecision:
    """What inputs call for, where the labels call for nothing."""
    if by_inputs.verdict == "ok":
        return DriftDecision("ok", (*by_labels.reasons, *by_inputs.reasons))
    if by_inputs.verdict == "need_labels" and evidence.has_cohort:
        # the labels are there, and they show no harm that a renewal would mend
        return DriftDecision("watch", (*by_inputs.reasons[1:], *by_labels.reasons))
    return DriftDecision(by_inputs.verdict, (*by_inputs.reasons, *by_labels.reasons))


def judge_labels(evidence: Evidence, policy: DriftPolicy) -> DriftDecision | None:
    """What the labels call for: `retrain` or `ok`; None where none were judged."""
    standing, promise = evidence.standing, evidence.promise
    if promise is None or not standing.rows:
        return None
    if is_renewal_due(standing, promise, policy):
        return DriftDecision("retrain", (describe_due(standing, promise, policy),))
    return DriftDecision("ok", (describe_standing(standing, promise),))


def judge_inputs(evidence: Evidence, policy: DriftPolicy) -> DriftDecision:
    """What the inputs alone call for: `need_labels`, `retrain`, `watch` or `ok`."""
    waiting = f"{evidence.waiting} labels wait for more before they are judged"
    told: tuple[str, ...] = (waiting,) if evidence.waiting else ()
    if evidence.doubt and evidence.estimated is not None:
        told += (f"the estimate without labels is not trusted: {evidence.doubt}",)
    if not evidence.rows:
        return DriftDecision("ok", told or NOTHING_NEW)
    if evidence.rows < policy.min_rows:
        rows = "1 row" if evidence.rows == 1 else f"{evidence.rows} rows"
        few = f"only {rows}, wanted {policy.min_rows} to judge by"
        return DriftDecision("watch", (few, *told))
    texts = tuple(finding.text for finding in evidence.findings)
    if is_harm_likely(evidence, policy) and _is_confirmed(evidence, policy):
        is_trained = policy.without_labels == "retrain" and not evidence.standing.rows
        why = (describe_likely(evidence), *texts, *told)
        if not is_trained:
            return DriftDecision("need_labels", why)
        if measure_suspicion(evidence, policy) >= AGAIN * evidence.answered:
            return DriftDecision("retrain", why)
        told = ("a training was ordered for what makes harm likely already", *told)
    return _tell_changes(evidence, told)


def _tell_changes(evidence: Evidence, told: tuple[str, ...]) -> DriftDecision:
    """`watch` where a change is new or has grown, else `ok`."""
    fresh = [f for f in evidence.findings if f.strength >= AGAIN * evidence.told.get(f.about, 0)]
    if fresh:
        return DriftDecision("watch", (*(finding.text for finding in fresh), *told))
    if evidence.findings:
        return DriftDecision(
            "ok", (f"{len(evidence.findings)} changes that are known went on", *told)
        )
    return DriftDecision("ok", ("no column changed beyond policy and noise", *told))


def _is_confirmed(evidence: Evidence, policy: DriftPolicy) -> bool:
    """Whether harm was likely in k of the newest n windows, this one with them."""
    times, windows = policy.confirm
    newest = (*evidence.suspicions, True)[-windows:]
    return sum(newest) >= times


def is_harm_likely(evidence: Evidence, policy: DriftPolicy) -> bool:
    """Whether the answers have probably become worse, as far as the inputs can tell."""
    return measure_suspicion(evidence, policy) >= 1


def measure_suspicion(evidence: Evidence, policy: DriftPolicy) -> float:
    """How strongly the inputs speak for harm: 1 where it is likely.

    An estimate rests on probabilities that come true; where they do not it says nothing.
    """
    relied = evidence.used_share / policy.retrain_share
    if evidence.estimated is None or evidence.doubt:
        return relied
    return max(relied, evidence.estimated / (policy.harm / 2))


def describe_likely(evidence: Evidence) -> str:
    """Why harm is likely, and what to do."""
    parts = []
    if evidence.used_share > 0:
        parts.append(f"{evidence.used_share:.0%} of what the model relies on has changed")
    if evidence.estimated is not None and evidence.estimated > 0 and not evidence.doubt:
        parts.append(f"its answers are estimated to lose {evidence.estimated:.0%} of its skill")
    if evidence.promise is not None and not evidence.promise.has_skill:
        blind = evidence.promise.blind
        parts.append(f"the champion has no skill to lose: it is hardly better than {blind}")
    return f"{' and '.join(parts)}; label the listed rows to see whether this does harm"


def leaves_rows(decision: DriftDecision, evidence: Evidence, policy: DriftPolicy) -> bool:
    """Whether the rows are too few to be judged, and wait for those that a later look finds."""
    return decision.verdict != "quarantine" and evidence.rows < policy.min_rows


def verdict_key(problem: str, model_version: str, *, first: int, last: int, last_label: int) -> str:
    """One name for one piece of evidence, so that it is judged once."""
    text = f"{problem}:{model_version}:{first}:{last}:{last_label}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
