"""A verdict in words and as a document; neither holds a value of a row."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from driftline.evidence import Labels
from driftline.findings import Inputs
from driftline.problem import Problem
from driftline.refusals import Refusals
from driftline.served import ServedModel
from driftline.verdicts import DriftDecision, Evidence, Window, verdict_key

CHANGES_SHOWN = 20
CHANGES_KEPT = 50


def describe(decision: DriftDecision, evidence: Evidence) -> str:
    """The verdict and the strongest changes as markdown."""
    lines = [f"## {decision.verdict}", "", *(f"- {reason}" for reason in decision.reasons), ""]
    lines += [
        "| column | measure | effect | bound | noise | missing |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {c.column} | {c.measure} | {c.effect:.3f} | {c.bound:g} | {c.noise:.3f} "
        f"| {c.missing:+.1%} |"
        for c in evidence.changes[:CHANGES_SHOWN]
    ]
    return "\n".join(lines)


def key_of(
    problem: Problem, served: ServedModel, window: Window, source: str | None, refused: Refusals
) -> str:
    """The name of the evidence that a run judges: a window of the log, or a source after it."""
    name = problem.name if source is None else f"{problem.name}:{source}"
    if refused.records:
        name += f":refused up to {refused.last}"
    return verdict_key(
        name,
        served.version,
        first=window.first,
        last=window.last,
        last_label=window.last_label,
    )


def as_document(
    decision: DriftDecision,
    evidence: Evidence,
    inputs: Inputs,
    labels: Labels,
    *,
    refusals: Refusals,
    is_aside: bool,
) -> dict[str, Any]:
    """The evidence as JSON; it holds figures of columns and no value of a row.

    A verdict that stands `aside`, on other rows than the log's, leaves to the next look what it
    found.
    """
    shadow = evidence.shadow
    kept: dict[str, Any] = {
        "told": evidence.told,
        "suspicions": evidence.suspicions,
        "answered": evidence.answered,
        "asked": evidence.asked,
        "call": evidence.call.to_document(),
        "standing": evidence.standing.to_document(),
        "calibration": labels.calibration.to_document(),
        "last_refusal": refusals.last,
        "shadow": labels.window.state.get("shadow") if shadow is None else shadow.to_document(),
    }
    if is_aside:
        kept = {name: labels.window.state.get(name, value) for name, value in kept.items()}
    return {
        "rows": evidence.rows,
        "faults": evidence.faults,
        "changes": [
            asdict(change) | {"has_drifted": change.has_drifted}
            for change in evidence.changes[:CHANGES_KEPT]
        ],
        "relations": [asdict(change) for change in inputs.relations[:CHANGES_KEPT]],
        "joint": None if inputs.joint is None else asdict(inputs.joint),
        "answers": [asdict(change) for change in inputs.answers],
        "used_share": evidence.used_share,
        "estimated": evidence.estimated,
        "doubt": evidence.doubt,
        "promise": None if evidence.promise is None else evidence.promise.to_document(),
        "refused": refusals.records,
        "verdict": decision.verdict,
        **kept,
    }


def write_document(decision: DriftDecision, evidence: Mapping[str, Any]) -> bytes:
    """The verdict with all that it rests on, as a JSON file."""
    document = {"verdict": decision.verdict, "reasons": decision.reasons, **evidence}
    return json.dumps(document, indent=2, default=float).encode()
