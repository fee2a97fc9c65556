"""The split of a trial, where services find it: beside the pointer, here and in the store."""

from bentos.takeover.content import ContentError
from bentos.takeover.split import (
    NO_TRIAL,
    Split,
    format_split,
    parse_split,
    read_split,
    split_in_store,
    write_split,
)
from driftline.problem import Problem
from driftline.served import ServedModel
from driftline.trial import Trial
from tasks.data.files import is_stored, locate, read_file, write_file
from tasks.decorators import io, without_task_runs
from tasks.settings import get_settings
from tasks.shipping.packaging import build_bento, pointer_to


def answers_alike(one: ServedModel, other: ServedModel) -> bool:
    """Whether two models see the same records as the same vector and answer them in kind."""
    from bentos.arms import answers_alike as are_alike

    return are_alike(one.contract, other.contract)


@io(name="part the traffic")
def part_traffic(problem: Problem, contender: ServedModel, trial: Trial) -> None:
    """Have the contender's bento where services find it, and then the split that names it."""
    if _is_parted(problem, trial):
        return
    with without_task_runs():
        pointer = pointer_to(build_bento(problem, contender))
    split = Split(pointer, trial.champion, trial.share, trial.salt, trial.field)
    if get_settings().is_store_elsewhere:
        write_file(locate(split_in_store(problem.name)), format_split(split))
    write_split(problem.name, split)


@io(name="give the traffic back")
def give_traffic_back(problem: Problem) -> None:
    """Let the champion answer all; where it does so already nothing changes."""
    if get_settings().is_store_elsewhere:
        address = locate(split_in_store(problem.name))
        if is_stored(address) and read_file(address) != NO_TRIAL:
            write_file(address, NO_TRIAL)
    write_split(problem.name, None)


def _is_parted(problem: Problem, trial: Trial) -> bool:
    """Whether the split is there: its salt is this trial's alone."""
    try:
        if get_settings().is_store_elsewhere:
            address = locate(split_in_store(problem.name))
            found = parse_split(read_file(address), problem.name) if is_stored(address) else None
        else:
            found = read_split(problem.name)
    except ContentError:
        return False
    return found is not None and found.salt == trial.salt
