"""The change plan of a problem: what the loop may change by itself, how, and what it may not.

It has the three parts of a predetermined change control plan (FDA, "Marketing Submission
Recommendations for a Predetermined Change Control Plan for Artificial Intelligence-Enabled Device
Software Functions", 2025): the modifications, the protocol by which they are made, and their
impact. It follows from the problem file, which is what the loop obeys.
"""

from dataclasses import replace
from typing import Any, Final

from driftline.problem import Problem
from driftline.promotion import Decision
from driftline.verdicts import DriftDecision

_WHO: Final = {"itself": "by itself", "person": "once a person agrees"}
_FIXED: Final = (
    "the columns and their ranges, categories and units",
    "the target and its classes",
    "the goal, the gates, the subgroups and the comparison with the champion",
    "the risk bands",
    "what counts as drift and as harm",
    "the kinds of model that may compete",
)


def await_person(decision: Decision, problem: Problem) -> Decision:
    """What becomes of a promotion: it waits where the plan leaves that to a person."""
    if not decision.is_promoted or problem.changes.promote == "itself":
        return decision
    return Decision("waiting", (*decision.reasons, _waits("promote", "approve", problem)))


def is_left_to_person(decision: DriftDecision, problem: Problem, *, takes_back: bool) -> bool:
    """Whether a person carries out what a verdict calls for."""
    if takes_back:
        return problem.changes.roll_back == "person"
    return decision.verdict == "retrain" and problem.changes.train == "person"


def name_person(decision: DriftDecision, problem: Problem, *, takes_back: bool) -> DriftDecision:
    """The verdict with what a person is to do, where the plan leaves that to one."""
    if not is_left_to_person(decision, problem, takes_back=takes_back):
        return decision
    key, flow = ("roll_back", "rollback") if takes_back else ("train", "train")
    return replace(decision, reasons=(*decision.reasons, _waits(key, flow, problem)))


def _waits(key: str, flow: str, problem: Problem) -> str:
    return f"waits for a person (changes.{key}): python -m flows.{flow} {problem.name}"


def describe_changes(problem: Problem) -> dict[str, Any]:
    """The plan as a document."""
    return {
        "problem": problem.name,
        "modifications": _modifications(problem),
        "not_changed_by_itself": list(_FIXED),
        "protocol": _protocol(problem),
        "impact": {
            "every change is recorded": "in a hash-chained journal, with the evidence's digest",
            "a change can be undone": f"python -m flows.rollback {problem.name}",
            "what was judged broken": "never teaches, tests or is judged until a person decides",
        },
    }


def _modifications(problem: Problem) -> list[dict[str, str]]:
    changes = problem.changes
    return [
        {
            "what": "the model is trained anew",
            "who": _WHO[changes.train],
            "when": "labels prove that a renewed model would save more than it costs, "
            "or by schedule",
        },
        {
            "what": "a new model answers, with its threshold and calibration",
            "who": _WHO[changes.promote],
            "when": "it passes every gate and is proved better than the champion, or no worse "
            "where something asks for a new one",
        },
        {
            "what": "the champion before answers again",
            "who": _WHO[changes.roll_back],
            "when": "it is proved better than its successor on the same labelled answers",
        },
    ]


def _protocol(problem: Problem) -> dict[str, Any]:
    drift, judged = problem.drift, problem.judged_by
    return {
        "data": {
            "rows that break the contract": "are set aside; more than "
            f"{problem.max_quarantined_share:.0%} end the run",
            "labels that start a check": drift.labels_per_check,
            "schedules": {k: v for k, v in problem.loop.schedules.model_dump().items() if v},
        },
        "training": {
            "candidates": list(problem.candidates),
            "search": problem.search.model_dump(),
        },
        "evaluation": {
            "goal": problem.goal.model_dump(exclude_none=True),
            "gates": [gate.model_dump(exclude_none=True) for gate in problem.gates],
            "subgroups": list(problem.subgroups),
            "comparison": judged.model_dump(exclude_none=True),
            "drift": drift.model_dump(),
        },
        "update": {
            "before it serves": "its ONNX file answers like the fitted model (within 1e-6)",
            "after it serves": "the champion before is asked too, for so many labels: "
            f"{drift.shadow_labels}",
        },
    }
