"""How a trial begins: who may be given to people, and what is declared of it."""

import secrets
from dataclasses import dataclass

from driftline.errors import DriftlineError, NotFoundError
from driftline.journal import is_overtaken
from driftline.problem import Problem
from driftline.served import ServedModel
from driftline.trial import Evidence, Limits, Trial, find_obstacle
from flows.shared.aliases import (
    hand_over,
    insist_on_promoted,
    moved_meanwhile,
    read_promoted,
    settle_aliases,
)
from flows.shared.running import Sections
from flows.shared.trials import find_start, go_on, tell_trial
from tasks.log import trials
from tasks.log.journal import read_journal
from tasks.models.registry import (
    CHAMPION,
    CONTENDER,
    has_version,
    read_holders,
    read_verdict,
    read_version,
)
from tasks.people.events import TRIAL_STARTED, ring
from tasks.progress import step
from tasks.shipping.packaging import digest_model
from tasks.shipping.trials import answers_alike


@dataclass(frozen=True)
class Terms:
    """What is declared of a trial: its share, the field that names a subject, and its limits."""

    share: float
    field: str
    limits: Limits


def start_trial(spec: Problem, version: str, terms: Terms, *, actor: str) -> Sections:
    """Give a registered version part of the traffic; `DriftlineError` where that may not be."""
    rows = settle_aliases(spec.name)
    champion = read_promoted(spec)
    contender = choose(spec, version, champion, terms)
    first = trials.read_last_prediction()
    why = f"answers {terms.share:.0%} of the traffic in a trial against version {champion.version}"
    is_done = hand_over(
        spec.name,
        CONTENDER,
        version,
        rows=rows,
        actor=actor,
        why=why,
        evidence=why,
        promoted=digest_model(spec, contender.contract, contender.onnx),
    )
    if not is_done:
        raise moved_meanwhile(spec)
    trial = Trial(
        key=find_start(read_journal(spec.name)).sha256,
        version=version,
        champion=champion.version,
        share=terms.share,
        salt=secrets.token_hex(16),
        field=terms.field,
        limits=terms.limits,
        first=first,
        started_at=trials.now(),
        evidence=Evidence(),
    )
    trials.write_trial(spec, trial)
    kept = trials.read_trial(trial.key)
    with step("part the traffic"):
        if kept is None or kept.salt != trial.salt or not go_on(spec, contender, kept):
            raise moved_meanwhile(spec)
    ring(TRIAL_STARTED, spec.name, {"version": version, "reasons": [f"version {version} {why}"]})
    return tell_trial(trial, "running", why)


def choose(spec: Problem, version: str, champion: ServedModel, terms: Terms) -> ServedModel:
    """The contender; `DriftlineError` says why a version cannot be one."""
    running = read_holders(spec.name)[CONTENDER]
    if running is not None:
        message = (
            f"{spec.name}: a trial of version {running} is under way, wanted none; end it first "
            f"(python -m flows.ab {spec.name} --stop)"
        )
        raise DriftlineError(message)
    if version == champion.version:
        message = f"{spec.name}: version {version} is the champion, wanted another version"
        raise DriftlineError(message)
    if not has_version(spec.name, version):
        raise NotFoundError(f"{spec.name}: the registry has no version {version}")
    overtaken = is_overtaken(read_journal(spec.name), version, by=CHAMPION)
    obstacle = find_obstacle(*read_verdict(spec, version), is_overtaken=overtaken)
    if obstacle is not None:
        raise DriftlineError(f"{spec.name}: version {version} cannot be tried: {obstacle}")
    contender = read_version(spec, version)
    if contender is None:
        raise NotFoundError(f"{spec.name}: the registry has no version {version}")
    insist_on_promoted(spec, contender)
    _insist_on_likeness(spec, champion, contender, terms)
    return contender


def _insist_on_likeness(
    spec: Problem, champion: ServedModel, contender: ServedModel, terms: Terms
) -> None:
    """Refuse a contender that is asked, or answers, otherwise, and a key that nobody is asked."""
    if not answers_alike(champion, contender):
        message = (
            f"{spec.name}: version {contender.version} takes or computes other fields, or answers "
            f"otherwise, than the champion (version {champion.version}); wanted one of the same "
            "problem file"
        )
        raise DriftlineError(message)
    names = champion.contract.field_names
    if terms.field and terms.field not in names:
        message = (
            f"key: got {terms.field!r}, wanted one of the fields that are asked "
            f"({', '.join(names)}), or none for the header X-Driftline-Key"
        )
        raise DriftlineError(message)
