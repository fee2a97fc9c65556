"""Parts of batches in the database: which one holds a prediction, and how one comes in.

`bentos.log.batches` says what a part is; what lies in it is for `tasks.log.parts` to read.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from bentos.log.batches import is_answered, is_part, read_id
from bentos.log.tables import PARTS, PREDICTIONS


class Part(NamedTuple):
    """Where rows of a source were answered: from the first to the one before the end."""

    id: str
    first_row: int
    end_row: int
    left_out: frozenset[int]

    def answers(self, row: int) -> bool:
        """Whether it holds the answer to a row."""
        return self.first_row <= row < self.end_row and row not in self.left_out


class FoundPrediction(NamedTuple):
    """The problem that a prediction is of, and the part that holds it, if one does."""

    problem: str
    part: str | None


KnownParts = dict[str, list[Part]]  # by batch


def find_prediction(connection: Connection, prediction_id: str) -> FoundPrediction | None:
    """A prediction in the log by its id; None where there is none."""
    if is_part(prediction_id):
        return None
    query = select(PREDICTIONS.c.problem).where(PREDICTIONS.c.id == prediction_id)
    problem = connection.execute(query).scalar()
    if problem is not None:
        return FoundPrediction(problem, None)
    of_batch = read_id(prediction_id)
    if of_batch is None:
        return None
    batch, row = of_batch
    holding = (
        select(PREDICTIONS.c.problem, PARTS.c.id, PARTS.c.end_row, PARTS.c.left_out)
        .join(PREDICTIONS, PREDICTIONS.c.id == PARTS.c.id)
        .where(PARTS.c.batch == batch, PARTS.c.first_row <= row)
        .order_by(PARTS.c.first_row.desc())
    )
    found = connection.execute(holding.limit(1)).first()
    if found is None or not is_answered(row, found.end_row, found.left_out):
        return None
    return FoundPrediction(found.problem, found.id)


def find_predictions(
    connection: Connection, problem: str, ids: Iterable[str], parts: KnownParts
) -> dict[str, str | None]:
    """Those of a problem's predictions that are known, each with the part that holds it, if any.

    `parts` are those of batches that were read before; what is read now is added to them.
    """
    wanted = [name for name in ids if not is_part(name)]
    query = select(PREDICTIONS.c.id).where(
        PREDICTIONS.c.id.in_(wanted), PREDICTIONS.c.problem == problem
    )
    found: dict[str, str | None] = dict.fromkeys(connection.execute(query).scalars())
    for name in wanted:
        of_batch = None if name in found else read_id(name)
        if of_batch is None:
            continue
        batch, row = of_batch
        if batch not in parts:
            parts[batch] = _read_parts(connection, problem, batch)
        holding = next((part.id for part in parts[batch] if part.answers(row)), None)
        if holding is not None:
            found[name] = holding
    return found


def _read_parts(connection: Connection, problem: str, batch: str) -> list[Part]:
    query = (
        select(PARTS.c.id, PARTS.c.first_row, PARTS.c.end_row, PARTS.c.left_out)
        .join(PREDICTIONS, PREDICTIONS.c.id == PARTS.c.id)
        .where(PARTS.c.batch == batch, PREDICTIONS.c.problem == problem)
    )
    return [
        Part(row.id, row.first_row, row.end_row, frozenset(json.loads(row.left_out)))
        for row in connection.execute(query)
    ]
