"""Small tables as files hold them, and as they are read."""

from pathlib import Path

import pandas as pd

from driftline.cleaning import CleanTable, clean
from driftline.problem import Problem
from tasks.reading.parsing import parse
from tasks.reading.sources import expect
from tests.support import make_problem

TEXT = "age,level\n40,0.5\n50,\n"
ROWS = pd.DataFrame({"age": ["40", "50"], "level": ["0.5", ""]})


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def stages(*categories: str) -> Problem:
    columns = {
        "age": {"kind": "integer"},
        "level": {"missing": "allow"},
        "stage": {"kind": "category", "categories": list(categories), "missing": "allow"},
    }
    return make_problem(columns=columns)


CODED = stages("1", "2")


def cleaned(content: bytes | str, name: str = "rows.csv", problem: Problem = CODED) -> CleanTable:
    raw = content.encode() if isinstance(content, str) else content
    piece = parse(raw, name, expect(problem))
    return clean(piece.rows, problem, source=name, with_target=True)


def rows_of(*stage: str) -> str:
    lines = [f"{40 + i},{i}.5,{each},{i % 2}" for i, each in enumerate(stage)]
    return "\n".join(["age,level,stage,outcome", *lines]) + "\n"
