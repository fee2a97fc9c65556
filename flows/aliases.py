"""How an alias changes hands: first the journal says so, then the registry does it.

A run that dies in between is finished by `settle_aliases`, which every flow that moves one calls
first. An alias that somebody moved past us is left alone, and told by `flows.journal --verify`.
"""

from driftline.errors import NotFoundError
from driftline.journal import is_step_back, last_holders, previous_holder
from driftline.problem import Problem
from driftline.promotion import Decision
from tasks.journal import read_journal, write_journal
from tasks.packaging import served_version
from tasks.progress import tell
from tasks.registry import (
    CHALLENGER,
    CHAMPION,
    has_version,
    move_alias,
    read_holders,
    tag_decision,
)


def hand_over(
    name: str, alias: str, version: str | None, *, actor: str, why: str, evidence: str
) -> None:
    """Journal the change, then make it."""
    before = read_holders(name)[alias]
    if before != version:
        write_journal(
            name,
            actor=actor,
            alias=alias,
            before=before,
            after=version,
            why=why,
            evidence=evidence,
        )
        move_alias(name, alias, version)


def settle_aliases(name: str) -> None:
    """Make what the journal announced and a dead run did not get to.

    `NotFoundError` where the registry lacks a version that the journal names: they belong to
    different systems, and whatever would be decided on both would be wrong.
    """
    entries = read_journal(name)
    holders = read_holders(name)
    for alias, version in last_holders(entries).items():
        last = [entry for entry in entries if entry.alias == alias][-1]
        if version is not None and not has_version(name, version):
            message = (
                f"{name}: the journal names version {version} as {alias}, and the registry has no "
                "such version; wanted the one that belongs to this journal (MLFLOW_TRACKING_URI "
                "goes with DRIFTLINE_DATABASE_URL)"
            )
            raise NotFoundError(message)
        if holders.get(alias) != version and holders.get(alias) == last.before:
            tell(f"finishing what an interrupted run began: {alias} is version {version}")
            move_alias(name, alias, version)


def is_served(name: str, version: str | None) -> bool:
    """Whether services answer with this version, as far as packaging has to do with it."""
    return (served_version(name) or "").startswith(f"{name}:v{version}-")


def apply_decision(
    problem: Problem, version: str, decision: Decision, *, actor: str, evidence: str
) -> dict[str, str | None]:
    """Promote or reject a version; returns who is champion now and who was before."""
    previous = read_holders(problem.name)[CHAMPION]
    tag_decision(problem, version, decision)
    why = "; ".join(decision.reasons)
    alias = CHAMPION if decision.is_promoted else CHALLENGER
    hand_over(problem.name, alias, version, actor=actor, why=why, evidence=evidence)
    return {"champion": version if decision.is_promoted else previous, "previous": previous}


def roll_back(problem: Problem, *, actor: str, why: str) -> dict[str, str | None]:
    """Give the alias back to the champion before this one; finish a rollback that was cut off."""
    entries = read_journal(problem.name)
    now = read_holders(problem.name)[CHAMPION]
    if is_step_back(entries, CHAMPION):
        last = [entry for entry in entries if entry.alias == CHAMPION][-1]
        if now != last.after or not is_served(problem.name, last.after):
            tell(f"finishing the rollback to version {last.after} that was interrupted")
            settle_aliases(problem.name)
            return {"champion": last.after, "previous": last.before}
    settle_aliases(problem.name)
    earlier = previous_holder(entries, CHAMPION)
    if earlier is None:
        message = f"{problem.name}: the journal knows no champion before version {now}"
        raise NotFoundError(message)
    hand_over(problem.name, CHAMPION, earlier, actor=actor, why=why, evidence=why)
    return {"champion": earlier, "previous": now}
