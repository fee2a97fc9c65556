"""Batch scoring: rows in, answers out as Parquet files, a piece at a time.

A part's file is written when its answers are in the prediction log; ids follow from the model, the
source's content and the row's place (`bentos.log.batches`). So whatever was interrupted goes on
without a row twice.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bentos.columns import AnswerColumns, describe_columns
from bentos.log.batches import batch_of, prediction_id
from bentos.log.database import insert_predictions
from bentos.log.rows import prediction_rows
from bentos.predictor import Predictor
from driftline.cleaning import clean, faults_of_values, keep_ignored
from driftline.contract import Contract
from driftline.errors import DataError, NotFoundError
from driftline.fields import InvalidRecordError
from driftline.joining import join_rows
from driftline.matrix import as_sent, encode_cleaned
from driftline.problem import Problem
from driftline.served import ServedModel, find_untaken
from driftline.timelines import Timeline
from tasks.data.files import count_rows, locate, read_file, write_file, write_parquet
from tasks.decorators import io
from tasks.log.parts import AnsweredRows, log_part
from tasks.log.records import open_records

PIECE_ROWS = 100_000  # of a part too: with another number, parts of a batch would overlap
REPEATING = ("label", "risk_level")  # columns of few values
LEAST_OF_PART = 1_000  # rows of a piece, from which its answers are logged as a part


class Scorer:
    """Scores one source by one model into one folder."""

    def __init__(
        self,
        problem: Problem,
        model: ServedModel,
        *,
        source: str,
        sha256: str,
        output: str | None,
        timelines: Mapping[str, Timeline] | None = None,
    ) -> None:
        """Take the folder, or one in the store that is named after model and source.

        With `timelines`, those of the problem's joins, other tables make it another source.
        """
        self.problem = problem
        self.source = source
        self.timelines = timelines or {}
        if self.timelines:
            digests = [sha256, *(one.sha256 for one in self.timelines.values())]
            sha256 = hashlib.sha256(" ".join(digests).encode()).hexdigest()
        self.predictor = Predictor(model.contract, model.onnx)
        self._about = {
            "problem": problem.name,
            "model_version": model.version,
            "source": sha256,
            "rows_per_part": PIECE_ROWS,
        }
        self.batch = batch_of(problem.name, model.version, sha256)
        name = f"v{model.version}-{sha256[:12]}"
        self.folder = (output or locate("scores", problem.name, name)).rstrip("/")

    def part(self, number: int) -> str:
        """Where the answers of a piece lie."""
        return f"{self.folder}/part-{number:05d}.parquet"

    def refused(self, number: int) -> str:
        """Where its refused rows lie; readers of a folder of Parquet skip names with `_`."""
        return f"{self.folder}/_refused-{number:05d}.parquet"

    def take_folder(self, *, is_new: bool) -> None:
        """Refuse a folder that holds the scores of something else; leave a note in a new one."""
        note = f"{self.folder}/_scores.json"
        try:
            found = json.loads(read_file(note))
        except NotFoundError:
            if is_new:
                write_file(note, json.dumps(self._about).encode())
            return
        if found != self._about:
            wrong = ", ".join(f"{k} {found.get(k)!r}" for k in self._about)
            message = f"{self.folder}: holds the scores of {wrong}; wanted an empty folder"
            raise DataError(message)


@io(name="look for scores")
def find_part(scorer: Scorer, number: int) -> int | None:
    """How many rows a part that is there answers, or None."""
    scorer.take_folder(is_new=False)
    return count_rows(scorer.part(number))


@io(name="score rows", run_name="score rows {number}")
def score_part(scorer: Scorer, number: int, rows: pd.DataFrame, *, start: int) -> int:
    """Answer a piece, log the answers, and write them; returns how many rows were answered.

    `start` is the place in the source of its first row.
    """
    rows, _ = join_rows(rows, scorer.problem, scorer.timelines, source=scorer.source)
    cleaned = clean(rows, scorer.problem, source=scorer.source, with_target=False, is_part=True)
    own = keep_ignored(rows, scorer.problem)
    bad = faults_of_values(cleaned, scorer.problem)
    contract = scorer.predictor.contract
    kept, matrix, untaken = _encode_taken(cleaned.table.drop(index=list(bad)), contract)
    bad = bad | untaken
    scores = scorer.predictor.score_matrix(matrix)
    answers = describe_columns(contract, scores)
    inputs = as_sent(kept[[field.name for field in contract.fields]], contract)
    places = start + kept.index.to_numpy(dtype=np.int64)
    scorer.take_folder(is_new=True)
    _log(scorer, AnsweredRows(scorer.batch, start, start + len(rows), places, inputs, answers))
    if bad:
        reasons = ["; ".join(why) for why in bad.values()]
        refused = pd.DataFrame({"row": [start + row for row in bad], "reasons": reasons})
        write_parquet(scorer.refused(number), _beside(refused, own.iloc[list(bad)]))
    answered = _describe(scorer.batch, places, inputs, answers)
    own = own.iloc[kept.index] if bad else own
    write_parquet(scorer.part(number), _beside(answered, own), repeating=REPEATING)
    return len(kept)


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


def _log(scorer: Scorer, answered: AnsweredRows) -> None:
    """Few rows as rows of the log, many as a part that it refers to."""
    contract, answers = scorer.predictor.contract, answered.answers
    if len(answers) and answered.end - answered.first >= LEAST_OF_PART:
        log_part(contract.problem, contract.model_version, answered)
    elif len(answers):
        inputs = answered.inputs
        records = inputs.astype("object").where(inputs.notna(), None).to_dict(orient="records")
        predictions = [
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
        ]
        entry = {
            "time": time.time(),
            "problem": contract.problem,
            "version": contract.model_version,
            "predictions": predictions,
        }
        insert_predictions(open_records(), prediction_rows(entry))


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
    others = others.reset_index(drop=True)
    others = others.rename(columns={n: f"input_{n}" for n in others if n in answered})
    return pd.concat([answered, others], axis="columns")
