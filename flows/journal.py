"""Prints a problem's journal; `--verify` finds what was edited, removed, inserted or unsaid.

`--restore` writes rows that the database lost from the store, which keeps each.
"""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from driftline.errors import DriftlineError
from driftline.journal import Entry, find_breaks
from tasks.data.problems import read_problem
from tasks.decorators import without_task_runs
from tasks.log import journal
from tasks.models import registry

CONSOLE = Console(highlight=False)


def main(
    problem: str,
    verify: Annotated[
        bool, typer.Option("--verify", help="check chain, anchors and aliases")
    ] = False,
    restore: Annotated[
        bool, typer.Option("--restore", help="write rows that were lost, from the store's anchors")
    ] = False,
) -> None:
    """Who held which alias when, and why."""
    try:
        with without_task_runs():
            name = read_problem(problem).name
            if restore:
                CONSOLE.print(f"{journal.restore_rows(name)} rows written from the store")
            entries = journal.read_rows(name) if verify else journal.read_journal(name)
            breaks = _verify(name, entries) if verify else []
    except DriftlineError as error:
        Console(stderr=True).print(f"error: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    CONSOLE.print(_table(entries))
    if verify:
        for each in breaks:
            CONSOLE.print(f"broken: {each}", markup=False, soft_wrap=True)
        CONSOLE.print(f"{len(entries)} rows, {len(breaks)} breaks")
    raise typer.Exit(1 if breaks else 0)


def _verify(name: str, entries: list[Entry]) -> list[str]:
    holders = registry.read_holders(name)
    anchors = journal.read_anchors(name)
    head = registry.read_head(name)
    return find_breaks(entries, holders, anchors if head is None else [*anchors, head])


def _table(entries: list[Entry]) -> Table:
    table = Table("row", "when", "who", "alias", "from", "to", "why", "hash")
    for entry in entries:
        row = (entry.at[:19], entry.actor, entry.alias, entry.before or "-", entry.after or "-")
        table.add_row(str(entry.number), *row, entry.why.replace("[", r"\["), entry.sha256[:12])
    return table


if __name__ == "__main__":
    typer.run(main)
