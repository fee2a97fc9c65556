"""Ingesting a large table: seconds and peak memory, beside what only reads the same file.

    python -m tests.benchmarks.ingest [--rows 1000000 5000000] [--problem breast_cancer]

The problem's own rows, drawn again and moved a little, lie in a CSV file. In turn, each in a
process of its own: the flow as its command runs it; our reading of the same file alone, in pieces,
as ingest and as batch scoring read; pandas and PyArrow, which hold it whole; DuckDB, and PyArrow in
pieces, which write it to Parquet.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from tests.benchmarks.model import ROOT

PIECE_ROWS = 100_000
FLOW = "python -m flows.ingest"
INGEST, SCORE = "as ingest reads, in pieces", "as batch scoring reads, in pieces"


class Cost(NamedTuple):
    """What a process took: seconds on the clock and of processors, and the most memory at once."""

    seconds: float
    processor: float
    megabytes: float
    steps: dict[str, float]


def write_rows(path: Path, problem: str, rows: int) -> None:
    """So many of a problem's own rows, drawn again with their numbers moved by a ten thousandth."""
    import pyarrow as pa
    from pyarrow import csv

    from tasks.data.problems import read_problem
    from tasks.decorators import without_task_runs
    from tasks.reading.sources import read_source

    with without_task_runs():
        table = read_source(read_problem(problem)).rows
    moved = [name for name in table.columns if table[name].dtype.kind == "f"]
    rng = np.random.default_rng(0)
    writer: Any = None
    for start in range(0, rows, PIECE_ROWS):
        size = min(PIECE_ROWS, rows - start)
        piece = table.iloc[rng.integers(len(table), size=size)].reset_index(drop=True)
        piece[moved] *= 1 + 1e-4 * rng.standard_normal((size, len(moved)))
        piece[moved] = piece[moved].astype("float32")
        content = pa.Table.from_pandas(piece, preserve_index=False)
        writer = writer or csv.CSVWriter(path, content.schema)
        writer.write_table(content)
    writer.close()


def read_ours(path: Path, problem: str) -> None:
    """As `flows.ingest` reads: what numbers mean."""
    from tasks.reading import sources

    _read_pieces(problem, lambda spec: sources.open_rows(spec, str(path)))


def read_text(path: Path, problem: str) -> None:
    """As `flows.score` reads: how they are written, after the file's digest."""
    from tasks.reading import sources

    rows = PIECE_ROWS
    _read_pieces(problem, lambda spec: sources.open_source(spec, str(path), rows=rows))


def _read_pieces(problem: str, open_stream: Callable[[Any], Any]) -> None:
    from tasks.data.problems import read_problem
    from tasks.decorators import without_task_runs
    from tasks.reading import sources

    with without_task_runs():
        stream = open_stream(read_problem(problem))
        for number in count():
            if sources.read_piece(stream, number) is None:
                return


def read_pandas(path: Path, _: str) -> None:
    """The whole table, with the types that pandas finds."""
    pd.read_csv(path)


def read_pyarrow(path: Path, _: str) -> None:
    """The whole table, with as many threads as there are cores."""
    from pyarrow import csv

    csv.read_csv(path)


def stream_pyarrow(path: Path, _: str) -> None:
    """A block at a time into a Parquet file."""
    from pyarrow import csv, parquet

    with (
        csv.open_csv(path) as blocks,
        parquet.ParquetWriter(path.with_suffix(".arrow.parquet"), blocks.schema) as writer,
    ):
        for block in blocks:
            writer.write_batch(block)


def copy_duckdb(path: Path, _: str) -> None:
    """Into a Parquet file, by DuckDB's own order."""
    import duckdb

    target = path.with_suffix(".duckdb.parquet")
    duckdb.sql(f"copy (select * from read_csv('{path}')) to '{target}' (format parquet)")  # noqa: S608 - our own path


READERS: dict[str, Callable[[Path, str], None]] = {
    INGEST: read_ours,
    SCORE: read_text,
    "pandas.read_csv, whole": read_pandas,
    "pyarrow.csv, whole": read_pyarrow,
    "pyarrow.csv to Parquet, in pieces": stream_pyarrow,
    "DuckDB to Parquet": copy_duckdb,
}


def run(command: list[str], home: Path) -> Cost:
    """Run a command to its end; the most memory is its own, or that of a process it waited for.

    Linux counts from this process, which forks it: less than that is not seen.
    """
    env = os.environ | {"DRIFTLINE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile("w+") as told:
        begun = time.perf_counter()
        started = subprocess.Popen(command, env=env, cwd=ROOT, stdout=told, stderr=told)
        _, status, used = os.wait4(started.pid, 0)
        seconds = time.perf_counter() - begun
        started.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        if started.returncode:
            raise SystemExit(f"{' '.join(command)}: {told.read()[-2000:]}")
    summary = home / "runs" / "latest.json"
    steps = json.loads(summary.read_text())["seconds"] if summary.exists() else {}
    processor = used.ru_utime + used.ru_stime
    return Cost(seconds, processor, used.ru_maxrss / 1024, steps)


def measure(folder: Path, problem: str, rows: int, contenders: list[str]) -> dict[str, Cost]:
    """Each contender on a table of so many rows."""
    path = folder / f"rows-{rows}.csv"
    write_rows(path, problem, rows)
    costs: dict[str, Cost] = {}
    for place, name in enumerate(contenders):
        command = [sys.executable, "-m", "tests.benchmarks.ingest", "--read", name, str(path)]
        if name == FLOW:
            command = [sys.executable, "-m", "flows.ingest", problem, "--source", str(path)]
        else:
            command += ["--problem", problem]
        costs[name] = run(command, folder / f"home-{rows}-{place}")
    costs["the file itself"] = Cost(0.0, 0.0, path.stat().st_size / 2**20, {})
    return costs


def main() -> None:
    """Every contender at each size; or, with --read, one of the readers in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--problem", default="breast_cancer")
    parser.add_argument("--only", nargs="+", default=[FLOW, *READERS])
    parser.add_argument("--read", nargs=2, metavar=("READER", "FILE"))
    options = parser.parse_args()
    if options.read:
        name, file = options.read
        READERS[name](Path(file), options.problem)
        return
    table = Table("rows", "what", "s", "processor s", "peak MB", "steps")
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            costs = measure(Path(folder), options.problem, rows, options.only)
        for name, cost in costs.items():
            steps = ", ".join(f"{step} {seconds:.0f}" for step, seconds in cost.steps.items())
            figures = [f"{each:,.0f}" for each in (cost.seconds, cost.processor, cost.megabytes)]
            table.add_row(f"{rows:,}", name, *figures, steps)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
