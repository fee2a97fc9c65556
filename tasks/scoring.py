"""Batch scoring: a table in, its answers out as Parquet, in chunks that fit in little memory."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sqlalchemy import select

from bentos.database import insert_predictions
from bentos.predictor import Predictor
from bentos.tables import PREDICTIONS
from driftline.cleaning import clean, faults_of_values
from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.decorators import io
from tasks.records import open_records

CHUNK_ROWS = 10_000


@dataclass(frozen=True)
class Chunk:
    """Some rows of a source, and their place in it."""

    number: int
    rows: pd.DataFrame


def chunks_of(table: pd.DataFrame) -> Iterator[Chunk]:
    """The table in pieces."""
    for number, start in enumerate(range(0, len(table), CHUNK_ROWS)):
        yield Chunk(number, table.iloc[start : start + CHUNK_ROWS].reset_index(drop=True))


@io(name="score chunk", run_name="score chunk {chunk.number}")
def score_chunk(
    chunk: Chunk, problem: Problem, model: ServedModel, *, source: str
) -> tuple[pd.DataFrame, int]:
    """Answers for a chunk, logged; ids follow from source, model and place: a rerun adds nothing.

    Returns the rows with `prediction_id`, `label`, `risk_level` and a probability per class, and
    how many rows were left out because the contract refuses them.
    """
    cleaned = clean(chunk.rows, problem, source=source, with_target=False)
    bad = faults_of_values(cleaned, problem)
    kept = cleaned.table.drop(index=list(bad))
    records = kept.astype("object").where(kept.notna(), None).to_dict(orient="records")
    answers = Predictor(model.contract, model.onnx).predict(records)  # type: ignore[arg-type]
    ids = [_row_id(source, model, chunk.number * CHUNK_ROWS + int(row)) for row in kept.index]
    now = datetime.now(UTC).replace(tzinfo=None)
    rows: list[dict[str, Any]] = [
        {
            "id": row_id,
            "problem": problem.name,
            "model_version": model.version,
            "answered_at": now,
            "inputs": json.dumps(record),
            "prediction": answer.prediction,
            "label": answer.label,
            "probabilities": json.dumps(list(answer.probability.values())),
            "confidence": answer.confidence,
            "risk_level": answer.risk_level,
        }
        for row_id, record, answer in zip(ids, records, answers, strict=True)
    ]
    _log_missing(rows)
    scored = kept.assign(
        prediction_id=ids,
        label=[answer.label for answer in answers],
        risk_level=pd.Series([a.risk_level for a in answers], index=kept.index, dtype="object"),
        **{
            f"probability_{name}": [answer.probability[name] for answer in answers]
            for name in problem.classes
        },
    )
    return scored, len(bad)


def _log_missing(rows: list[dict[str, Any]]) -> None:
    """Insert what is not there yet: a batch that began before need not be sent again."""
    if not rows:
        return
    engine = open_records()
    ends = [rows[0]["id"], rows[-1]["id"]]
    with engine.connect() as connection:
        query = select(PREDICTIONS.c.id).where(PREDICTIONS.c.id.in_(ends))
        if set(connection.execute(query).scalars()) == set(ends):
            return  # one transaction wrote them all
    insert_predictions(engine, rows)


def _row_id(source: str, model: ServedModel, place: int) -> str:
    text = f"{model.contract.problem}:{model.version}:{source}:{place}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def without_target(table: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """The rows without their answer, if they carry it."""
    target = {problem.target.name, *problem.target.aliases}
    names = {name for column, spec in problem.columns.items() for name in (column, *spec.aliases)}
    return table.drop(columns=[name for name in table.columns if name in target - names])


def name_of(model: ServedModel, source: str) -> str:
    """A folder name for the scores of a source by a model version."""
    return f"v{model.version}-{hashlib.sha256(source.encode()).hexdigest()[:12]}"
