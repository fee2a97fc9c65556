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
        name = read_problem.fn(problem).name  # type: ignore[attr-defined]
        if restore:
            restored = journal.restore_rows.fn(name)  # type: ignore[attr-defined]
            CONSOLE.print(f"{restored} rows written from the store")
        read = journal.read_rows if verify else journal.read_journal
        entries = read.fn(name)  # type: ignore[attr-defined]
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
    holders = registry.read_holders.fn(name)  # type: ignore[attr-defined]
    anchors = journal.read_anchors.fn(name)  # type: ignore[attr-defined]
    head = registry.read_head.fn(name)  # type: ignore[attr-defined]
    return find_breaks(entries, holders, anchors if head is None else [*anchors, head])


def _table(entries: list[Entry]) -> Table:
    table = Table("row", "when", "who", "alias", "from", "to", "why", "hash")
    for entry in entries:
        row = (entry.at[:19], entry.actor, entry.alias, entry.before or "-", entry.after or "-")
        table.add_row(str(entry.number), *row, entry.why.replace("[", r"\["), entry.sha256[:12])
    return table


if __name__ == "__main__":
    typer.run(main)
