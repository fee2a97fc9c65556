"""The evidence as the next look finds it: what a renewal costs by then, and what people know."""

from dataclasses import replace

from driftline.calling import Call
from driftline.problem import DriftPolicy
from driftline.shadow import AGAIN
from driftline.standing import is_relation_lost
from driftline.verdicts import DriftDecision, Evidence, is_harm_likely, measure_suspicion


def close_look(decision: DriftDecision, evidence: Evidence, policy: DriftPolicy) -> Evidence:
    """The evidence as the next look finds it: the price, and what people have been told."""
    standing, is_due = evidence.standing, decision.verdict == "retrain"
    if evidence.has_cohort or (is_due and standing.rows):  # what is bought is dearer next time
        standing = standing.after(is_renewal_due=is_due, policy=policy)
    told = {
        finding.about: max(finding.strength, evidence.told.get(finding.about, 0.0))
        for finding in evidence.findings
    }
    if evidence.rows < policy.min_rows:
        told = evidence.told  # nobody was told anything
    suspicions = evidence.suspicions
    if evidence.rows >= policy.min_rows:
        suspicions = (*suspicions, is_harm_likely(evidence, policy))[-policy.confirm[1] :]
    answered = evidence.answered
    if decision.verdict == "retrain":
        answered = max(answered, measure_suspicion(evidence, policy))
    asked, is_known = _note_asking(decision, evidence, policy)
    call = evidence.call
    if decision.verdict == "retrain":
        now = _note_call(evidence, policy)
        is_known = call.covers(now)
        call = call if is_known else now
    elif _has_passed(evidence, policy):
        call = Call()
    shadow = None if evidence.shadow is None else evidence.shadow.after(policy)
    return replace(
        evidence,
        standing=standing,
        told=told,
        suspicions=suspicions,
        answered=answered,
        asked=asked,
        call=call,
        is_known=is_known,
        shadow=shadow,
    )


def _note_asking(
    decision: DriftDecision, evidence: Evidence, policy: DriftPolicy
) -> tuple[float, bool]:
    """How strong a suspicion has been asked about, and whether people know what is asked now."""
    if decision.verdict == "need_labels":
        strength = measure_suspicion(evidence, policy)
        return max(strength, evidence.asked), strength < AGAIN * evidence.asked
    has_passed = evidence.rows >= policy.min_rows and not is_harm_likely(evidence, policy)
    return 0.0 if has_passed else evidence.asked, evidence.is_known


def _note_call(evidence: Evidence, policy: DriftPolicy) -> Call:
    """What a training is called for now."""
    standing, promise = evidence.standing, evidence.promise
    if promise is None or not standing.rows:
        return Call("inputs", measure_suspicion(evidence, policy), evidence.journalled)
    worst = max(standing.recent_lost, standing.recent_excess) / promise.skill
    strength = max(worst, standing.recalibration.recent_saved)
    return Call("labels", strength, evidence.journalled)


def _has_passed(evidence: Evidence, policy: DriftPolicy) -> bool:
    """Whether what a training was called for is there no more."""
    if evidence.call.by == "labels":
        standing = evidence.standing
        is_quiet = standing.recent_lost <= 0 and not is_relation_lost(standing, policy)
        return evidence.has_cohort and is_quiet
    return evidence.rows >= policy.min_rows and not is_harm_likely(evidence, policy)
