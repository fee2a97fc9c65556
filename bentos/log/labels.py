"""Labels in bulk: many true labels in few statements, each kept as `/feedback` keeps one."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, select

from bentos.log.database import LabelOutcome, insert_ignoring
from bentos.log.parts import KnownParts, find_predictions
from bentos.log.rows import label_row
from bentos.log.tables import LABELS

IDS_PER_QUERY = 500


def add_labels(
    engine: Engine, problem: str, labels: Sequence[tuple[str, str]]
) -> list[LabelOutcome]:
    """Keep the first label of each known prediction of a problem; tells what became of each pair.

    Pairs are (prediction id, class name). What is given again is `same` or `different`, whether
    it stands in the database or earlier in the same list, so all of it may be repeated.
    """
    outcomes: list[LabelOutcome] = []
    parts: KnownParts = {}
    for start in range(0, len(labels), IDS_PER_QUERY):
        outcomes += _add_batch(engine, problem, labels[start : start + IDS_PER_QUERY], parts)
    return outcomes


def _add_batch(
    engine: Engine, problem: str, labels: Sequence[tuple[str, str]], parts: KnownParts
) -> list[LabelOutcome]:
    ids = {prediction_id for prediction_id, _ in labels}
    with engine.connect() as connection:
        known = find_predictions(connection, problem, ids, parts)
        kept = _read_kept(connection, known)
    first: dict[str, str] = {}
    for prediction_id, label in labels:
        if prediction_id in known and prediction_id not in kept:
            first.setdefault(prediction_id, label)
    if first:
        rows = [label_row(key, problem, label, known[key]) for key, label in first.items()]
        with engine.begin() as connection:
            connection.execute(insert_ignoring(engine, LABELS, "prediction_id"), rows)
            kept |= _read_kept(connection, first)  # another sender may have been faster
    outcomes: list[LabelOutcome] = []
    for prediction_id, label in labels:
        if prediction_id not in known:
            outcomes.append("unknown")
        elif kept[prediction_id] != label:
            outcomes.append("different")
        else:
            outcomes.append("added" if first.pop(prediction_id, None) is not None else "same")
    return outcomes


def _read_kept(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The label of each of these predictions that has one."""
    query = select(LABELS.c.prediction_id, LABELS.c.label)
    rows = connection.execute(query.where(LABELS.c.prediction_id.in_(list(ids))))
    return {row.prediction_id: row.label for row in rows}
