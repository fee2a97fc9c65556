"""How an alias changes hands: first the journal says so, then the registry does it.

A run that dies in between is finished by `settle_aliases`, which every flow that moves one calls
first. Of several runs at once, the one whose row comes first is right: the others find that the
journal has grown since they looked, and decide anew. An alias that somebody moved past us is left
alone, and told by `flows.journal --verify`.
"""

from collections.abc import Sequence

from driftline.dataset import draft_contract
from driftline.errors import DataError, DriftlineError, LostModelError, NotFoundError
from driftline.journal import (
    Anchor,
    Entry,
    Promoted,
    find_promoted,
    is_step_back,
    last_holders,
    previous_holder,
)
from driftline.problem import Problem
from driftline.promotion import Decision
from driftline.served import ServedModel, find_difference
from flows.shared.interrupts import PROMOTED
from tasks.log.journal import anchor_rows, lost_journal, read_journal, write_journal
from tasks.models.registry import (
    CHALLENGER,
    CHAMPION,
    has_version,
    move_alias,
    read_champion,
    read_head,
    read_holders,
    read_model,
    tag_decision,
    tag_head,
)
from tasks.progress import tell
from tasks.shipping.packaging import digest_model, served_tag


def hand_over(
    name: str,
    alias: str,
    version: str | None,
    *,
    rows: int,
    actor: str,
    why: str,
    evidence: str,
    promoted: Promoted | None,
) -> bool:
    """Journal the change, then make it; False where the journal has more rows than were seen.

    `promoted` are the digests of what the version is, as far as they are known.
    """
    before = read_holders(name)[alias]
    if before == version:
        return True
    is_written = write_journal(
        name,
        rows=rows,
        actor=actor,
        alias=alias,
        before=before,
        after=version,
        why=why,
        evidence=evidence,
        promoted=promoted,
    )
    if is_written:
        if alias == CHAMPION:
            PROMOTED.append(f"version {version}")
        anchor_journal(name, read_journal(name))
        follow_journal(name, alias)
    return is_written


def anchor_journal(name: str, entries: Sequence[Entry]) -> None:
    """Keep in the store and in the registry which rows the journal has."""
    if entries:
        anchor_rows(name, entries)
        tag_head(name, Anchor(entries[-1].number, entries[-1].sha256))


def follow_journal(name: str, alias: str) -> None:
    """Give the alias to whom the journal names, and look again: another run may have moved it."""
    while (told := last_holders(read_journal(name))[alias]) != read_holders(name)[alias]:
        move_alias(name, alias, told)


def insist_on_head(name: str, entries: Sequence[Entry]) -> None:
    """`LostJournalError` where the registry knows rows and none is there; a cut end is told."""
    head = read_head(name)
    if head is None or (entries and entries[-1].number >= head.number):
        return
    if not entries:
        raise lost_journal(name, head)
    tell(
        f"{name}: the journal ends with row {entries[-1].number}, and had {head.number}; write "
        f"those that are lost from the store: python -m flows.journal {name} --restore"
    )


def settle_aliases(name: str) -> int:
    """Make what the journal announced and a dead run did not get to; how many rows it has.

    `NotFoundError` where the registry lacks a version that the journal names: they belong to
    different systems, and whatever would be decided on both would be wrong.
    """
    entries = read_journal(name)
    insist_on_head(name, entries)
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
            follow_journal(name, alias)
    anchor_journal(name, entries)
    return len(entries)


def read_promoted(problem: Problem, alias: str = CHAMPION) -> ServedModel:
    """The model that holds an alias, which has to be the one that the journal gave it to."""
    model = read_model(problem, alias)
    insist_on_promoted(problem, model)
    return model


def read_fitting(problem: Problem, alias: str = CHAMPION) -> ServedModel:
    """The same, made for the problem as its file has it now; else it cannot answer its rows."""
    model = read_promoted(problem, alias)
    other = find_difference(model, problem)
    new = [name for name in problem.columns if name not in model.contract.field_names]
    if other is None and new:
        other = f"column {', '.join(map(repr, new))} is new"
    if other is not None:
        raise _made_for_another(model, problem, other)
    return model


def read_judged(problem: Problem, alias: str = CHAMPION) -> ServedModel:
    """The same, which also knows every category that rows may hold by now.

    It sees them by its own contract, so their order and what is computed of them may differ.
    """
    model = read_fitting(problem, alias)
    wanted, seen = (
        {name for field in contract.fields for name in field.feature_names}
        for contract in (draft_contract(problem), model.contract)
    )
    if wanted != seen:
        other = ", ".join(sorted(map(repr, wanted ^ seen)))
        raise _made_for_another(model, problem, f"{other} differs")
    return model


def _made_for_another(model: ServedModel, problem: Problem, why: str) -> DataError:
    return DataError(
        f"{problem.name} v{model.version} was made for another problem ({why}); wanted the "
        f"file as it was, or a model of it as it is (python -m flows.train {problem.name})"
    )


def read_rival(problem: Problem) -> tuple[ServedModel | None, str]:
    """The champion to compare with; none, and why, where it cannot be asked.

    Its files are lost, or the problem file asks for something else since. Whoever trains anew may
    be doing so because of that.
    """
    try:
        champion = read_champion(problem)
        if champion is not None:
            insist_on_promoted(problem, champion)
    except LostModelError as error:
        return None, f"not compared with the champion: {error.why}"
    other = None if champion is None else find_difference(champion, problem)
    if other is not None:
        return None, f"not compared with the champion: it was made for another problem ({other})"
    return champion, ""


def insist_on_promoted(problem: Problem, model: ServedModel) -> None:
    """`LostModelError` where a version's files are not those that an alias was given to."""
    promoted = find_promoted(read_journal(problem.name), model.version)
    found = digest_model(problem, model.contract, model.onnx)
    wrong = promoted.difference(found) if promoted is not None else None
    if wrong is not None:
        why = f"{problem.name} v{model.version}: its {wrong} is not the one that was promoted"
        raise LostModelError(f"{why} (python -m flows.journal {problem.name})", problem.name)


def has_had_champion(name: str) -> bool:
    """Whether any version has ever been promoted, by the journal or by the registry."""
    is_journalled = any(entry.alias == CHAMPION for entry in read_journal(name))
    return is_journalled or read_holders(name)[CHAMPION] is not None


def champion_before(name: str, version: str) -> str | None:
    """Whom this champion replaced, by the journal; None where a rollback brought it back."""
    entries = [entry for entry in read_journal(name) if entry.alias == CHAMPION]
    if not entries or entries[-1].after != version or is_step_back(entries, CHAMPION):
        return None
    return entries[-1].before


def is_served(name: str, version: str | None) -> bool:
    """Whether services answer with this version, as far as packaging has to do with it."""
    return (served_tag(name) or "").startswith(f"{name}:v{version}-")


def apply_decision(
    problem: Problem,
    version: str,
    decision: Decision,
    *,
    rows: int,
    actor: str,
    evidence: str,
    promoted: Promoted,
) -> dict[str, str | None] | None:
    """Promote or reject a version; returns who is champion now and who was before.

    None where somebody has written to the journal since it had `rows`: the champion that the
    version was judged against may no longer be one.
    """
    previous = read_holders(problem.name)[CHAMPION]
    tag_decision(problem, version, decision)
    why = "; ".join(decision.reasons)
    alias = CHAMPION if decision.is_promoted else CHALLENGER
    is_done = hand_over(
        problem.name,
        alias,
        version,
        rows=rows,
        actor=actor,
        why=why,
        evidence=evidence,
        promoted=promoted,
    )
    if not is_done:
        return None
    return {"champion": version if decision.is_promoted else previous, "previous": previous}


def moved_meanwhile(problem: Problem) -> DriftlineError:
    """Why a change of an alias was not made."""
    message = f"{problem.name}: another run moved an alias meanwhile; wanted none, ask again"
    return DriftlineError(message)


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
    is_done = hand_over(
        problem.name,
        CHAMPION,
        earlier,
        rows=len(entries),
        actor=actor,
        why=why,
        evidence=why,
        promoted=find_promoted(entries, earlier),
    )
    if not is_done:
        raise moved_meanwhile(problem)
    return {"champion": earlier, "previous": now}
