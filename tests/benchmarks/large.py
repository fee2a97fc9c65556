"""The whole loop on a table that memory would not bear: seconds, processor and peak memory.

    python -m tests.benchmarks.large [--rows 20000000] [--problem breast_cancer]

Each command runs as a person runs it, in a process of its own, on one state folder: the main job on
a CSV file, batch scoring of the same file with the log on, and a look at the log. The problem
trains on what `max_training_rows` allows.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.ingest import run, write_rows


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--problem", default="breast_cancer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), rows=options.rows, problem=options.problem)


def measure(folder: Path, *, rows: int, problem: str) -> None:
    """Write the table, run the commands in turn, and print what each took as soon as it ends."""
    console, source = Console(width=140), folder / "rows.csv"
    write_rows(source, problem, rows)
    console.print(f"{rows:,} rows of {problem}, {source.stat().st_size / 2**20:,.0f} MB")
    table = Table("command", "s", "processor s", "peak MB", "steps")
    for flow, given in (
        ("pipeline", ["--source", str(source)]),
        ("score", ["--source", str(source)]),
        ("monitor", []),
    ):
        command = [sys.executable, "-m", f"flows.{flow}", problem, *given]
        cost = run(command, folder / "home")
        figures = [f"{each:,.0f}" for each in (cost.seconds, cost.processor, cost.megabytes)]
        console.print(f"{flow}: {', '.join(figures)} (s, processor s, peak MB)")
        steps = ", ".join(f"{step} {seconds:.0f}" for step, seconds in cost.steps.items())
        table.add_row(flow, *figures, steps)
    console.print(table)


if __name__ == "__main__":
    main()
