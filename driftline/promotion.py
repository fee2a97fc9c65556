"""The gate: may this model serve, and does it beat the champion?

A challenger is promoted when it keeps every bound of its problem and is better than the champion,
beyond noise, on rows that neither was trained on. Being equal is not being better, unless something
asks for a new model: then it is enough to be no worse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from driftline.comparison import Improvement
from driftline.problem import Comparison, Gate


@dataclass(frozen=True)
class GateResult:
    """One bound, the value measured against it, and whether it was kept."""

    metric: str
    wanted: str
    got: float | None
    is_kept: bool


@dataclass(frozen=True)
class Decision:
    """`promoted`, `rejected`, `need_labels` where too few rows can tell, `waiting` for a person."""

    verdict: Literal["promoted", "rejected", "need_labels", "waiting"]
    reasons: tuple[str, ...]

    @property
    def is_promoted(self) -> bool:
        """Whether the model may serve."""
        return self.verdict == "promoted"


def check_gates(gates: Sequence[Gate], metrics: Mapping[str, float]) -> list[GateResult]:
    """Each gate against the figures of the model; a figure that is absent keeps no bound."""
    results = []
    for gate in gates:
        value = metrics.get(gate.metric)
        if gate.at_least is not None:
            wanted, is_kept = f">= {gate.at_least:g}", value is not None and value >= gate.at_least
        else:
            bound = float("nan") if gate.at_most is None else gate.at_most
            wanted, is_kept = f"<= {bound:g}", value is not None and value <= bound
        results.append(GateResult(metric=gate.metric, wanted=wanted, got=value, is_kept=is_kept))
    return results


def decide_promotion(
    gates: Sequence[GateResult],
    improvements: Sequence[Improvement],
    policy: Comparison,
    *,
    obstacles: Sequence[str] = (),
    reason_to_renew: str | None = None,
) -> Decision:
    """Promote only where nothing speaks against it.

    `obstacles` are reasons that stand by themselves, such as a smoke run or a subgroup that is
    served badly. The baseline has to be beaten, on however few rows: its interval says enough. So
    has the champion, or the challenger is no worse than it within the margin, and
    `reason_to_renew` says why the champion should go (proven harm, say). Rows that are too few to
    compare with a champion, or that cannot be compared at all, are no verdict on the challenger:
    `need_labels`.
    """
    findings = [_Finding("against", text) for text in obstacles]
    findings += [_judge_gate(gate) for gate in gates]
    findings += [_judge(each, policy, reason_to_renew) for each in improvements]
    against = tuple(each.text for each in findings if each.side == "against")
    unknown = tuple(each.text for each in findings if each.side == "unknown")
    favour = tuple(each.text for each in findings if each.side == "for")
    if against:
        return Decision("rejected", against + unknown)
    if unknown:
        return Decision("need_labels", unknown)
    return Decision("promoted", favour or ("no gate stands against it",))


@dataclass(frozen=True)
class _Finding:
    side: Literal["for", "against", "unknown"]
    text: str


def _judge_gate(gate: GateResult) -> _Finding:
    if gate.is_kept:
        return _Finding("for", f"{gate.metric} is {gate.got:.4f} ({gate.wanted})")
    got = "not measured" if gate.got is None else f"{gate.got:.4f}"
    return _Finding("against", f"{gate.metric} is {got}, wanted {gate.wanted}")


def _judge(improvement: Improvement, policy: Comparison, reason_to_renew: str | None) -> _Finding:
    other, text = improvement.against, _describe(improvement)
    is_champion = improvement.role == "champion"
    if is_champion and improvement.rows < policy.min_rows:
        return _Finding(
            "unknown",
            f"only {improvement.rows} rows unseen by both it and {other} can be compared, wanted "
            f"{policy.min_rows} (comparison.min_rows): label more of the newest rows and train "
            "again",
        )
    if not improvement.rows:
        return _Finding(
            "unknown",
            f"{improvement.metric} cannot be compared with {other}: the test rows are too few of "
            "one class; get more rows of the rarest and train again",
        )
    if improvement.is_superior:
        return _Finding("for", f"better than {other}: {text}")
    if not (is_champion and improvement.is_non_inferior):
        return _Finding("against", f"not better than {other} beyond noise: {text}")
    margin = f"within {improvement.margin:.4f} (comparison.margin)"
    if reason_to_renew is None:
        return _Finding(
            "against",
            f"not better than {other} beyond noise: {text}; it is no worse {margin}, but nothing "
            "asks for a new model",
        )
    return _Finding("for", f"no worse than {other} {margin}: {text}; renewed for {reason_to_renew}")


def _describe(improvement: Improvement) -> str:
    return (
        f"{improvement.metric} better by {improvement.mean:+.4f} "
        f"[{improvement.low:+.4f}, {improvement.high:+.4f}] on {improvement.rows} rows"
    )
