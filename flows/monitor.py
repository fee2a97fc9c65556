"""Monitor: compare current rows with what the champion was trained on, and conclude."""

from flows.running import Sections, driftline_flow
from tasks import monitoring
from tasks.cleaning import clean_rows
from tasks.problems import read_problem
from tasks.progress import step
from tasks.registry import read_model
from tasks.reporting import show_link, show_text
from tasks.sources import read_source
from tasks.storage import read_snapshot, write_report


@driftline_flow("monitor", run_name="monitor {problem}")
def monitor(problem: str, source: str | None = None, model: str = "champion") -> Sections:
    """Judge the rows of a source, or the model's own holdout, against its training rows."""
    spec = read_problem(problem)
    with step("judge drift"):
        served = read_model(spec, model)
        table, digests = read_snapshot(served.contract.snapshot)
        reference, holdout = monitoring.split_reference(table, digests, served)
        current = holdout
        if source is not None:
            raw, name = read_source(spec, source)
            current = clean_rows(raw, spec, source=name, with_target=False).table
        decision, changes = monitoring.judge_drift(reference, current, spec)
    with step("report drift"):
        report = monitoring.report_drift(reference, current, spec, decision, changes)
        stem = f"drift/{spec.name}-v{served.version}"
        page = write_report(f"{stem}.html", report.page)
        write_report(f"{stem}.json", report.document)
        show_link("drift-report", page, f"drift report of {spec.name}")
        show_text("verdict", monitoring.describe(decision, changes), f"verdict on {spec.name}")
    return {
        "drift": {
            "verdict": decision.verdict,
            "reasons": list(decision.reasons),
            "report": page,
            "rows": len(current),
            "model_version": served.version,
        }
    }


if __name__ == "__main__":
    from flows.command import run

    run(monitor, ahead=("mlflow", "evidently.presets"))
