"""Rows in, answers out as the bytes of files: what batch scoring computes, wherever it runs.

Nothing here is read or written, so a part may be answered on any machine, and again: the same rows
by the same model give the same bytes. `tasks.log.scoring` keeps what was made. Neither Prefect nor
a database is imported here, directly or not: each worker would wait for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bentos.columns import AnswerColumns, describe_columns
from bentos.log.batches import prediction_id
from bentos.predictor import Predictor
from driftline.cleaning import clean, faults_of_values, keep_ignored
from driftline.contract import Contract
from driftline.fields import InvalidRecordError
from driftline.joining import join_rows
from driftline.matrix import as_sent, encode_cleaned
from driftline.problem import Problem
from driftline.served import find_untaken
from driftline.timelines import Timeline
from tasks.data.files import as_parquet
from tasks.log.packing import AnsweredRows, PackedPart, pack_part

IMPORTED = (__name__, "onnxruntime", "pyarrow.parquet")  # by who answers a part
REPEATING = ("label", "risk_level")  # columns of few values
LEAST_OF_PART = 1_000  # rows of a piece, from which its answers are logged as a part


@dataclass(frozen=True)
class Asked:
    """What every part of a batch is answered by."""

    problem: Problem
    contract: Contract
    onnx: bytes
    source: str
    batch: str
    timelines: Mapping[str, Timeline]


@dataclass(frozen=True)
class Rows:
    """A part's raw rows; `first` is the place of its first row in the source.

    `share` of the source, from 0 to 1, ends with it.
    """

    number: int
    first: int
    share: float
    table: pd.DataFrame


@dataclass(frozen=True)
class AnsweredPart:
    """A part's answers as files, and as what the log takes: a part of a batch, or predictions."""

    answered: int
    scores: bytes
    refused: bytes | None
    packed: PackedPart | None
    predictions: tuple[dict[str, Any], ...]


def answer_rows(asked: Asked, rows: Rows) -> AnsweredPart:
    """Answer one part."""
    problem, contract, start = asked.problem, asked.contract, rows.first
    table, _ = join_rows(rows.table, problem, asked.timelines, source=asked.source)
    cleaned = clean(table, problem, source=asked.source, with_target=False, is_part=True)
    own = keep_ignored(table, problem)
    bad = faults_of_values(cleaned, problem)
    kept, matrix, untaken = _encode_taken(cleaned.table.drop(index=list(bad)), contract)
    bad = bad | untaken
    scores = _predictor(contract, asked.onnx).score_matrix(matrix)
    answers = describe_columns(contract, scores)
    inputs = as_sent(kept[[field.name for field in contract.fields]], contract)
    places = start + kept.index.to_numpy(dtype=np.int64)
    answered = AnsweredRows(asked.batch, start, start + len(table), places, inputs, answers)
    refused = None
    if bad:
        reasons = ["; ".join(why) for why in bad.values()]
        refusals = pd.DataFrame({"row": [start + row for row in bad], "reasons": reasons})
        refused = as_parquet(_beside(refusals, own.iloc[list(bad)]))
        own = own.iloc[kept.index]
    told = _describe(asked.batch, places, inputs, answers)
    is_part = len(answers) > 0 and len(table) >= LEAST_OF_PART
    return AnsweredPart(
        answered=len(kept),
        scores=as_parquet(_beside(told, own), repeating=REPEATING),
        refused=refused,
        packed=pack_part(answered) if is_part else None,
        predictions=() if is_part else _as_predictions(answered),
    )


@lru_cache(maxsize=2)
def _predictor(contract: Contract, onnx: bytes) -> Predictor:
    """A session, which lasts for all parts that a process answers."""
    return Predictor(contract, onnx)


def _encode_taken(
    table: pd.DataFrame, contract: Contract
) -> tuple[pd.DataFrame, NDArray[np.float32], dict[int, tuple[str, ...]]]:
    """The rows that the contract takes, as its matrix, and those that it does not with reasons.

    The problem file may have come to allow what the model was not made for.
    """
    try:
        return table, encode_cleaned(table, contract), {}
    except InvalidRecordError:
        untaken = find_untaken(contract, as_sent(table, contract))
        kept = table.drop(index=list(untaken))
        return kept, encode_cleaned(kept, contract), untaken


def _as_predictions(answered: AnsweredRows) -> tuple[dict[str, Any], ...]:
    """Few rows, each as an entry of the log has it."""
    inputs, answers = answered.inputs, answered.answers
    records = inputs.astype("object").where(inputs.notna(), None).to_dict(orient="records")
    return tuple(
        {
            "id": prediction_id(answered.batch, row),
            "inputs": records[at],
            "prediction": int(answers.prediction[at]),
            "label": answers.label[at],
            "probabilities": answers.probabilities[at].tolist(),
            "confidence": float(answers.confidence[at]),
            "risk": answers.risk_level[at],
        }
        for at, row in enumerate(answered.rows.tolist())
    )


def _describe(
    batch: str, rows: NDArray[np.int64], inputs: pd.DataFrame, answers: AnswerColumns
) -> pd.DataFrame:
    """Inputs and answers as one table, whose columns have one type in every part."""
    answered = pd.DataFrame(
        {
            "row": pd.Series(rows, dtype="int64"),
            "prediction_id": _as_text([prediction_id(batch, row) for row in rows.tolist()]),
            "label": _as_text(answers.label),
            "risk_level": _as_text(answers.risk_level),
            **{name: pd.Series(each, dtype="float64") for name, each in answers.figures.items()},
        }
    )
    inputs = inputs.reset_index(drop=True)
    texts = inputs.select_dtypes("object").columns
    return _beside(answered, inputs.assign(**{name: _as_text(inputs[name]) for name in texts}))


def _as_text(values: Any) -> pd.Series:
    """Texts, None where one is missing, as Arrow holds them."""
    import pyarrow as pa

    return pd.Series(pd.arrays.ArrowStringArray(pa.array(values, type=pa.string())))


def _beside(answered: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Both tables side by side; a name that is taken already gets `input_` before it."""
    taken, names = set(answered), []
    for name in others:
        while name in taken:
            name = f"input_{name}"  # noqa: PLW2901 - until nothing has it
        taken.add(name)
        names.append(name)
    return pd.concat([answered, others.set_axis(names, axis=1).reset_index(drop=True)], axis=1)
