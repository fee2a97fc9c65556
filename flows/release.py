"""Release: a person looks at what was set aside as broken, and lets it teach again or drops it.

`python -m flows.release <problem>` lists what waits and decides at once, without a run of
Prefect's. The flow is how the page asks for it.
"""

import getpass
import os
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from driftline.errors import DriftlineError, NotFoundError
from driftline.problem import Problem
from driftline.verdicts import Quarantined
from flows.shared.running import Sections, driftline_flow
from tasks.data.problems import read_problem
from tasks.decorators import without_task_runs
from tasks.log import quarantine
from tasks.progress import tell

CONSOLE = Console(highlight=False)


@driftline_flow("release", run_name="release {problem}")
def release(problem: str, verdict: str, actor: str, drop: bool = False) -> Sections:
    """Release the rows that a verdict set aside, or drop them; `actor` is the person who decides.

    `verdict` is its key or the key's first characters; `all` are all that wait.
    """
    spec = read_problem(problem)
    decided = decide(spec, verdict, actor=actor, is_dropped=drop)
    for each in decided:
        tell(f"{_word(is_dropped=drop)}: {each.key[:12]}, by {actor}")
    return {"decided": [each.key for each in decided]}


def decide(problem: Problem, verdict: str, *, actor: str, is_dropped: bool) -> list[Quarantined]:
    """Write down what a person decides on verdicts; those decided on."""
    if not actor.strip():
        message = "actor: got nothing, wanted the name of the person who decides"
        raise DriftlineError(message)
    chosen = choose(quarantine.read_quarantine(problem), verdict)
    for each in chosen:
        quarantine.decide_on_quarantine(
            problem, each.key, _word(is_dropped=is_dropped), actor=actor.strip()
        )
    return chosen


def _word(*, is_dropped: bool) -> str:
    return "dropped" if is_dropped else "released"


def main(
    problem: str,
    verdict: Annotated[
        str, typer.Option(help="the key of a verdict, or its first characters; `all` for all")
    ] = "",
    drop: Annotated[bool, typer.Option("--drop", help="never let these rows teach")] = False,
    show: Annotated[
        Path | None, typer.Option(help="write the rows to this new CSV file, and decide nothing")
    ] = None,
) -> None:
    """List what is in quarantine, or release it: its labels are judged, test and teach again."""
    try:
        with without_task_runs():
            spec = read_problem(problem)
            if not verdict:
                CONSOLE.print(list_waiting(quarantine.read_quarantine(spec)))
                return
            if show is not None:
                rows = show_rows(spec, verdict, show)
                CONSOLE.print(f"{show}: {rows} rows; delete it when you have seen them")
                return
            decided = decide(spec, verdict, actor=getpass.getuser(), is_dropped=drop)
    except DriftlineError as error:
        Console(stderr=True).print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    for each in decided:
        CONSOLE.print(f"{_word(is_dropped=drop)}: {each.key[:12]}", markup=False)


def show_rows(problem: Problem, verdict: str, file: Path) -> int:
    """Write the rows of verdicts as CSV to a new file that its user alone can read; how many."""
    chosen = choose(quarantine.read_quarantine(problem), verdict)
    tables = [quarantine.read_set_aside(problem, each) for each in chosen]
    rows = pd.concat(tables) if tables else pd.DataFrame()
    try:
        with open(file, "x", opener=_for_its_user, encoding="utf-8", newline="") as out:
            rows.to_csv(out, index=False)
    except OSError as error:
        message = f"--show: {file}: {error.strerror}; wanted a new file in a folder that is there"
        raise DriftlineError(message) from None
    return len(rows)


def _for_its_user(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def choose(waiting: list[Quarantined], verdict: str) -> list[Quarantined]:
    """The verdicts whose key begins so; `NotFoundError` where there are none or several."""
    open_ones = [each for each in waiting if not each.is_dropped]
    if verdict == "all":
        return open_ones
    found = [each for each in open_ones if verdict and each.key.startswith(verdict)]
    if len(found) != 1:
        message = f"--verdict: got {verdict!r}, which {len(found)} of {len(open_ones)} waiting have"
        raise NotFoundError(message)
    return found


def list_waiting(waiting: list[Quarantined]) -> Table:
    """What is in quarantine, one verdict a row."""
    table = Table("verdict", "predictions", "state", "why")
    for each in waiting:
        state = "dropped" if each.is_dropped else "waits"
        why = "; ".join(each.reasons).replace("[", r"\[")
        table.add_row(each.key[:12], f"{each.first} to {each.last}", state, why)
    return table


if __name__ == "__main__":
    typer.run(main)
