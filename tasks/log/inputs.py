"""What was asked and answered, from the log's rows and from the parts of batches alike."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select

from bentos.log.batches import read_id
from bentos.log.tables import LABELS, PARTS, PREDICTIONS
from driftline.problem import Problem
from tasks.log.damage import find_part
from tasks.log.parts import FIGURE, PREDICTION, ROW

ROWS_AT_ONCE = 50_000
# Whether what a labelled prediction was asked is still there.
HAS_INPUTS = PREDICTIONS.c.inputs.is_not(None) | PARTS.c.is_kept


class Logged(NamedTuple):
    """Predictions in order: inputs under the problem's columns, and what was answered.

    `places` are those of the rows that could be read, among all that were asked for.
    """

    places: list[int]
    inputs: pd.DataFrame
    predictions: list[int]
    probabilities: list[list[float]]


def read_inputs(
    connection: Connection, problem: Problem, *conditions: ColumnElement[bool]
) -> tuple[pd.DataFrame, list[int]]:
    """Inputs whose predictions meet the conditions, and their places, in order.

    A place is the sequence of a prediction; the rows of a part have that of the part.
    """
    mine = (PREDICTIONS.c.problem == problem.name, *conditions)
    query = select(PREDICTIONS.c.sequence, PREDICTIONS.c.inputs).where(
        *mine, PREDICTIONS.c.inputs.is_not(None)
    )
    tables, places = [_table([], problem)], [np.empty(0, dtype=np.int64)]
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(
        query.order_by(PREDICTIONS.c.sequence)
    )
    for piece in rows.partitions():
        tables.append(_table([row.inputs for row in piece], problem))
        places.append(np.array([row.sequence for row in piece], dtype=np.int64))
    parts = (
        select(PREDICTIONS.c.sequence, PARTS.c.id, PARTS.c.sha256)
        .join(PARTS, PARTS.c.id == PREDICTIONS.c.id)
        .where(*mine, PARTS.c.is_kept)
    )
    for place, part, sha256 in connection.execute(parts.order_by(PREDICTIONS.c.sequence)).all():
        table = find_part(problem.name, part, sha256)
        if table is None:
            continue
        tables.append(_own_columns(table, problem))
        places.append(np.full(len(table), place, dtype=np.int64))
    everything = pd.concat([each for each in tables if len(each)] or tables, ignore_index=True)
    at = np.concatenate(places)
    order = np.argsort(at, kind="stable")
    return everything.iloc[order].reset_index(drop=True), at[order].tolist()


def count_answered(
    connection: Connection, places: "pd.Series[int]", *conditions: ColumnElement[bool]
) -> int:
    """How many predictions there are from the first of these places to the last, both with."""
    if not len(places):
        return 0
    query = (
        select(func.sum(func.coalesce(PARTS.c.rows_answered, 1)))
        .select_from(PREDICTIONS)
        .outerjoin(PARTS, PARTS.c.id == PREDICTIONS.c.id)
        .where(PREDICTIONS.c.sequence.between(int(places.min()), int(places.max())), *conditions)
    )
    return int(connection.execute(query).scalar_one())


def select_labelled(*columns: Any, labels: FromClause = LABELS) -> Select[Any]:
    """Labelled predictions, each joined with where it lies, as `read_logged` takes them.

    The sequence of a prediction that lies in a part is the part's.
    """
    holder = func.coalesce(labels.c.part, labels.c.prediction_id)
    return (
        select(
            *columns,
            PREDICTIONS.c.inputs,
            PREDICTIONS.c.prediction,
            PREDICTIONS.c.probabilities,
            labels.c.prediction_id,
            labels.c.part,
            PARTS.c.sha256,
        )
        .select_from(labels)
        .join(PREDICTIONS, PREDICTIONS.c.id == holder)
        .outerjoin(PARTS, PARTS.c.id == labels.c.part)
    )


def read_logged(rows: Sequence[Any], problem: Problem) -> Logged:
    """What stands behind rows of `select_labelled`, in their order; what is damaged is left out."""
    alone = [place for place, row in enumerate(rows) if row.part is None]
    tables = [_table([rows[place].inputs for place in alone], problem)]
    predictions = [int(rows[place].prediction) for place in alone]
    probabilities = [json.loads(rows[place].probabilities) for place in alone]
    order = alone
    by_part: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        if row.part is not None:
            by_part.setdefault((row.part, row.sha256), []).append(place)
    for (part, sha256), places in by_part.items():
        table = find_part(problem.name, part, sha256)
        if table is None:
            continue
        wanted = [_row_of(rows[place].prediction_id) for place in places]
        table = table.iloc[np.searchsorted(table[ROW], wanted)]
        tables.append(_own_columns(table, problem))
        predictions += table[PREDICTION].tolist()
        figures = [name for name in table.columns if name.startswith(FIGURE)]
        probabilities += table[figures].to_numpy().tolist()
        order = order + places
    inputs = pd.concat([each for each in tables if len(each)] or tables, ignore_index=True)
    back = np.argsort(order, kind="stable")
    return Logged(
        [order[place] for place in back],
        inputs.iloc[back].reset_index(drop=True),
        [predictions[place] for place in back],
        [probabilities[place] for place in back],
    )


def _row_of(prediction_id: str) -> int:
    of_batch = read_id(prediction_id)
    if of_batch is None:
        raise ValueError(prediction_id)
    return of_batch[1]


def _table(inputs: Sequence[str | None], problem: Problem) -> pd.DataFrame:
    """Logged inputs under the problem's columns; what a record left out is missing."""
    rows = [{} if text is None else json.loads(text) for text in inputs]
    return pd.DataFrame(rows, columns=list(problem.columns))


def _own_columns(table: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    return table.reindex(columns=list(problem.columns))
