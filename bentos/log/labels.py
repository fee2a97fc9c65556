"""Labels in bulk: many true labels in few statements, each kept as `/feedback` keeps one."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Engine, select

from bentos.log.database import LabelOutcome, _insert_ignoring
from bentos.log.rows import label_row
from bentos.log.tables import LABELS, PREDICTIONS

IDS_PER_QUERY = 500


def add_labels(
    engine: Engine, problem: str, labels: Sequence[tuple[str, str]]
) -> list[LabelOutcome]:
    """Keep the first label of each known prediction of a problem; tells what became of each pair.

    Pairs are (prediction id, class name). What is given again is `same` or `different`, whether
    it stands in the database or earlier in the same list, so all of it may be repeated.
    """
    outcomes: list[LabelOutcome] = []
    for start in range(0, len(labels), IDS_PER_QUERY):
        outcomes += _add_batch(engine, problem, labels[start : start + IDS_PER_QUERY])
    return outcomes


def _add_batch(
    engine: Engine, problem: str, labels: Sequence[tuple[str, str]]
) -> list[LabelOutcome]:
    kept = _read_kept(engine, problem, {prediction_id for prediction_id, _ in labels})
    first: dict[str, str] = {}
    for prediction_id, label in labels:
        if prediction_id in kept and kept[prediction_id] is None:
            first.setdefault(prediction_id, label)
    if first:
        _insert(engine, problem, first)
        kept |= _read_kept(engine, problem, first)  # another sender may have been faster
    outcomes: list[LabelOutcome] = []
    for prediction_id, label in labels:
        if prediction_id not in kept:
            outcomes.append("unknown")
        elif kept[prediction_id] != label:
            outcomes.append("different")
        else:
            outcomes.append("added" if first.pop(prediction_id, None) is not None else "same")
    return outcomes


def _read_kept(engine: Engine, problem: str, ids: Iterable[str]) -> dict[str, str | None]:
    """The label of each of these predictions that is known, None where it has none yet."""
    query = (
        select(PREDICTIONS.c.id, LABELS.c.label)
        .outerjoin(LABELS, LABELS.c.prediction_id == PREDICTIONS.c.id)
        .where(PREDICTIONS.c.id.in_(list(ids)), PREDICTIONS.c.problem == problem)
    )
    with engine.connect() as connection:
        return {row.id: row.label for row in connection.execute(query)}


def _insert(engine: Engine, problem: str, labels: dict[str, str]) -> None:
    rows = [label_row(key, problem, label) for key, label in labels.items()]
    with engine.begin() as connection:
        connection.execute(_insert_ignoring(engine, LABELS, "prediction_id"), rows)
