"""The file of a part of a batch, as the log takes it: computed, and neither read nor written.

It has the rows that were answered: the problem's columns as a request would have them, and what
`OWN` names. A worker of a cluster makes it, so this imports neither Prefect nor the database.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bentos.columns import AnswerColumns
from bentos.log.batches import part_id
from driftline.digests import digest_bytes
from tasks.data.files import as_parquet

OWN = "driftline:"  # before the names of a part's columns that are not the problem's
ROW, PREDICTION, FIGURE = f"{OWN}row", f"{OWN}prediction", f"{OWN}figure:"


@dataclass(frozen=True)
class AnsweredRows:
    """A source's rows from `first` to before `end`; `rows` are those that were answered."""

    batch: str
    first: int
    end: int
    rows: NDArray[np.int64]
    inputs: pd.DataFrame
    answers: AnswerColumns


@dataclass(frozen=True)
class PackedPart:
    """A part as the log takes it: its row of `parts`, and the content of its file."""

    row: dict[str, Any]
    content: bytes


def pack_part(answered: AnsweredRows) -> PackedPart:
    """A part's rows as its file; the same rows and answers give the same bytes."""
    content = as_parquet(_as_table(answered))
    source_rows = np.arange(answered.first, answered.end)
    row = {
        "id": part_id(answered.batch, answered.first),
        "batch": answered.batch,
        "first_row": answered.first,
        "end_row": answered.end,
        "rows_answered": len(answered.rows),
        "left_out": json.dumps(np.setdiff1d(source_rows, answered.rows).tolist()),
        "sha256": digest_bytes(content),
        "is_kept": True,
    }
    return PackedPart(row, content)


def _as_table(answered: AnsweredRows) -> pd.DataFrame:
    own: dict[str, Any] = {ROW: answered.rows, PREDICTION: answered.answers.prediction}
    for place, figures in enumerate(answered.answers.probabilities.T):
        own[f"{FIGURE}{place}"] = figures
    return answered.inputs.reset_index(drop=True).assign(**own)
