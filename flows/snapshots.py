"""Snapshots: the versions of a problem's data, listed, compared, named, copied out and dropped.

`python -m flows.snapshots <problem> list` begins. Each is short, and so no run of Prefect's.
"""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from driftline.differences import columns_of, compare_tables, describe_column
from driftline.errors import DataError, DriftlineError
from driftline.snapshots import Version
from flows.shared.retention import find_superfluous, read_all
from tasks.data import storage, versions
from tasks.data.files import count_rows
from tasks.data.problems import read_problem
from tasks.decorators import without_task_runs

CONSOLE = Console(highlight=False)
SHORT = 12  # characters of a digest that are shown
APP = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Called = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="a tag, or how a digest begins")]


@APP.callback()
def main(context: typer.Context, problem: str) -> None:
    """The versions of a problem's data."""
    with telling_mistakes():
        context.obj = read_problem(problem).name


@APP.command("list")
def list_all(context: typer.Context) -> None:
    """List the snapshots, the newest first: whence their rows are, and who names them."""
    table = Table("snapshot", "written", "rows", "from", "tags", "named by")
    with telling_mistakes():
        for each in read_own(context.obj):
            rows = told_rows(versions.locate_snapshot(each.sha256))
            when = f"{each.written_at:%Y-%m-%d %H:%M}"
            told = (each.source or "-", ", ".join(each.tags), ", ".join(each.named_by))
            table.add_row(each.sha256[:SHORT], when, rows, *map(plain, told))
    CONSOLE.print(table)


@APP.command()
def show(context: typer.Context, snapshot: Called) -> None:
    """Show one: its file, its origin, who names it, and how each column's values lie."""
    with telling_mistakes():
        sha256 = versions.find_version(context.obj, snapshot, "SNAPSHOT")
        rows = storage.read_snapshot(sha256)[0]
        known = [each for each in read_all(context.obj) if each.sha256 == sha256]
    CONSOLE.print(f"{versions.locate_snapshot(sha256)}", markup=False, soft_wrap=True)
    for each in known:
        CONSOLE.print(f"written {each.written_at:%Y-%m-%d %H:%M} UTC, {len(rows)} rows")
        told = {"from": each.source, "read as": each.read_as, "problem": each.problem}
        told |= {"tags": ", ".join(each.tags), "named by": ", ".join(each.named_by)}
        for what, how in told.items():
            CONSOLE.print(f"{what}: {how or '-'}", markup=False, soft_wrap=True)
    table = Table("column", "values")
    for name in columns_of(rows):
        table.add_row(plain(name), plain(describe_column(rows[name])))
    CONSOLE.print(table)


@APP.command()
def compare(context: typer.Context, before: Called, after: Called) -> None:
    """Compare two: rows and columns that came and went, and how each column's values lie."""
    with telling_mistakes():
        digests = [
            versions.find_version(context.obj, called, "SNAPSHOT") for called in (before, after)
        ]
        found = compare_tables(*(storage.read_snapshot(sha256)[0] for sha256 in digests))
    CONSOLE.print(f"rows: {found.added} added, {found.removed} removed, {found.kept} in both")
    for what, columns in (("new", found.new_columns), ("lost", found.lost_columns)):
        if columns:
            CONSOLE.print(f"{what} columns: {', '.join(columns)}", markup=False, soft_wrap=True)
    table = Table("column", *(sha256[:SHORT] for sha256 in digests))
    for each in found.changes:
        table.add_row(*map(plain, (each.column, each.before or "-", each.after or "-")))
    CONSOLE.print(table)


@APP.command()
def fetch(
    context: typer.Context,
    snapshot: Called,
    to: Annotated[str, typer.Option(help="a new file, .parquet or .csv")] = "",
) -> None:
    """Copy one, verified, into a file of this machine."""
    with telling_mistakes():
        sha256 = versions.find_version(context.obj, snapshot, "SNAPSHOT")
        target = to or f"{context.obj}-{sha256[:SHORT]}.parquet"
        rows = versions.fetch(sha256, target)
    CONSOLE.print(f"{target}: {rows} rows", markup=False, soft_wrap=True)


@APP.command()
def tag(context: typer.Context, snapshot: Called, name: Annotated[str, typer.Argument()]) -> None:
    """Give one a name, by which every command here knows it and no retention drops it."""
    with telling_mistakes():
        sha256 = versions.find_version(context.obj, snapshot, "SNAPSHOT")
        versions.write_tag(context.obj, name, sha256, actor=getpass.getuser())
    CONSOLE.print(f"{name}: {sha256[:SHORT]}", markup=False)


@APP.command()
def untag(context: typer.Context, name: Annotated[str, typer.Argument()]) -> None:
    """Take a name away; the snapshot stays."""
    with telling_mistakes():
        versions.remove_tag(context.obj, name)


@APP.command()
def drop(
    context: typer.Context,
    keep: Annotated[int, typer.Option(min=0, help="how many of the newest stay in any case")],
    days: Annotated[float, typer.Option(min=0, help="age from which one may be dropped")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say which")] = False,
) -> None:
    """Drop what no tag, no registered model and no row of the journal names, but for the newest."""
    with telling_mistakes():
        found = find_superfluous(context.obj, keep=keep, days=days)
        if not dry_run:
            versions.drop(found)
    for each in found:
        said = "would be dropped" if dry_run else "dropped"
        when = f"{each.written_at:%Y-%m-%d %H:%M}"
        told = f"{said}: {each.sha256[:SHORT]}, written {when}, from {each.source}"
        CONSOLE.print(told, markup=False, soft_wrap=True)
    CONSOLE.print(f"{len(found)} snapshots of {context.obj} are named by nobody and old enough")


def read_own(problem: str) -> list[Version]:
    """The problem's snapshots, the newest first."""
    return [each for each in read_all(problem) if each.is_of(problem)]


def told_rows(address: str) -> str:
    """How many rows a snapshot has; a damaged one is listed as such, beside the others."""
    try:
        return str(count_rows(address) or 0)
    except DataError:
        return "damaged"


def plain(text: str) -> str:
    """A cell's text as it stands."""
    return text.replace("[", r"\[")


@contextmanager
def telling_mistakes() -> Iterator[None]:
    """Call tasks as what they do, and end with one sentence where a person can mend it."""
    try:
        with without_task_runs():
            yield
    except DriftlineError as error:
        Console(stderr=True).print(f"error: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    APP()
