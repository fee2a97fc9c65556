"""Train: compare candidates on a snapshot, gate the winner against the champion, register it."""

from typing import Annotated

from prefect.runtime import flow_run
from pydantic import Field

from driftline.dataset import make_plan
from flows.aliases import apply_decision, settle_aliases
from flows.ingest import ingest
from flows.running import Sections, UnwantedOutcomeError, driftline_flow
from flows.summary import candidate_rows
from tasks import gate, training
from tasks.events import MODEL_PROMOTED, MODEL_REJECTED, ring
from tasks.problems import read_problem
from tasks.progress import step
from tasks.registry import bind_contract, read_champion, register_model
from tasks.reporting import show_table, show_text
from tasks.storage import read_snapshot
from tasks.tracking import Inputs, log_documents, log_training


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
) -> Sections:
    """Train on a source, or on a snapshot by its SHA-256; promote only what is proved better."""
    spec = read_problem(problem)
    taken = {} if snapshot else ingest(problem, source)
    sha256 = snapshot or taken["snapshot"]["sha256"]

    with step("split"):
        table, digests = read_snapshot(sha256)
        plan = make_plan(
            spec,
            rows=len(table),
            folds=folds,
            repeats=repeats,
            test_size=test_size,
            seed=seed,
            is_smoke=smoke,
        )
        dataset = training.split_rows(table, digests, spec, plan)
    with step("fit"):
        trained = [training.train_candidate(name, spec, dataset, plan) for name in spec.candidates]
        winner = training.choose_winner(trained, spec, dataset, plan)
    with step("export"):
        exported = training.export_model(winner, spec, dataset, sha256)
    with step("compare with champion"):
        settle_aliases(spec.name)
        champion = read_champion(spec)
        judged = gate.judge(winner, trained, exported, champion, dataset, spec, plan)
    with step("log to MLflow"):
        logged = log_training(
            spec,
            trained,
            winner,
            inputs=Inputs(
                snapshot=sha256,
                rows=len(table),
                source=source or "",
                parameters=gate.describe_plan(plan),
            ),
            feature_names=exported.contract.feature_names,
            X_test=dataset.data.X_test,
            train_digests=dataset.train_digests,
            onnx=exported.onnx,
        )
    with step("register"):
        version = register_model(
            spec, run_id=logged.run_id, model_uri=logged.model_uri, snapshot=sha256
        )
        contract = bind_contract(
            logged.run_id, exported.contract, version, is_promoted=judged.decision.is_promoted
        )
        holders = apply_decision(
            spec,
            version,
            judged.decision,
            actor=f"train {flow_run.id}",
            evidence=gate.describe_gate(judged),
        )

    sections = taken_sections(taken, sha256, len(table)) | gate.describe_outcome(
        winner, trained, exported, judged, holders
    )
    sections["model"] = {
        "name": spec.name,
        "version": version,
        "run_id": logged.run_id,
        "onnx_sha256": contract.onnx_sha256,
    }
    log_documents(
        logged.run_id,
        gate.describe_documents(sections),
        {"verdict": judged.decision.verdict},
    )
    event = MODEL_PROMOTED if judged.decision.is_promoted else MODEL_REJECTED
    ring(event, spec.name, {"version": version, "reasons": list(judged.decision.reasons)})
    show_table("candidates", candidate_rows(sections), f"candidates of {spec.name}")
    show_text("gate", gate.describe_gate(judged), f"gate of {spec.name}")
    if require_promotion and not judged.decision.is_promoted:
        reasons = "; ".join(judged.decision.reasons)
        message = f"not promoted, and --require-promotion was given: {reasons}"
        raise UnwantedOutcomeError(message, sections)
    return sections


def taken_sections(taken: Sections, sha256: str, rows: int) -> Sections:
    """Sections of the ingest that came first, or those of the snapshot that was named."""
    if taken:
        return {key: taken[key] for key in ("snapshot", "validation")}
    return {"snapshot": {"sha256": sha256, "rows": rows, "quarantined": 0}}


if __name__ == "__main__":
    from flows.command import run

    run(train, ahead=("great_expectations", "sklearn.ensemble", "mlflow.sklearn"))
