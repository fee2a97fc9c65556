"""Ingest: read, clean, validate, set aside what is broken, and keep the rest as a snapshot."""

from typing import Annotated

from prefect.runtime import flow_run
from pydantic import Field

from driftline.errors import DriftlineError
from driftline.problem import Problem
from driftline.quarantine import check_trainable
from flows.shared.retention import let_snapshots_go
from flows.shared.running import Sections, driftline_flow
from tasks.data.cleaning import CleanedRows, RowCleaner, clean_piece, end_cleaning, separate_rows
from tasks.data.problems import read_problem, read_suite
from tasks.data.snapshot_pages import draw_profile
from tasks.data.storage import Origin, fetch_snapshot, write_report, write_snapshot
from tasks.data.tables import StoredTable
from tasks.data.validation import check_expectations, refuse_critical
from tasks.people.reporting import show_link
from tasks.progress import step
from tasks.reading.joins import RowJoiner
from tasks.reading.sources import open_rows, read_piece
from tasks.reading.streams import Stream
from tasks.shipping.packaging import served_snapshot


@driftline_flow("ingest", run_name="ingest {problem}")
def ingest(
    problem: str,
    source: str | None = None,
    folds: Annotated[int, Field(ge=2, le=50)] = 2,
) -> Sections:
    """Turn a source into a validated snapshot, of rows enough for so many folds."""
    spec = read_problem(problem)
    suite = read_suite(spec)
    with step("read and clean"):
        stream = open_rows(spec, source)
        joiner = RowJoiner(spec, source=stream.name)
        cleaned = clean_source(stream, spec, joiner)
        name, read_as = stream.name, joiner.tell_read(stream.read_as)
    with step("validate"):
        validation = check_expectations(cleaned.table, suite, read_as)
        page = write_report(f"validation/{spec.name}-{flow_run.id}.html", validation.page)
        refuse_critical(validation, source=name, page=page)
        rows = separate_rows(cleaned, validation.faults, spec, source=name)
        check_trainable(rows.kept, spec, folds=folds, source=name)
    with step("write snapshot"):
        snapshot = write_snapshot(rows.kept, rows.quarantined, Origin(name, read_as, spec.name))
        let_snapshots_go(spec.name)
    with step("draw profile"):
        drawn = draw_profile(rows.kept, spec, origin=name, before=read_before(spec))
        profile = write_report(f"profiles/{spec.name}-{snapshot.sha256[:12]}.html", drawn)
        show_link("profile", profile, f"profile of {spec.name}")
    return {
        "snapshot": {
            "sha256": snapshot.sha256,
            "rows": snapshot.rows,
            "quarantined": snapshot.quarantined,
            "reasons": rows.reasons,
            "uncoerced": cleaned.uncoerced,
            "source": name,
            "profile": profile,
            **({"read_as": read_as} if read_as else {}),
        },
        "validation": {
            "success": validation.success,
            "checked": validation.checked,
            "failed": list(validation.failed),
            "report": page,
        },
    }


def clean_source(stream: Stream, spec: Problem, joiner: RowJoiner) -> CleanedRows:
    """All rows of a source, joined and cleaned a piece at a time."""
    cleaner = RowCleaner(spec, source=stream.name)
    number = 0
    while (piece := read_piece(stream, number)) is not None:
        clean_piece(cleaner, joiner.join(piece.rows), piece.share)
        del piece  # before the next one is read
        number += 1
    joiner.finish()
    return end_cleaning(cleaner)


def read_before(spec: Problem) -> StoredTable | None:
    """The rows that the champion has learnt from, where they are here and fit the problem still."""
    sha256 = served_snapshot(spec.name)
    try:
        table = None if sha256 is None else fetch_snapshot(sha256)
    except DriftlineError:
        return None
    wanted = {*spec.columns, spec.target.name}
    return table if table is not None and wanted <= set(table.columns) else None


if __name__ == "__main__":
    from flows.shared.command import run

    run(ingest, ahead=("great_expectations",))
