"""What the services have refused, as counts from the prediction log's database."""

from sqlalchemy import func, select

from bentos.log.tables import REFUSALS
from driftline.refusals import RECORDS, Refusals
from tasks.decorators import io
from tasks.log.records import open_records


@io(name="read refusals")
def read_refusals(problem: str, model_version: str, after: int) -> Refusals:
    """What this model has refused after a sequence; the next look goes on from `last`."""
    query = (
        select(
            REFUSALS.c.field,
            REFUSALS.c.kind,
            func.sum(REFUSALS.c["count"]),
            func.max(REFUSALS.c.sequence),
        )
        .where(
            REFUSALS.c.problem == problem,
            REFUSALS.c.model_version == model_version,
            REFUSALS.c.sequence > after,
        )
        .group_by(REFUSALS.c.field, REFUSALS.c.kind)
        .order_by(REFUSALS.c.field, REFUSALS.c.kind)
    )
    with open_records().connect() as connection:
        rows = connection.execute(query).all()
    counts = {(field, kind): int(count) for field, kind, count, _ in rows}
    return Refusals(
        records=counts.pop(("", RECORDS), 0),
        by_fault=counts,
        last=max((int(row[3]) for row in rows), default=after),
    )
