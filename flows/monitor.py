"""Monitor: compare what came in with what the champion was trained on, and conclude."""

from prefect.runtime import flow_run

from driftline.digests import digest_table
from flows.running import Sections, driftline_flow
from tasks import monitoring, predictions
from tasks.cleaning import clean_current
from tasks.events import DRIFT_QUARANTINE, DRIFT_RETRAIN, ring
from tasks.problems import read_problem
from tasks.progress import step, tell
from tasks.registry import read_model
from tasks.reporting import show_link, show_text
from tasks.sources import read_source
from tasks.storage import read_snapshot, write_report


@driftline_flow("monitor", run_name="monitor {problem}")
def monitor(
    problem: str,
    source: str | None = None,
    model: str = "champion",
    holdout: bool = False,
    only_ordered: bool = False,
) -> Sections:
    """Judge the predictions since the last verdict, a source's rows, or the model's holdout.

    What labels have ordered is carried out by judging the champion's predictions alone.
    """
    spec = read_problem(problem)
    run_id = str(flow_run.id)
    is_ordered = source is None and model == "champion" and not holdout
    orders = predictions.claim_orders(spec.name, "monitor", run_id) if is_ordered else []
    if only_ordered and not orders:
        tell("nothing is ordered: another run has judged these labels")
        return {}
    try:
        sections = conclude(spec.name, source=source, model=model, holdout=holdout)
    except BaseException:
        predictions.finish_orders(run_id, is_done=False)
        raise
    predictions.finish_orders(run_id, is_done=True)
    return sections


def conclude(problem: str, *, source: str | None, model: str, holdout: bool) -> Sections:
    """Gather the evidence, judge it, report it, and let the verdict be known."""
    spec = read_problem(problem)
    with step("judge drift"):
        served = read_model(spec, model)
        table, digests = read_snapshot(served.contract.snapshot)
        reference, unseen = monitoring.split_reference(table, digests, served)
        window = predictions.read_window(spec, served.version)
        is_first_day = source is None and window.last == 0
        holdout = holdout or is_first_day  # nothing has been predicted yet
        current = unseen if holdout else window.inputs
        faults: tuple[str, ...] = ()
        if source is not None:
            current, _ = read_source(spec, source)
            window = window.judged_elsewhere()
        if not holdout and len(current):
            cleaned = clean_current(current, spec, source=source or "the prediction log")
            current, faults = cleaned.table, cleaned.faults
        is_log = source is None and not holdout
        evidence = monitoring.gather_evidence(
            reference,
            unseen,
            current,
            window.labelled if is_log else window.labelled.head(0),
            spec,
            served,
            faults=faults,
        )
        decision = monitoring.judge(evidence, spec)
    drift: Sections = {
        "verdict": decision.verdict,
        "reasons": list(decision.reasons),
        "rows": len(current),
        "model_version": served.version,
    }
    if not len(current) and not faults:
        return {"drift": drift}
    with step("report drift"):
        report = monitoring.report_drift(reference, current, spec, decision, evidence)
        judged = None if source is None else f"{source}:{digest_table(current)}"
        key = monitoring.key_of(spec, served, window, judged)
        stem = f"drift/{spec.name}-v{served.version}-{'holdout' if holdout else key[:12]}"
        page = write_report(f"{stem}.html", report.page)
        write_report(f"{stem}.json", report.document)
        show_link("drift-report", page, f"drift report of {spec.name}")
        show_text("verdict", monitoring.describe(decision, evidence), f"verdict on {spec.name}")
    if not holdout:
        is_new = predictions.record_verdict(
            spec,
            decision,
            key=key,
            model_version=served.version,
            window=window,
            evidence=monitoring.as_document(evidence),
            report=page,
            report_sha256=monitoring.digest_of(report),
        )
        if is_new and decision.verdict == "retrain":
            ring(DRIFT_RETRAIN, spec.name, {"order": f"verdict:{key}", "reasons": decision.reasons})
        if is_new and decision.verdict == "quarantine":
            ring(DRIFT_QUARANTINE, spec.name, {"reasons": decision.reasons, "report": page})
    return {"drift": drift | {"report": page}}


if __name__ == "__main__":
    from flows.command import run

    run(monitor, ahead=("mlflow", "evidently.presets"))
