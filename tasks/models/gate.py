"""Judges a trained model, and puts the judgement in words and sections for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from driftline.change_plan import await_person
from driftline.comparison import Improvement, compare_pairwise
from driftline.dataset import Dataset, Plan
from driftline.export import Exported
from driftline.outcome import outcome_of
from driftline.problem import Problem
from driftline.promotion import Decision, GateResult, check_gates, decide_promotion
from driftline.served import ServedModel, compare_unseen
from driftline.subgroups import SubgroupResult, describe_broken
from driftline.training import Trained
from tasks.decorators import work
from tasks.progress import tell


@dataclass(frozen=True)
class Judged:
    """The decision, and all that it rests on: the journal had so many rows."""

    decision: Decision
    gates: tuple[GateResult, ...]
    improvements: tuple[Improvement, ...]
    champion_metrics: Mapping[str, float]
    journal_rows: int = 0
    subgroups: tuple[SubgroupResult, ...] = ()


@work(name="gate")
def judge(
    winner: Trained,
    trained: Sequence[Trained],
    exported: Exported,
    champion: ServedModel | None,
    dataset: Dataset,
    problem: Problem,
    plan: Plan,
    *,
    reason_to_renew: str | None = None,
    not_compared: str = "",
) -> Judged:
    """Gates, baseline and champion together decide; rows seen by either model do not count.

    Where a renewal was called for, its reason lets a challenger pass that is no worse.
    `not_compared` says why there is no champion to compare with, where there should be one.
    """
    gates = check_gates(problem.gates, winner.flat_metrics())
    improvements, champion_metrics = _compare(winner, trained, champion, dataset, problem, plan)
    obstacles = _obstacles(exported, plan)
    parts = outcome_of(problem).check_parts(dataset.test_table, winner.test)
    obstacles += describe_broken(parts)
    decision = decide_promotion(
        gates, improvements, problem.judged_by, obstacles=obstacles, reason_to_renew=reason_to_renew
    )
    if not_compared:
        decision = replace(decision, reasons=(*decision.reasons, not_compared))
    decision = await_person(decision, problem)
    tell(f"{decision.verdict}: {'; '.join(decision.reasons)}")
    return Judged(
        decision, tuple(gates), tuple(improvements), champion_metrics, subgroups=tuple(parts)
    )


def _compare(
    winner: Trained,
    trained: Sequence[Trained],
    champion: ServedModel | None,
    dataset: Dataset,
    problem: Problem,
    plan: Plan,
) -> tuple[list[Improvement], Mapping[str, float]]:
    """The winner against the baseline and the champion, and how the champion does."""
    policy = problem.judged_by
    improvements = [
        compare_pairwise(
            winner.test,
            one.test,
            policy,
            against="the baseline",
            seed=plan.seed,
            role="baseline",
        )
        for one in trained
        if one.name == "dummy"
    ]
    if champion is None:
        return improvements, {}
    tell(f"comparing it with {champion.label} on the rows that neither has seen")
    improvement, metrics = compare_unseen(winner.test, dataset, champion, policy, seed=plan.seed)
    return [*improvements, improvement], metrics


def _obstacles(exported: Exported, plan: Plan) -> list[str]:
    obstacles = []
    if plan.is_smoke:
        obstacles.append("a smoke run, on a fifth of the rows, is never promoted")
    if not exported.parity.is_kept:
        obstacles.append(f"the ONNX file answers differently ({exported.parity.gap})")
    return obstacles


def describe_plan(plan: Plan) -> dict[str, Any]:
    """The plan as MLflow parameters."""
    return asdict(plan)


def describe_outcome(
    problem: Problem,
    winner: Trained,
    trained: Sequence[Trained],
    exported: Exported,
    judged: Judged,
    holders: Mapping[str, Any],
) -> dict[str, Any]:
    """The summary's sections on candidates, figures, the target, parity and promotion."""
    outcome = outcome_of(problem)
    return {
        "candidates": [
            {
                "name": one.name,
                "params": dict(one.params),
                "cv": _cv_figures(one),
                "test": one.test_metrics,
                "is_winner": one.name == winner.name,
            }
            for one in trained
        ],
        "metrics": winner.flat_metrics(),
        "intervals": {name: list(bounds) for name, bounds in winner.intervals.items()},
        **outcome.summarise(winner.test),
        "parity": asdict(exported.parity),
        "promotion": {
            "verdict": judged.decision.verdict,
            "reasons": list(judged.decision.reasons),
            "gates": [asdict(gate) for gate in judged.gates],
            "comparisons": [asdict(one) for one in judged.improvements],
            "champion_metrics": dict(judged.champion_metrics),
            "subgroups": [asdict(one) for one in judged.subgroups],
            **outcome.describe_rule(winner.rule),
            "calibrated": winner.is_calibrated,
            **holders,
        },
    }


def describe_goal(problem: Problem) -> dict[str, Any]:
    """The summary's section on what was aimed for."""
    goal = problem.goal
    return {
        "minimise" if goal.minimise else "maximise": goal.metric,
        "subject_to": dict(goal.subject_to),
    }


def describe_documents(sections: Mapping[str, Any]) -> dict[str, str]:
    """Text files for the MLflow run: the summary so far and the promotion's evidence."""
    return {
        "run_summary.json": json.dumps(sections, indent=2, default=float),
        "promotion.json": json.dumps(sections["promotion"], indent=2, default=float),
    }


def describe_gate(judged: Judged) -> str:
    """The judgement as markdown."""
    lines = [f"## {judged.decision.verdict}", ""]
    lines += [f"- {reason}" for reason in judged.decision.reasons]
    lines += ["", "| gate | wanted | got | kept |", "|---|---|---|---|"]
    for one in judged.gates:
        got = "not measured" if one.got is None else f"{one.got:.4f}"
        lines.append(f"| {one.metric} | {one.wanted} | {got} | {'yes' if one.is_kept else 'no'} |")
    lines += ["", "| against | rows | better by | bounds |", "|---|---|---|---|"]
    lines += [
        f"| {one.against} | {one.rows} | {one.mean:+.4f} {one.metric} "
        f"| [{one.low:+.4f}, {one.high:+.4f}] |"
        for one in judged.improvements
    ]
    return "\n".join(lines)


def _cv_figures(one: Trained) -> dict[str, float]:
    figures: dict[str, float] = {}
    for metric in one.cv.per_fold:
        figures |= {f"{metric}_mean": one.cv.mean(metric), f"{metric}_std": one.cv.std(metric)}
    return figures


def describe_model(
    problem: Problem, version: str, run_id: str, exported: Exported
) -> dict[str, Any]:
    """The summary's section on the registered model."""
    return {
        "name": problem.name,
        "version": version,
        "run_id": run_id,
        "onnx_sha256": exported.contract.onnx_sha256,
    }
