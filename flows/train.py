"""Train: compare candidates, gate the winner against the champion, register it."""

from dataclasses import dataclass, replace
from typing import Annotated

from prefect.runtime import flow_run
from pydantic import Field

from driftline.dataset import SMOKE_FOLDS, Dataset, Plan, make_plan
from driftline.export import Exported
from driftline.problem import Problem
from driftline.training import Trained
from flows.evidence import write_card
from flows.ingest import ingest
from flows.package import package
from flows.shared.aliases import (
    apply_decision,
    is_served,
    read_promoted,
    read_rival,
    settle_aliases,
)
from flows.shared.leftovers import end_left_runs
from flows.shared.running import Sections, UnwantedOutcomeError, driftline_flow
from flows.shared.summary import candidate_rows
from tasks.data.cleaning import clean_labelled
from tasks.data.problems import read_problem
from tasks.data.storage import Origin, find_snapshot, read_origin, read_snapshot, write_snapshot
from tasks.log import orders, predictions
from tasks.log.verdicts import read_asked
from tasks.models import gate, training
from tasks.models.registry import bind_contract, register_model
from tasks.models.tracking import Inputs, log_documents, log_training, restore_experiment
from tasks.people.events import MODEL_PROMOTED, MODEL_REJECTED, MODEL_WAITING, ring
from tasks.people.reporting import show_table, show_text
from tasks.progress import step, tell
from tasks.shipping.packaging import digest_model

EVENTS = {"promoted": MODEL_PROMOTED, "waiting": MODEL_WAITING}


@dataclass(frozen=True)
class Contest:
    """What the candidates were fitted and compared on, and who won."""

    snapshot: str
    dataset: Dataset
    trained: list[Trained]
    winner: Trained
    exported: Exported


@driftline_flow("train", run_name="train {problem}")
def train(
    problem: str,
    source: str | None = None,
    snapshot: str | None = None,
    folds: Annotated[int, Field(ge=2, le=50)] = 10,
    repeats: Annotated[int, Field(ge=1, le=50)] | None = None,
    test_size: Annotated[float, Field(gt=0, lt=1)] = 0.25,
    seed: Annotated[int, Field(ge=0)] = 0,
    smoke: bool = False,
    require_promotion: bool = False,
    only_ordered: bool = False,
) -> Sections:
    """Train on a source, or a snapshot by its SHA-256 (or part); promote what is proved better."""
    spec = read_problem(problem)
    run_id = str(flow_run.id)
    claim = orders.claim_due_orders if only_ordered else orders.claim_orders
    claimed = [] if smoke else claim(spec.name, "train", run_id)
    if only_ordered and not claimed:
        tell("nothing is ordered: this verdict has been trained on, or another run has it")
        return {"promotion": {"verdict": "not ordered", "reasons": ["no open order"]}}
    try:
        taken = {} if snapshot else ingest(problem, source, folds=least_folds(folds, smoke=smoke))
        sha256 = find_snapshot(snapshot) if snapshot else taken["snapshot"]["sha256"]
        table, _ = read_snapshot(sha256)
        plan = make_plan(
            spec,
            rows=len(table),
            folds=folds,
            repeats=repeats,
            test_size=test_size,
            seed=seed,
            is_smoke=smoke,
        )
        contest = compete(spec, sha256, plan)
        reasons = orders.read_reasons(claimed) if claimed else read_asked(spec)
        sections = decide(
            spec,
            contest,
            plan,
            origin=read_origin(sha256),
            validation=taken.get("validation"),
            reason=reasons[0] if reasons else None,
        )
        champion = sections["promotion"]["champion"]
        if champion is not None and not is_served(spec.name, champion):
            sections["bento"] = package(problem)["bento"]
    except BaseException:
        orders.finish_orders(run_id, is_done=False)
        raise
    orders.finish_orders(run_id, is_done=True)
    if sections["promotion"]["verdict"] == "promoted":  # what was ordered rests on no page
        sections["evidence"] = {"card": write_card(spec, read_promoted(spec)).link}
    if taken:
        sections["snapshot"] = taken["snapshot"]
    if require_promotion:
        insist_on_promotion(sections)
    return sections


def insist_on_promotion(sections: Sections) -> None:
    """End the run as failed, with its summary, where the model was not promoted."""
    promotion = sections["promotion"]
    if promotion["verdict"] != "promoted":
        reasons = "; ".join(promotion["reasons"])
        message = f"not promoted, and --require-promotion was given: {reasons}"
        raise UnwantedOutcomeError(message, sections)


def least_folds(folds: int, *, smoke: bool) -> int:
    """As many folds as there will be; known before a snapshot is written."""
    return min(folds, SMOKE_FOLDS) if smoke else folds


def compete(spec: Problem, snapshot: str, plan: Plan) -> Contest:
    """Split, fit every candidate, choose, and export the winner.

    Labelled predictions join the rows where there are enough of them; the newest stay out as test.
    """
    with step("split"):
        table, digests = read_snapshot(snapshot)
        restore_experiment(spec)
        end_left_runs(spec)
        settle_aliases(spec.name)
        labelled = clean_labelled(predictions.read_labelled(spec), spec)
        champion, why_not = read_rival(spec)
        if why_not:
            tell(why_not)
        renewed = training.renew_rows(table, labelled, spec, champion, plan)
        if renewed is None:
            dataset = training.split_rows(table, digests, spec, plan)
        else:
            origin = Origin(f"snapshot {snapshot[:12]}, labelled predictions", problem=spec.name)
            snapshot = write_snapshot(renewed.table, renewed.table.head(0), origin).sha256
            dataset = renewed.dataset
    rows = len(dataset.train_digests) + len(dataset.test_digests)
    candidates = training.plan_candidates(spec, champion, rows, may_refit=renewed is not None)
    with step("fit"):
        trained = [
            training.train_candidate(name, spec, dataset, plan, params)
            for name, params in candidates.items()
        ]
        winner = training.choose_winner(trained, spec, dataset, plan)
        if renewed is not None:
            winner = training.renew_winner(winner, spec, dataset, plan)
    with step("export"):
        searched = training.searched_rows(candidates, champion, rows)
        exported = training.export_model(
            winner, spec, dataset, snapshot, searched_rows=searched, seed=plan.seed
        )
    return Contest(snapshot, dataset, trained, winner, exported)


def decide(
    spec: Problem,
    contest: Contest,
    plan: Plan,
    *,
    origin: Origin,
    validation: Sections | None,
    reason: str | None,
) -> Sections:
    """Gate the winner, log everything, register it, and hand over the alias it has earned."""
    winner, trained, exported = contest.winner, contest.trained, contest.exported
    rows = len(contest.dataset.train_digests) + len(contest.dataset.test_digests)
    judged = compare(spec, contest, plan, reason)
    with step("log to MLflow"):
        logged = log_training(
            spec,
            trained,
            winner,
            inputs=Inputs(
                contest.snapshot,
                rows,
                origin.source,
                str(flow_run.id),
                gate.describe_plan(plan),
                read_as=origin.read_as,
            ),
            feature_names=exported.contract.feature_names,
            X_test=contest.dataset.data.X_test,
            train_digests=contest.dataset.shipped_digests,
            exported=exported,
        )
    with step("register"):
        version = register_model(
            spec, run_id=logged.run_id, model_uri=logged.model_uri, snapshot=contest.snapshot
        )
    judged, holders = conclude(
        spec, contest, plan, judged, version=version, run_id=logged.run_id, reason=reason
    )
    sections = gate.describe_outcome(spec, winner, trained, exported, judged, holders)
    sections["goal"] = gate.describe_goal(spec)
    sections["snapshot"] = {"sha256": contest.snapshot, "rows": rows, "quarantined": 0}
    sections |= {} if validation is None else {"validation": validation}
    sections["model"] = gate.describe_model(spec, version, logged.run_id, exported)
    show_outcome(spec, sections, judged, run_id=logged.run_id)
    event = EVENTS.get(judged.decision.verdict, MODEL_REJECTED)
    ring(event, spec.name, {"version": version, "reasons": list(judged.decision.reasons)})
    return sections


def compare(spec: Problem, contest: Contest, plan: Plan, reason: str | None) -> gate.Judged:
    """Judge the winner against who is champion now; `reason` is why a renewal was called for."""
    winner, trained, exported = contest.winner, contest.trained, contest.exported
    with step("compare with champion"):
        rows = settle_aliases(spec.name)
        champion, why_not = read_rival(spec)
        judged = gate.judge(
            winner,
            trained,
            exported,
            champion,
            contest.dataset,
            spec,
            plan,
            reason_to_renew=reason,
            not_compared=why_not,
        )
    return replace(judged, journal_rows=rows)


def conclude(
    spec: Problem,
    contest: Contest,
    plan: Plan,
    judged: gate.Judged,
    *,
    version: str,
    run_id: str,
    reason: str | None,
) -> tuple[gate.Judged, dict[str, str | None]]:
    """Hand over the alias; judge anew where another run has moved one since."""
    while True:
        with step("hand over"):
            is_promoted = judged.decision.is_promoted
            exported = contest.exported
            bound = bind_contract(run_id, exported.contract, version, is_promoted=is_promoted)
            holders = apply_decision(
                spec,
                version,
                judged.decision,
                rows=judged.journal_rows,
                actor=f"train {flow_run.id}",
                evidence=gate.describe_gate(judged),
                promoted=digest_model(spec, bound, exported.onnx),
            )
        if holders is not None:
            return judged, holders
        tell("another run moved an alias meanwhile; judging anew")
        judged = compare(spec, contest, plan, reason)


def show_outcome(spec: Problem, sections: Sections, judged: gate.Judged, *, run_id: str) -> None:
    """Leave the outcome where people look: with the MLflow run, and in the Prefect UI."""
    verdict = {"verdict": judged.decision.verdict}
    log_documents(run_id, gate.describe_documents(sections), verdict)
    show_table("candidates", candidate_rows(sections), f"candidates of {spec.name}")
    show_text("gate", gate.describe_gate(judged), f"gate of {spec.name}")


if __name__ == "__main__":
    from flows.shared.command import run

    # skops looks through all that is imported, and so is quick before the others
    run(train, ahead=("sklearn.ensemble", "skops.io", "great_expectations", "mlflow.sklearn"))
