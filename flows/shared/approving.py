"""How a model that waits for a person becomes champion."""

from dataclasses import replace

from driftline.errors import NotFoundError
from driftline.journal import is_overtaken
from driftline.problem import Problem
from driftline.promotion import Decision
from driftline.served import ServedModel
from flows.shared.aliases import hand_over, insist_on_promoted, moved_meanwhile, settle_aliases
from tasks.log.journal import read_journal
from tasks.models.registry import (
    CHAMPION,
    bind_contract,
    find_waiting,
    read_holders,
    read_version,
    run_of,
    tag_decision,
)
from tasks.shipping.packaging import digest_model

WHY = "passed its gate, and a person agreed"


def approve(problem: Problem, *, actor: str) -> dict[str, str | None]:
    """Give the champion's alias to the challenger that passed its gate and waits for a person.

    `NotFoundError` where none waits, or another champion than the one it was compared with serves.
    """
    rows = settle_aliases(problem.name)
    version, previous = find_waiting(problem), read_holders(problem.name)[CHAMPION]
    if version is None:
        message = f"{problem.name}: no model waits for a person, wanted one that passed its gate"
        raise NotFoundError(message)
    if version == previous:  # an approval that was cut off has done this already
        return _conclude(problem, version, previous=None)
    if is_overtaken(read_journal(problem.name), version, by=CHAMPION):
        message = (
            f"{problem.name}: the champion has changed since version {version} was compared with "
            f"it; train again (python -m flows.train {problem.name})"
        )
        raise NotFoundError(message)
    model = read_waiting(problem, version)
    bound = bind_contract(run_of(problem, version), model.contract, version, is_promoted=True)
    is_done = hand_over(
        problem.name,
        CHAMPION,
        version,
        rows=rows,
        actor=actor,
        why=WHY,
        evidence=WHY,
        promoted=digest_model(problem, bound, model.onnx),
    )
    if not is_done:
        raise moved_meanwhile(problem)
    return _conclude(problem, version, previous=previous)


def _conclude(problem: Problem, version: str, *, previous: str | None) -> dict[str, str | None]:
    """It waits no more."""
    tag_decision(problem, version, Decision("promoted", (WHY,)))
    return {"champion": version, "previous": previous}


def read_waiting(problem: Problem, version: str) -> ServedModel:
    """The version as it would serve, which has to be the one that the journal knows.

    Its contract may say already that it was promoted, by a run that died before it was.
    """
    model = read_version(problem, version)
    if model is None:
        message = f"{problem.name}: the registry has no version {version} any more"
        raise NotFoundError(message)
    unbound = model.contract.for_version(model.version, promoted_at="")
    insist_on_promoted(problem, replace(model, contract=unbound))
    return model
