"""Onboard: describes a table that nobody has described, so that every flow can use it.

`python -m flows.onboard my.csv --target outcome`. It asks nothing; every guess stands with its
evidence in the problem file, to be corrected there. It is short, and so no run of Prefect's.
"""

import logging
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from driftline.errors import DriftlineError
from driftline.onboarding import Onboarding, onboard_table
from tasks.data.onboarding import name_problem, place_of_source, write_files, write_profile
from tasks.reading.sources import read_table_with

USUAL_FOLDS = 10  # of the main job
CONSOLE = Console(highlight=False)


def main(
    source: str,
    target: Annotated[str, typer.Option(help="the column to predict")],
    name: Annotated[
        str | None, typer.Option(help="the problem's name; by default the file's")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="write over files that are there")] = False,
) -> None:
    """Write data/problems/NAME.yaml and expectations/NAME.yaml from a table."""
    show_progress()
    try:
        problem = name_problem(source, name)
        rows, _, reading = read_table_with(source, target)
        place = place_of_source(source)
        made = onboard_table(rows, name=problem, target=target, location=place, reading=reading)
        files = write_files(problem, made, again=again)
        page = write_profile(problem, rows, made)
    except DriftlineError as error:
        Console(stderr=True).print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    CONSOLE.print(list_guesses(made))
    for remark in made.remarks:
        CONSOLE.print(f"note: {remark}", markup=False)
    CONSOLE.print(f"written: {files[0]}, {files[1]}\npage: {page}", markup=False)
    CONSOLE.print(f"next: check the guesses, then {name_next(problem, made)}", markup=False)


def name_next(problem: str, made: Onboarding) -> str:
    """The main job's command; where rows are too few for its usual folds, with fewer."""
    folds = made.target.most_folds
    if folds >= USUAL_FOLDS:
        return f"make run PROBLEM={problem}"
    return f"python -m flows.pipeline {problem} --folds {max(folds, 2)}"


def show_progress() -> None:
    """Show what is told on the way, such as how the table is written."""
    logger = logging.getLogger("driftline")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    logger.propagate = False  # else it is shown on Prefect's console too


def list_guesses(made: Onboarding) -> Table:
    """What each column was taken for, and why."""
    table = Table("column", "taken for", "why")
    target = made.target
    table.add_row(target.name.replace("[", r"\["), "target", _told(target.evidence))
    for guess in made.columns:
        kind = guess.kind if guess.role == "input" else f"{guess.kind}, left out"
        table.add_row(guess.name.replace("[", r"\["), kind, _told(guess.evidence))
    return table


def _told(text: str) -> str:
    return text.replace("[", r"\[")


if __name__ == "__main__":
    typer.run(main)
