"""Ids of batch scoring, and which part of a batch holds a prediction.

A batch is one source answered by one model. A large one lies in the store as parts, Parquet files
of many rows each, and the log names each part once: as a row of `parts`, and as its place among
the predictions, a row that has the part's id and no inputs. So a part comes in order with all else,
is judged, quarantined and released as a whole, and a prediction in it is found by its id alone.

Needs the standard library only, since a Lambda reads labels by it.
"""

import hashlib
import json
import re
from typing import Any

from bentos.log.rows import Row

_ID = re.compile(r"([0-9a-f]{32})-(0|[1-9][0-9]{0,14})")
PLACE = {"prediction": -1, "label": "", "probabilities": "[]", "confidence": 0.0}


def batch_of(problem: str, model_version: str, source_sha256: str) -> str:
    """The batch that a source's content, a problem and a version of its model make."""
    text = json.dumps([problem, model_version, source_sha256])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def prediction_id(batch: str, row: int) -> str:
    """The id of the answer to a source's row, the first being 0."""
    return f"{batch}-{row}"


def part_id(batch: str, first_row: int) -> str:
    """The id of the part that begins with a row; no prediction has one like it."""
    return f"{batch}:{first_row}"


def is_part(name: str) -> bool:
    """Whether an id is that of a part, which is no prediction and takes no label."""
    return ":" in name


def read_id(name: str) -> tuple[str, int] | None:
    """The batch and the row of an id of batch scoring; None of another one."""
    found = _ID.fullmatch(name)
    return None if found is None else (found[1], int(found[2]))


def is_answered(row: int, end_row: int, left_out: str) -> bool:
    """Whether the part that ends before `end_row`, and begins at the row or before, answers it.

    `left_out` is the JSON list of rows that the contract refused.
    """
    return row < end_row and row not in json.loads(left_out)


def place_row(part: str, problem: str, model_version: str, answered_at: Any) -> Row:
    """The row of `predictions` that gives a part its place."""
    return {
        "id": part,
        "problem": problem,
        "model_version": model_version,
        "answered_at": answered_at,
        "inputs": None,
        "risk_level": None,
        **PLACE,
    }
