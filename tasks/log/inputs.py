"""What was asked and answered, from the log's rows and from the parts of batches alike."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select

from bentos.log.batches import read_id
from bentos.log.tables import LABELS, PARTS, PREDICTIONS
from driftline.portion import Thinned
from driftline.problem import Problem
from tasks.log.damage import find_part
from tasks.log.packing import FIGURE, PREDICTION, ROW

ROWS_AT_ONCE = 50_000
_PLACE, _OFFSET = "(place)", "(place in part)"  # beside a problem's columns
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


class Asked(NamedTuple):
    """What was asked, under the problem's columns, in order; `rows` count those not kept too.

    Each row has the sequence of its prediction as `places`, that of the part if it lies in one, and
    its place in that part (0 alone) as `offsets`. `last` is the last place of all rows, 0 of none.
    """

    inputs: pd.DataFrame
    places: list[int]
    offsets: list[int]
    rows: int
    first: int
    last: int


def read_inputs(
    connection: Connection,
    problem: Problem,
    *conditions: ColumnElement[bool],
    most: int | None = None,
) -> Asked:
    """Inputs whose predictions meet the conditions; at most so many of them, evenly chosen."""
    thinned, ends = Thinned(most or sys.maxsize), [0, 0]
    thinned.add(_placed(_table([], problem), 0))
    for table in _read_pieces(connection, problem, conditions):
        thinned.add(table)
        first, last = int(table[_PLACE].iloc[0]), int(table[_PLACE].iloc[-1])
        ends = [min(ends[0] or first, first), max(ends[1], last)]
    kept = thinned.finish().sort_values(_PLACE, kind="stable").reset_index(drop=True)
    places, offsets = kept.pop(_PLACE).tolist(), kept.pop(_OFFSET).tolist()
    return Asked(kept, places, offsets, thinned.rows, *ends)


def _read_pieces(
    connection: Connection, problem: Problem, conditions: Sequence[ColumnElement[bool]]
) -> Iterator[pd.DataFrame]:
    """Rows that stand alone, and then those of parts, each with its place."""
    mine = (PREDICTIONS.c.problem == problem.name, *conditions)
    query = select(PREDICTIONS.c.sequence, PREDICTIONS.c.inputs).where(
        *mine, PREDICTIONS.c.inputs.is_not(None)
    )
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(
        query.order_by(PREDICTIONS.c.sequence)
    )
    for piece in rows.partitions():
        table = _table([row.inputs for row in piece], problem)
        yield _placed(table, [row.sequence for row in piece])
    parts = (
        select(PREDICTIONS.c.sequence, PARTS.c.id, PARTS.c.sha256)
        .join(PARTS, PARTS.c.id == PREDICTIONS.c.id)
        .where(*mine, PARTS.c.is_kept)
    )
    for place, part, sha256 in connection.execute(parts.order_by(PREDICTIONS.c.sequence)).all():
        found = find_part(problem.name, part, sha256)
        if found is not None and len(found):
            yield _placed(_own_columns(found, problem), place, np.arange(len(found)))


def _placed(
    table: pd.DataFrame, places: int | list[int], offsets: int | NDArray[np.int64] = 0
) -> pd.DataFrame:
    return table.assign(**{_PLACE: places, _OFFSET: offsets})


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
