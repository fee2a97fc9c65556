"""Train: compare candidates, gate the winner against the champion, register it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

from prefect.runtime import flow_run
from pydantic import Field

from driftline.dataset import SMOKE_FOLDS, make_plan
from driftline.problem import Problem
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
from flows.shared.contest import Contest, compete
from flows.shared.running import Sections, UnwantedOutcomeError, driftline_flow
from flows.shared.summary import candidate_rows
from tasks.data.problems import read_problem
from tasks.data.storage import Origin, find_snapshot, read_origin
from tasks.log import orders
from tasks.log.verdicts import read_asked
from tasks.models import gate
from tasks.models.mirror import mirror_training
from tasks.models.registry import bind_contract, register_model
from tasks.models.tracking import Inputs, log_documents, log_training
from tasks.people.events import MODEL_PROMOTED, MODEL_REJECTED, MODEL_WAITING, ring
from tasks.people.reporting import show_table, show_text
from tasks.progress import step, tell
from tasks.shipping.packaging import digest_model

EVENTS = {"promoted": MODEL_PROMOTED, "waiting": MODEL_WAITING}


@dataclass(frozen=True)
class Registered:
    """The winner as the registry knows it."""

    run_id: str
    version: str


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
    shape: dict[str, Any] = {"folds": folds, "repeats": repeats, "test_size": test_size}
    try:
        taken = {} if snapshot else ingest(problem, source, folds=least_folds(folds, smoke=smoke))
        sha256 = find_snapshot(snapshot) if snapshot else taken["snapshot"]["sha256"]
        contest = compete(
            spec, sha256, partial(make_plan, spec, seed=seed, is_smoke=smoke, **shape)
        )
        reasons = orders.read_reasons(claimed) if claimed else read_asked(spec)
        sections = decide(
            contest,
            origin=read_origin(sha256),
            validation=taken.get("validation"),
            reason=next(iter(reasons), None),
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


def decide(
    contest: Contest, *, origin: Origin, validation: Sections | None, reason: str | None
) -> Sections:
    """Gate the winner, log everything, register it, and hand over the alias it has earned.

    `reason` is why a renewal was called for, None where nothing asks for one.
    """
    spec, exported = contest.spec, contest.exported
    judged = compare(contest, reason)
    registered = register(contest, origin)
    judged, holders = conclude(contest, judged, registered, reason)
    sections = gate.describe_outcome(
        spec, contest.winner, contest.trained, exported, judged, holders
    )
    sections |= {"bounds": list(contest.bounds)} if contest.bounds else {}
    sections["goal"] = gate.describe_goal(spec)
    sections["snapshot"] = {"sha256": contest.snapshot, "rows": contest.rows, "quarantined": 0}
    sections |= {} if validation is None else {"validation": validation}
    sections["model"] = gate.describe_model(spec, registered.version, registered.run_id, exported)
    show_outcome(spec, sections, judged, run_id=registered.run_id)
    told = {"version": registered.version, "reasons": list(judged.decision.reasons)}
    ring(EVENTS.get(judged.decision.verdict, MODEL_REJECTED), spec.name, told)
    return sections


def compare(contest: Contest, reason: str | None) -> gate.Judged:
    """Judge the winner against who is champion now."""
    spec = contest.spec
    with step("compare with champion"):
        rows = settle_aliases(spec.name)
        champion, why_not = read_rival(spec)
        judged = gate.judge(
            contest.winner,
            contest.trained,
            contest.exported,
            champion,
            contest.dataset,
            spec,
            contest.plan,
            reason_to_renew=reason,
            not_compared=why_not,
        )
    return replace(judged, journal_rows=rows)


def register(contest: Contest, origin: Origin) -> Registered:
    """Log the training to MLflow, and register its winner as a version."""
    spec, exported, plan = contest.spec, contest.exported, gate.describe_plan(contest.plan)
    inputs = Inputs(
        contest.snapshot,
        contest.rows,
        origin.source,
        str(flow_run.id),
        plan,
        read_as=origin.read_as,
    )
    with step("log to MLflow"):
        logged = log_training(
            spec,
            contest.trained,
            contest.winner,
            inputs=inputs,
            feature_names=exported.contract.feature_names,
            X_test=contest.dataset.data.X_test,
            train_digests=contest.dataset.shipped_digests,
            exported=exported,
        )
        mirror_training(
            spec, contest.trained, contest.winner, run_id=logged.run_id, parameters=plan
        )
    with step("register"):
        version = register_model(
            spec, run_id=logged.run_id, model_uri=logged.model_uri, snapshot=contest.snapshot
        )
    return Registered(logged.run_id, version)


def conclude(
    contest: Contest, judged: gate.Judged, registered: Registered, reason: str | None
) -> tuple[gate.Judged, dict[str, str | None]]:
    """Hand over the alias; judge anew where another run has moved one since."""
    spec, exported, version = contest.spec, contest.exported, registered.version
    while True:
        with step("hand over"):
            bound = bind_contract(
                registered.run_id,
                exported.contract,
                version,
                is_promoted=judged.decision.is_promoted,
            )
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
        judged = compare(contest, reason)


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
