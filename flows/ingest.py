"""Ingest: read, clean, validate, set aside what is broken, and keep the rest as a snapshot."""

from typing import Annotated

from prefect.runtime import flow_run
from pydantic import Field

from driftline.quarantine import check_trainable
from flows.shared.running import Sections, driftline_flow
from tasks.data.cleaning import clean_rows, separate_rows
from tasks.data.problems import read_problem, read_suite
from tasks.data.storage import Origin, write_report, write_snapshot
from tasks.data.validation import check_expectations, refuse_critical
from tasks.progress import step
from tasks.reading.sources import read_source


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
        raw, name, read_as = read_source(spec, source)
        cleaned = clean_rows(raw, spec, source=name)
    with step("validate"):
        validation = check_expectations(cleaned.table, suite, read_as)
        page = write_report(f"validation/{spec.name}-{flow_run.id}.html", validation.page)
        refuse_critical(validation, source=name, page=page)
        rows = separate_rows(cleaned, validation.faults, spec, source=name)
        check_trainable(rows.kept, spec, folds=folds, source=name)
    with step("write snapshot"):
        snapshot = write_snapshot(rows.kept, rows.quarantined, Origin(name, read_as))
    return {
        "snapshot": {
            "sha256": snapshot.sha256,
            "rows": snapshot.rows,
            "quarantined": snapshot.quarantined,
            "reasons": rows.reasons,
            "uncoerced": cleaned.uncoerced,
            "source": name,
            **({"read_as": read_as} if read_as else {}),
        },
        "validation": {
            "success": validation.success,
            "checked": validation.checked,
            "failed": list(validation.failed),
            "report": page,
        },
    }


if __name__ == "__main__":
    from flows.shared.command import run

    run(ingest, ahead=("great_expectations",))
