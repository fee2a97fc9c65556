"""Batch scoring: rows in, answers out as Parquet files, a piece at a time.

A part's file is written when its answers are in the prediction log; ids follow from the model, the
source's content and the row's place (`bentos.log.batches`). So whatever was interrupted goes on
without a row twice. What answers the rows is `tasks.log.answering`, here or on a cluster.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from bentos.log.batches import batch_of
from bentos.log.database import insert_predictions
from bentos.log.rows import prediction_rows
from driftline.errors import DataError, NotFoundError
from driftline.problem import Problem
from driftline.served import ServedModel
from driftline.timelines import Timeline
from tasks.cluster import is_clustered, spread_ahead
from tasks.data.files import count_rows, locate, locate_output, read_file, write_file
from tasks.decorators import io
from tasks.log.answering import AnsweredPart, Asked, Rows, answer_rows
from tasks.log.parts import log_part
from tasks.log.records import open_records

PIECE_ROWS = 100_000  # of a part too: with another number, parts of a batch would overlap


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
        timelines = timelines or {}
        if timelines:
            digests = [sha256, *(one.sha256 for one in timelines.values())]
            sha256 = hashlib.sha256(" ".join(digests).encode()).hexdigest()
        self._about = {
            "problem": problem.name,
            "model_version": model.version,
            "source": sha256,
            "rows_per_part": PIECE_ROWS,
        }
        batch = batch_of(problem.name, model.version, sha256)
        self.asked = Asked(problem, model.contract, model.onnx, source, batch, timelines)
        name = f"v{model.version}-{sha256[:12]}"
        own = locate("scores", problem.name, name)
        self.folder = locate_output(output, asked_by="--output") if output else own

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
        except ValueError:
            found = None
        if not isinstance(found, dict):
            message = f"{note}: damaged; wanted what flows.score wrote there, or another --output"
            raise DataError(message)
        if found != self._about:
            wrong = ", ".join(f"{k} {found.get(k)!r}" for k in self._about)
            message = f"{self.folder}: holds the scores of {wrong}; wanted an empty folder"
            raise DataError(message)


@io(name="look for scores")
def find_part(scorer: Scorer, number: int) -> int | None:
    """How many rows a part that is there answers, or None."""
    scorer.take_folder(is_new=False)
    try:
        return count_rows(scorer.part(number))
    except DataError as error:
        message = f"{error}, or removed, and its rows are answered anew"
        raise DataError(message) from None


def score_parts(scorer: Scorer, parts: Iterable[Rows]) -> Iterator[tuple[Rows, int]]:
    """Answer, log and write each part, and tell how many of its rows were answered.

    On a cluster its workers answer, side by side and in any order, and what they made is kept here.
    """
    if not is_clustered():
        for rows in parts:
            yield rows, score_part(scorer, rows.number, rows.table, start=rows.first)
        return
    for rows, made in spread_ahead(answer_rows, (scorer.asked,), parts):
        yield rows, keep_part(scorer, rows.number, made)


@io(name="score rows", run_name="score rows {number}")
def score_part(scorer: Scorer, number: int, rows: pd.DataFrame, *, start: int) -> int:
    """Answer a piece, log the answers, and write them; returns how many rows were answered.

    `start` is the place in the source of its first row.
    """
    return _keep(scorer, number, answer_rows(scorer.asked, Rows(number, start, 0.0, rows)))


@io(name="keep scores", run_name="keep scores {number}")
def keep_part(scorer: Scorer, number: int, made: AnsweredPart) -> int:
    """Log and write what was answered elsewhere; returns how many rows were answered."""
    return _keep(scorer, number, made)


def _keep(scorer: Scorer, number: int, made: AnsweredPart) -> int:
    scorer.take_folder(is_new=True)
    _log(scorer, made)
    if made.refused is not None:
        write_file(scorer.refused(number), made.refused)
    write_file(scorer.part(number), made.scores)
    return made.answered


def _log(scorer: Scorer, made: AnsweredPart) -> None:
    """Few rows as rows of the log, many as a part that it refers to."""
    contract = scorer.asked.contract
    if made.packed is not None:
        log_part(contract.problem, contract.model_version, made.packed)
    elif made.predictions:
        entry = {
            "time": time.time(),
            "problem": contract.problem,
            "version": contract.model_version,
            "predictions": made.predictions,
        }
        insert_predictions(open_records(), prediction_rows(entry))
