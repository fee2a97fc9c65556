"""How a trial goes on and ends: in the journal first, then where services find its split.

The contender holds an alias of its own for as long as it lasts, so the journal says who was given
to people when, and a run that died in between is finished by the next one.
"""

import json

import numpy as np

from driftline.change_plan import await_person
from driftline.errors import NotFoundError
from driftline.journal import Entry
from driftline.problem import Problem
from driftline.promotion import Decision
from driftline.served import ServedModel
from driftline.trial import Evidence, Losses, Outcome, Trial
from flows.evidence import write_card
from flows.package import package
from flows.shared.aliases import (
    apply_decision,
    hand_over,
    is_served,
    moved_meanwhile,
    read_promoted,
    settle_aliases,
)
from flows.shared.running import Sections
from tasks.data.cleaning import clean_cohort
from tasks.log import predictions, trials
from tasks.log.journal import read_journal
from tasks.models.registry import (
    CHAMPION,
    CONTENDER,
    bind_contract,
    read_holders,
    read_if_there,
    run_of,
)
from tasks.people.events import MODEL_PROMOTED, MODEL_WAITING, TRIAL_ENDED, ring
from tasks.progress import step, tell
from tasks.shipping.packaging import digest_model
from tasks.shipping.trials import give_traffic_back, part_traffic
from tasks.watch import cohorts


def judge_trial(spec: Problem, *, actor: str) -> Sections:
    """Add what labels have come to the trial that is under way, and end it where that is due."""
    if not any(entry.alias == CONTENDER for entry in read_journal(spec.name)):
        return {}
    rows = settle_aliases(spec.name)
    trial = find_running(spec, actor=actor)
    if trial is None:
        return {}
    champion = read_holders(spec.name)[CHAMPION]
    if champion != trial.champion:
        return end_overtaken(spec, trial, str(champion), actor=actor)
    contender = read_if_there(spec, trial.version)
    if contender is None:
        return end_trial(spec, trial, Outcome("stopped", "its files cannot be had"), actor=actor)
    return decide(spec, trial, contender, rows=rows, actor=actor)


def find_running(spec: Problem, *, actor: str) -> Trial | None:
    """The trial that is under way; what a dead run left of another one is cleared away."""
    is_held = read_holders(spec.name)[CONTENDER] is not None
    trial = trials.read_trial(find_start(read_journal(spec.name)).sha256) if is_held else None
    if trial is None:
        if is_held:
            end_alias(spec, "its start was interrupted", actor=actor)
        give_traffic_back(spec)
        trials.end_left_trials(spec)
    return trial


def decide(
    spec: Problem, trial: Trial, contender: ServedModel, *, rows: int, actor: str
) -> Sections:
    """Weigh the labels that have come; go on, end, or let the contender take over."""
    champion, policy = read_promoted(spec), spec.drift
    with step("judge trial"):
        trial = weigh(spec, trial, champion, contender)
    unit = cohorts.shadow_loss(champion)[2]
    outcome = trial.end(
        trials.now(), policy.false_retrains, least_rows=policy.min_labels, unit=unit
    )
    if outcome is None:
        if not go_on(spec, contender, trial):
            tell(f"another run has ended the trial of version {trial.version} meanwhile")
            return {}
        return tell_trial(trial, "running", trial.evidence.describe(unit))
    if outcome.verdict != "better":
        return end_trial(spec, trial, outcome, actor=actor)
    promoted = take_over(spec, trial, contender, outcome, rows=rows, actor=actor)
    return promoted | end_trial(spec, trial, outcome, actor=actor)


def go_on(spec: Problem, contender: ServedModel, trial: Trial) -> bool:
    """Have the split where services find it; False where another run has ended the trial."""
    if last_change(spec).sha256 == trial.key:
        part_traffic(spec, contender, trial)
    now = last_change(spec)
    if now.after is None:
        give_traffic_back(spec)
    return now.sha256 == trial.key


def last_change(spec: Problem) -> Entry:
    """The journal's last row on a contender."""
    return [entry for entry in read_journal(spec.name) if entry.alias == CONTENDER][-1]


def weigh(spec: Problem, trial: Trial, champion: ServedModel, contender: ServedModel) -> Trial:
    """The trial with the rows that have been labelled since, each asked of both models."""
    arms, last = predictions.read_arms(spec, trial)
    pairs = {}
    for answered, other in ((champion, contender), (contender, champion)):
        rows = arms[answered.version]
        pairs[answered.version] = (np.empty(0), np.empty(0))
        if len(rows):
            cohort = clean_cohort(rows, spec)
            pairs[answered.version] = cohorts.ask_other(cohort, other, spec, champion=champion)
    ours, theirs = pairs[champion.version], pairs[contender.version]
    evidence = trial.evidence.add(
        Losses(champion=ours[0], contender=ours[1]),
        Losses(champion=theirs[1], contender=theirs[0]),
        last_label=last,
    )
    trials.write_evidence(trial.key, evidence)
    return trial.with_evidence(evidence)


def take_over(
    spec: Problem,
    trial: Trial,
    contender: ServedModel,
    outcome: Outcome,
    *,
    rows: int,
    actor: str,
) -> Sections:
    """Promote the contender as any model is, or let it wait where a person promotes."""
    version = trial.version
    decision = await_person(Decision("promoted", (outcome.reason,)), spec)
    bound = contender.contract
    if decision.is_promoted:
        bound = bind_contract(run_of(spec, version), bound, version, is_promoted=True)
    holders = apply_decision(
        spec,
        version,
        decision,
        rows=rows,
        actor=actor,
        evidence=json.dumps(trial.evidence.to_document(), default=float),
        promoted=digest_model(spec, bound, contender.onnx),
    )
    if holders is None:
        raise moved_meanwhile(spec)
    told = {"version": version, "reasons": list(decision.reasons)}
    sections: Sections = {
        "promotion": {"verdict": decision.verdict, "reasons": list(decision.reasons), **holders}
    }
    if not decision.is_promoted:
        ring(MODEL_WAITING, spec.name, told)
        return sections
    packaged = package(spec.name)
    card = write_card(spec, read_promoted(spec))
    ring(MODEL_PROMOTED, spec.name, told)
    sections |= {key: packaged[key] for key in ("model", "bento")}
    return sections | {"evidence": {"card": card.link}}


def end_overtaken(spec: Problem, trial: Trial, champion: str, *, actor: str) -> Sections:
    """End a trial whose champion serves no more; a contender that a dead run promoted has won."""
    if champion != trial.version:
        reason = f"version {champion} has become champion meanwhile"
        return end_trial(spec, trial, Outcome("overtaken", reason), actor=actor)
    if not is_served(spec.name, champion):
        package(spec.name)
    return end_trial(spec, trial, Outcome("better", "it has become champion"), actor=actor)


def stop_trial(spec: Problem, *, actor: str) -> Sections:
    """End the trial since a person wants it; `NotFoundError` where there is none."""
    settle_aliases(spec.name)
    trial = find_running(spec, actor=actor)
    if trial is None:
        raise NotFoundError(f"{spec.name}: no trial is under way, wanted one to stop")
    return end_trial(spec, trial, Outcome("stopped", "stopped by a person"), actor=actor)


def end_trial(spec: Problem, trial: Trial, outcome: Outcome, *, actor: str) -> Sections:
    """The journal says that it ended and why, and the champion answers all."""
    end_alias(spec, outcome.reason, actor=actor, evidence=trial.evidence)
    trials.end_trial(trial.key, outcome)
    give_traffic_back(spec)
    tell(f"the trial of version {trial.version} has ended: {outcome.reason}")
    told = {"version": trial.version, "outcome": outcome.verdict, "reasons": [outcome.reason]}
    ring(TRIAL_ENDED, spec.name, told)
    return tell_trial(trial, outcome.verdict, outcome.reason)


def end_alias(spec: Problem, why: str, *, actor: str, evidence: Evidence | None = None) -> None:
    """Take the contender's alias away; asked again where another run has written meanwhile."""
    kept = why if evidence is None else json.dumps(evidence.to_document(), default=float)
    while not hand_over(
        spec.name,
        CONTENDER,
        None,
        rows=settle_aliases(spec.name),
        actor=actor,
        why=f"the trial has ended: {why}",
        evidence=kept,
        promoted=None,
    ):
        tell("another run wrote to the journal meanwhile; writing again")


def find_start(entries: list[Entry]) -> Entry:
    """The journal's row by which the newest trial began."""
    return [entry for entry in entries if entry.alias == CONTENDER and entry.after][-1]


def tell_trial(trial: Trial, verdict: str, reason: str) -> Sections:
    """The trial as a section of a summary."""
    told = {
        "verdict": verdict,
        "reason": reason,
        "version": trial.version,
        "champion": trial.champion,
        "share": trial.share,
        "rows": trial.evidence.rows,
        "saved": trial.evidence.saved,
        "own_loss": {
            trial.champion: trial.evidence.champion.mean,
            trial.version: trial.evidence.contender.mean,
        },
    }
    return {"trial": told}
