"""What one monitor run on a large table costs: seconds by step, and the most memory it takes.

    python -m tests.benchmarks.decisions.large [--rows 1000000] [--keep FOLDER]

A problem of 30 columns and a small model are made in a folder of their own; the run is a process of
its own, as a person would start it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table

from tests.support import ROOT, TINY_SUITE

NUMBERS, CATEGORIES = 26, 4
LETTERS = list("abcdefgh")
TRAINING_ROWS = 10_000
MEBIBYTE = 2**20


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Rows of 30 columns, some with gaps, and an outcome that the first ones tell."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {f"number_{i}": np.round(rng.normal(50, 10, rows), 3) for i in range(NUMBERS)}
    )
    for i in range(CATEGORIES):
        table[f"group_{i}"] = rng.choice(LETTERS, rows)
    table.loc[rng.random(rows) < 0.05, "number_5"] = np.nan
    risk = (table["number_0"] - 50) / 10 + 0.5 * (table["group_0"] == "a")
    table["outcome"] = (rng.random(rows) < 1 / (1 + np.exp(-risk))).astype(int)
    return table


def describe() -> dict[str, Any]:
    """The problem as its file has it."""
    columns: dict[str, Any] = {f"number_{i}": {"missing": "allow"} for i in range(NUMBERS)}
    category = {"kind": "category", "categories": LETTERS}
    columns |= {f"group_{i}": dict(category) for i in range(CATEGORIES)}
    return {
        "title": "A large table of 30 columns",
        "source": {"kind": "file", "location": "training.parquet"},
        "target": {"name": "outcome", "classes": {"well": [0], "ill": [1]}, "positive": "ill"},
        "goal": {"maximise": "roc_auc"},
        "gates": [{"metric": "test_roc_auc", "at_least": 0.6}],
        "search": {"trials": 0, "folds": 2},
        "candidates": ["dummy", "hist_gradient_boosting"],
        "columns": columns,
    }


def prepare(folder: Path, rows: int) -> dict[str, str]:
    """Write the tables and the problem, train the champion; the environment to run in."""
    for name in ("data/problems", "expectations"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    problem = describe()
    problem["source"]["location"] = str(folder / "training.parquet")
    (folder / "data/problems/large.yaml").write_text(yaml.safe_dump(problem, sort_keys=False))
    (folder / "expectations/large.yaml").write_text(yaml.safe_dump(TINY_SUITE))
    draw(TRAINING_ROWS, 0).to_parquet(folder / "training.parquet")
    draw(rows, 1).drop(columns="outcome").to_parquet(folder / "big.parquet")
    env = os.environ | {
        "DRIFTLINE_HOME": str(folder / "state"),
        "DRIFTLINE_PROJECT_DIR": str(folder),
    }
    run_flow(env, "train", "large", "--folds", "2")
    return env


def run_flow(env: dict[str, str], *words: str) -> tuple[float, float, float]:
    """Run a flow as a process; its seconds, seconds of processor, and most memory in bytes."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", f"flows.{words[0]}", *words[1:]]
    child = subprocess.Popen(command, cwd=ROOT, env=env)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        message = f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}"
        raise SystemExit(message)
    taken = time.perf_counter() - begun
    return taken, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main() -> None:
    """Prepare, run, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder to prepare once and use again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        if (folder / "big.parquet").exists():
            env = os.environ | {
                "DRIFTLINE_HOME": str(folder / "state"),
                "DRIFTLINE_PROJECT_DIR": str(folder),
            }
        else:
            env = prepare(folder, options.rows)
        source = str(folder / "big.parquet")
        taken, processor, memory = run_flow(env, "monitor", "large", "--source", source)
        summary = json.loads((folder / "state/runs/latest.json").read_text())
    table = Table("step", "value", title=f"one monitor run on {options.rows:,} rows x 30 columns")
    for name, seconds in summary["seconds"].items():
        table.add_row(name, f"{seconds:.1f} s")
    table.add_row("whole process", f"{taken:.1f} s")
    table.add_row("processor", f"{processor:.1f} s")
    table.add_row("most memory", f"{memory / MEBIBYTE:,.0f} MiB")
    table.add_row("verdict", summary["drift"]["verdict"])
    Console().print(table)


if __name__ == "__main__":
    main()
