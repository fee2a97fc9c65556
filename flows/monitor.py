"""Monitor: judge what came in since the last verdict, let it be known, and act on it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prefect.runtime import flow_run

from driftline.change_plan import is_left_to_person, name_person
from driftline.digests import digest_bytes
from driftline.evidence import Labels
from driftline.findings import Inputs
from driftline.problem import Problem
from driftline.verdicts import DriftDecision, Evidence, leaves_rows
from flows.rollback import rollback
from flows.shared.aliases import has_had_champion
from flows.shared.case import Case, gather, judge_labels
from flows.shared.running import Sections, driftline_flow, is_scheduled
from flows.shared.trials import judge_trial
from tasks.data.problems import read_problem
from tasks.data.storage import locate_report, write_report
from tasks.log import damage, orders, predictions, quarantine
from tasks.log.journal import read_journal
from tasks.people.events import (
    DRIFT_NEED_LABELS,
    DRIFT_QUARANTINE,
    DRIFT_RETRAIN,
    LOG_DAMAGED,
    MODEL_WAITING,
    ring,
)
from tasks.people.reporting import link_to, show_link, show_text
from tasks.progress import step, tell
from tasks.watch import inputs, verdict_document
from tasks.watch.drift_page import draw_drift
from tasks.watch.monitoring import judge


@driftline_flow("monitor", run_name="monitor {problem}")
def monitor(
    problem: str,
    source: str | None = None,
    model: str = "champion",
    holdout: bool = False,
    only_ordered: bool = False,
) -> Sections:
    """Judge the predictions since the last verdict, a source's rows, or the model's holdout.

    What labels have ordered is carried out by judging the champion's predictions alone. A schedule
    that is older than the first champion has nothing to judge yet, which is no failure.
    """
    spec = read_problem(problem)
    run_id = str(flow_run.id)
    is_ordered = source is None and model == "champion" and not holdout
    if is_ordered and is_scheduled() and not has_had_champion(spec.name):
        tell(f"nothing to judge: {spec.name} has had no champion yet")
        return {}
    claim = orders.claim_due_orders if only_ordered else orders.claim_orders
    claimed = claim(spec.name, "monitor", run_id) if is_ordered else []
    if only_ordered and not claimed:
        tell("nothing is ordered: another run has judged these labels")
        return {}
    try:
        try:
            sections = conclude(spec, source=source, model=model, holdout=holdout)
        finally:  # people are given a contender, whatever keeps the champion from being judged
            tried = judge_trial(spec, actor=f"monitor {run_id}") if is_ordered else {}
        sections |= tried
    except BaseException:
        orders.finish_orders(run_id, is_done=False)
        raise
    orders.finish_orders(run_id, is_done=True)
    return sections


def conclude(spec: Problem, *, source: str | None, model: str, holdout: bool) -> Sections:
    """Gather, judge, record and tell; only then draw, since a verdict rests on no picture."""
    with step("judge drift"):
        case = gather(spec, source=source, model=model, holdout=holdout)
        seen = inspect(spec, case)
        labels = judge_labels(spec, case, is_broken=bool(seen.faults))
        tell_damage(spec)
        journalled = len(read_journal(spec.name))
        decision, evidence = judge(seen, labels, spec, case.served, journalled=journalled)
        takes_back = bool(evidence.taken_back)
        decision = name_person(decision, spec, takes_back=takes_back)
    if leaves_rows(decision, evidence, spec.drift):
        labels = replace(labels, window=labels.window.with_rows_waiting())
    drift: Sections = {
        "verdict": decision.verdict,
        "reasons": list(decision.reasons),
        "rows": len(case.current),
        "model_version": case.served.version,
    }
    if case.is_holdout:
        drift["judged"] = (
            "rows held out in training" if holdout else "rows held out: nothing is predicted yet"
        )
    if not (len(case.current) or evidence.faults or labels.has_cohort):
        return {"drift": drift}  # nothing came that would be judged; labels may wait
    if decision.verdict == "need_labels":
        drift["label_first"] = label_first(spec, case)
    drift["report"] = record(spec, case, seen, labels, decision, evidence)
    if takes_back and spec.changes.roll_back == "itself":
        return {"drift": drift} | take_back(spec, evidence.taken_back)
    return {"drift": drift}


def inspect(spec: Problem, case: Case) -> Inputs:
    """What the inputs of a case show, beside those that people have accepted."""
    return inputs.inspect_inputs(
        case.reference,
        case.current,
        spec,
        case.served,
        faults=case.faults,
        accepted=quarantine.read_accepted(spec),
        season=case.season,
        earlier=case.earlier,
    )


def label_first(spec: Problem, case: Case) -> list[str]:
    """Which rows a person should label first: ids of predictions, or row numbers of a source."""
    rows = inputs.rows_to_label(case.reference, case.current, case.served)
    places = [case.places[row] for row in rows]
    if case.judged is None and not case.is_holdout:
        return predictions.ids_of(spec, case.window, places)
    return [f"row {place + 1}" for place in places]


def record(
    spec: Problem,
    case: Case,
    seen: Inputs,
    labels: Labels,
    decision: DriftDecision,
    evidence: Evidence,
) -> str:
    """Keep the verdict, tell it, and then draw what can be drawn; returns the page's address."""
    key = verdict_document.key_of(spec, case.served, labels.window, case.judged, case.refused)
    stem = f"drift/{spec.name}-v{case.served.version}-{'holdout' if case.is_holdout else key[:12]}"
    document = verdict_document.as_document(
        decision, evidence, seen, labels, refusals=case.refused, is_aside=case.judged is not None
    )
    content = verdict_document.write_document(decision, document)
    write_report(f"{stem}.json", content)
    page = locate_report(f"{stem}.html")
    if not case.is_holdout:
        is_new = predictions.record_verdict(
            spec,
            decision,
            key=key,
            model_version=case.served.version,
            window=labels.window,
            evidence=document,
            report=page,
            report_sha256=digest_bytes(content),
        )
        told = {"order": f"verdict:{key}", "reasons": decision.reasons, "report": link_to(page)}
        if is_new:
            let_know(spec, decision, evidence, told)
    with step("report drift"):
        drawn = draw_drift(case.reference, case.current, spec, decision)
        write_report(f"{stem}.html", drawn)
        show_link("drift-report", page, f"drift report of {spec.name}")
        show_text(
            "verdict", verdict_document.describe(decision, evidence), f"verdict on {spec.name}"
        )
    return page


def let_know(
    spec: Problem, decision: DriftDecision, evidence: Evidence, told: Mapping[str, Any]
) -> None:
    """Ring for what a verdict calls for.

    What a person knows to wait, and labels that were asked for already, are not rung again
    (`driftline/calling.py`, `driftline/shadow.py`). How often a training starts by itself is the
    verdict's own rule (`driftline/standing.py`).
    """
    takes_back = bool(evidence.taken_back)
    if decision.verdict == "quarantine":
        ring(DRIFT_QUARANTINE, spec.name, told)
    elif decision.verdict == "need_labels":
        if not evidence.is_known:
            ring(DRIFT_NEED_LABELS, spec.name, told)
    elif is_left_to_person(decision, spec, takes_back=takes_back):
        if not evidence.is_known:
            ring(MODEL_WAITING, spec.name, told)
    elif decision.verdict == "retrain":
        ring(DRIFT_RETRAIN, spec.name, told)


def tell_damage(spec: Problem) -> None:
    """Let people know, once, of what was left out of this look since it cannot be read."""
    found = damage.read_untold_damage(spec)
    if found:
        reasons = [f"{address}: gone, or damaged" for address in found]
        ring(LOG_DAMAGED, spec.name, {"reasons": reasons, "way out": damage.WAY_OUT})


def take_back(spec: Problem, why: str) -> Sections:
    """The champion before serves again, since the new one is proved to be worse on its traffic."""
    tell(why)
    return rollback(spec.name, why=why, actor=f"monitor {flow_run.id}")


if __name__ == "__main__":
    from flows.shared.command import run

    run(monitor, ahead=("mlflow", "evidently.presets"))
