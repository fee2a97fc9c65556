"""Small problems and rows that tests share, written as a person would: as YAML and CSV."""

import copy
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray

from driftline.contract import Contract
from driftline.problem import Problem, parse_problem

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # in C where PyYAML was built so
SHIPPED = ("breast_cancer", "diabetes", "mental_health", "diabetes_risk")

TINY: dict[str, Any] = {
    "title": "A tiny two-class problem",
    "source": {"kind": "file", "location": "rows.csv"},
    "target": {"name": "outcome", "classes": {"well": [0], "ill": [1]}, "positive": "ill"},
    "goal": {"maximise": "precision", "subject_to": {"recall": 0.8}},
    "gates": [{"metric": "test_roc_auc", "at_least": 0.6}],
    "comparison": {"min_rows": 20},
    "search": {"trials": 0, "folds": 2},
    "candidates": ["dummy", "logistic_regression"],
    "max_quarantined_share": 0.2,
    "columns": {
        "age": {"kind": "integer", "range": [0, 120]},
        "level": {"range": [-10, 10], "missing": "allow", "missing_codes": [-9]},
        "sex": {"kind": "category", "categories": ["F", "M"]},
    },
}
MOODS: dict[str, Any] = {
    "title": "A tiny three-class problem of categories",
    "source": {"kind": "file", "location": "rows.csv"},
    "target": {"name": "mood", "classes": {"low": [], "even": [], "high": []}, "positive": "low"},
    "goal": {"maximise": "accuracy"},
    "gates": [{"metric": "test_accuracy", "at_least": 0.4}],
    "comparison": {"min_rows": 20},
    "search": {"trials": 0, "folds": 2},
    "candidates": ["dummy", "logistic_regression"],
    "columns": {
        "sleeps": {"kind": "category", "categories": ["YES", "NO"]},
        "energy": {"kind": "category", "categories": ["1", "2", "3"], "ordered": True},
        "weekday": {"kind": "category", "categories": list("abcdefg")},
        "town": {"kind": "category", "categories": [f"town {i}" for i in range(12)]},
    },
}
STAY: dict[str, Any] = {
    "title": "A tiny problem whose target is a number",
    "source": {"kind": "file", "location": "rows.csv"},
    "target": {"name": "stay", "kind": "number", "unit": "days", "range": [0, 60]},
    "goal": {"minimise": "mae"},
    "gates": [{"metric": "test_mae", "at_most": 4}, {"metric": "cv_r2_mean", "at_least": 0.3}],
    "comparison": {"min_rows": 20},
    "search": {"trials": 0, "folds": 2},
    "candidates": ["dummy", "ridge"],
    "max_quarantined_share": 0.2,
    "columns": TINY["columns"],
}
TINY_SUITE: dict[str, Any] = {
    "expectations": [
        {
            "expect": "ExpectTableRowCountToBeBetween",
            "severity": "critical",
            "meaning": "enough rows to learn from",
            "arguments": {"min_value": 10},
        }
    ]
}


def problem_text(base: dict[str, Any], **changes: Any) -> str:
    """A problem file's text; a change of None leaves its key out."""
    content = {k: v for k, v in (copy.deepcopy(base) | changes).items() if v is not None}
    return str(yaml.dump(content, Dumper=DUMPER, sort_keys=False))


def make_problem(base: dict[str, Any] = TINY, name: str = "tiny", **changes: Any) -> Problem:
    """A problem of these keys, through the parser that every problem goes through."""
    return _parse(problem_text(base, **changes), name)


@cache
def _parse(text: str, name: str) -> Problem:
    """Many tests ask for the same, and nobody changes one."""
    return parse_problem(text, name=name, file=f"data/problems/{name}.yaml")


def file_problem(project: Path, name: str, base: dict[str, Any], **changes: Any) -> None:
    """Describe a problem in a project folder, as two YAML files."""
    for folder, text in (
        ("data/problems", problem_text(base, **changes)),
        ("expectations", yaml.safe_dump(TINY_SUITE)),
    ):
        path = project / folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def tiny_rows(rows: int = 240, seed: int = 0) -> pd.DataFrame:
    """Rows of the tiny problem: `level` tells most about the outcome, and is sometimes missing."""
    rng = np.random.default_rng(seed)
    outcome = rng.integers(0, 2, rows)
    level = np.round(rng.normal(1.8 * outcome, 1.0).clip(-8, 8), 3)
    level[rng.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows),
            "level": level,
            "sex": rng.choice(["F", "M"], rows),
            "outcome": outcome,
        }
    )


def stay_rows(rows: int = 240, seed: int = 0, *, slope: float = 3.0) -> pd.DataFrame:
    """Rows of the problem with a number: `level` and `sex` tell of the days in hospital."""
    table = tiny_rows(rows, seed).drop(columns="outcome")
    rng = np.random.default_rng(seed + 1)
    level = table["level"].fillna(0.0)
    days = 20 + slope * level + 2.0 * (table["sex"] == "M") + rng.normal(0, 2.0, rows)
    return table.assign(stay=np.round(days.clip(0, 60), 2))


def mood_rows(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Rows of the three-class problem: every column is a category."""
    rng = np.random.default_rng(seed)
    mood = rng.integers(0, 3, rows)
    energy = np.where(rng.random(rows) < 0.8, mood + 1, rng.integers(1, 4, rows))
    sleeps = np.where(rng.random(rows) < 0.5 + 0.2 * (mood - 1), "YES", "NO")
    return pd.DataFrame(
        {
            "sleeps": sleeps,
            "energy": energy,
            "weekday": rng.choice(list("abcdefg"), rows),
            "town": rng.choice([f"town {i}" for i in range(12)], rows),
            "mood": np.array(["low", "even", "high"])[mood],
        }
    )


def mental_health(**aliases: list[str]) -> dict[str, Any]:
    """The real table of 120 people, every column a category, as a person would describe it."""
    table = pd.read_csv(shared_data("mental_health", "clean.csv"), dtype=str)
    *names, target = [name for name in table.columns if name != "Patient Number"]
    columns = {
        name: {
            "kind": "category",
            "categories": sorted(table[name].unique()),
            "aliases": aliases.get(name.replace(" ", "_").replace("-", "_"), []),
        }
        for name in names
    }
    return {
        "title": "An expert's diagnosis from 17 answers",
        "source": {"kind": "file", "location": "clean.csv"},
        "ignored": ["Patient Number"],
        "target": {"name": target, "classes": {name: [] for name in sorted(set(table[target]))}},
        "goal": {"maximise": "accuracy"},
        "gates": [{"metric": "test_accuracy", "at_least": 0.5}],
        "comparison": {"min_rows": 20},
        "search": {"trials": 0},
        "candidates": ["dummy", "logistic_regression"],
        "columns": columns,
    }


def encode_quickly(
    contract: Contract, records: Sequence[Mapping[str, Any]]
) -> NDArray[np.float32] | None:
    """A batch of plain numbers as a service reads it; None where it asks `encode` instead."""
    plain = contract.plain_numbers
    values = None if plain is None else plain.pick(records)
    read = None if values is None else contract.read_values(values)
    return None if read is None else read[1]


def shared_data(*parts: str) -> Path:
    """A file of the real tables beside the project; the test is skipped where it is missing."""
    path = SHARED_DATA.joinpath(*parts)
    if not path.exists():
        lacking(f"the real table ../shared/data/{'/'.join(parts)}")
    return path


def lacking(part: str) -> None:
    """Skip the test for want of a real part; in CI, where every part is installed, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{part} is missing, and CI=true allows no skip")
    pytest.skip(f"{part} is missing")


def stop(server: subprocess.Popen[Any]) -> None:
    """End a server that a test started and whose state nobody needs, and wait for it."""
    server.kill()
    server.wait()


def stop_group(server: subprocess.Popen[Any]) -> None:
    """The same with all that it has started; it has to be one of a session of its own."""
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def run_command(
    *words: str, env: dict[str, str], timeout: float = 480
) -> subprocess.CompletedProcess[str]:
    """`python -m <words>` from the project root, as a person would type it."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
