"""Release: a person looks at what was set aside as broken, and lets it teach again or drops it.

`python -m flows.release <problem>` lists what waits. It is short, and so no run of Prefect's.
"""

import getpass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from driftline.errors import DriftlineError, NotFoundError
from driftline.verdicts import Quarantined
from tasks.data.problems import read_problem
from tasks.log import predictions

CONSOLE = Console(highlight=False)


def main(
    problem: str,
    verdict: Annotated[
        str, typer.Option(help="the key of a verdict, or its first characters; `all` for all")
    ] = "",
    drop: Annotated[bool, typer.Option("--drop", help="never let these rows teach")] = False,
) -> None:
    """List what is in quarantine, or release it: its labels are judged, test and teach again."""
    try:
        spec = read_problem.fn(problem)  # type: ignore[attr-defined]
        waiting = predictions.read_quarantine.fn(spec)  # type: ignore[attr-defined]
        chosen = choose(waiting, verdict) if verdict else []
    except DriftlineError as error:
        Console(stderr=True).print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    decision = "dropped" if drop else "released"
    for each in chosen:
        predictions.decide_on_quarantine.fn(  # type: ignore[attr-defined]
            spec, each.key, decision, actor=getpass.getuser()
        )
        CONSOLE.print(f"{decision}: {each.key[:12]}", markup=False)
    if not verdict:
        CONSOLE.print(list_waiting(waiting))


def choose(waiting: list[Quarantined], verdict: str) -> list[Quarantined]:
    """The verdicts whose key begins so; `NotFoundError` where there are none or several."""
    open_ones = [each for each in waiting if not each.is_dropped]
    if verdict == "all":
        return open_ones
    found = [each for each in open_ones if each.key.startswith(verdict)]
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
