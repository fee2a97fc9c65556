"""Batch scoring: rows in, answers out as Parquet files, a piece at a time.

A part's file is written when its answers are in the prediction log; ids follow from the model, the
source's content and the row's place. So whatever was interrupted goes on without a row twice.
"""

import hashlib
import json
import time
from typing import Any

import pandas as pd

from bentos.log.database import insert_predictions
from bentos.log.rows import prediction_entry, prediction_rows
from bentos.predictor import AnyAnswer, Predictor, figure_names
from driftline.cleaning import clean, faults_of_values, keep_ignored
from driftline.contract import Contract
from driftline.dataset import as_sent
from driftline.errors import DataError, NotFoundError
from driftline.fields import InvalidRecordError
from driftline.problem import Problem
from driftline.served import ServedModel, find_untaken
from tasks.data.files import count_rows, locate, read_file, write_file, write_parquet
from tasks.decorators import io
from tasks.log.records import open_records

PIECE_ROWS = 10_000


class Scorer:
    """Scores one source by one model into one folder."""

    def __init__(
        self, problem: Problem, model: ServedModel, *, source: str, sha256: str, output: str | None
    ) -> None:
        """Take the folder, or one in the store that is named after model and source."""
        self.problem = problem
        self.source = source
        self.predictor = Predictor(model.contract, model.onnx)
        self._about = {"problem": problem.name, "model_version": model.version, "source": sha256}
        name = f"v{model.version}-{sha256[:12]}"
        self.folder = (output or locate("scores", problem.name, name)).rstrip("/")

    def id_of(self, row: int) -> str:
        """The prediction's id for a row of the source."""
        text = json.dumps([*self._about.values(), row])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

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
    cleaned = clean(rows, scorer.problem, source=scorer.source, with_target=False, is_part=True)
    own = keep_ignored(rows, scorer.problem)
    bad = faults_of_values(cleaned, scorer.problem)
    contract = scorer.predictor.contract
    kept = as_sent(cleaned.table.drop(index=list(bad)), contract)
    try:
        answers = scorer.predictor.predict(_records(kept))
    except InvalidRecordError:  # the problem file has come to allow what the model was not made for
        untaken = find_untaken(contract, kept)
        bad, kept = bad | untaken, kept.drop(index=list(untaken))
        answers = scorer.predictor.predict(_records(kept))
    records = _records(kept)
    ids = [scorer.id_of(start + int(row)) for row in kept.index]
    entry = prediction_entry(contract, records, answers, ids, at=time.time())
    scorer.take_folder(is_new=True)
    if ids:
        insert_predictions(open_records(), prediction_rows(entry))
    if bad:
        reasons = ["; ".join(why) for why in bad.values()]
        refused = pd.DataFrame({"row": [start + row for row in bad], "reasons": reasons})
        write_parquet(scorer.refused(number), _beside(refused, own.iloc[list(bad)]))
    answered = _describe(contract, kept, ids, answers, start=start)
    write_parquet(scorer.part(number), _beside(answered, own.iloc[kept.index]))
    return len(kept)


def _records(kept: pd.DataFrame) -> list[dict[str, Any]]:
    filled = kept.astype("object").where(kept.notna(), None)
    return filled.to_dict(orient="records")  # type: ignore[return-value] # names are strings


def _describe(
    contract: Contract, kept: pd.DataFrame, ids: list[str], answers: list[AnyAnswer], *, start: int
) -> pd.DataFrame:
    """Inputs and answers as one table, whose columns have one type in every part."""
    answered = pd.DataFrame(
        {
            "row": pd.Series([start + int(row) for row in kept.index], dtype="int64"),
            "prediction_id": pd.Series(ids, dtype="string"),
            "label": pd.Series([answer.label for answer in answers], dtype="string"),
            "risk_level": pd.Series([answer.risk_level for answer in answers], dtype="string"),
            **{
                name: pd.Series([answer.figures[name] for answer in answers], dtype="float64")
                for name in figure_names(contract)
            },
        }
    )
    inputs = kept.reset_index(drop=True)
    texts = inputs.select_dtypes("object").columns
    return _beside(answered, inputs.astype(dict.fromkeys(texts, "string")))


def _beside(answered: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Both tables side by side; a name that is taken already gets `input_` before it."""
    others = others.reset_index(drop=True)
    others = others.rename(columns={n: f"input_{n}" for n in others if n in answered})
    return pd.concat([answered, others], axis="columns")
