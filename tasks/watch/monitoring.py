"""Gathers a monitoring run's evidence, and puts the verdict in words."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftline.dataset import encode_rows, encode_target
from driftline.digests import number_repeats
from driftline.drift import ColumnChange, DriftDecision, measure_changes
from driftline.estimation import estimate_performance, fit_estimator
from driftline.export import score_onnx
from driftline.faults import find_faults
from driftline.informative import choose_rows_to_label
from driftline.losses import row_losses
from driftline.probe import probe_renewal
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE, OutOfFold, Promise, make_promise
from driftline.refusals import Refusals
from driftline.renewal import rows_before
from driftline.sequential import Wager, read_wager
from driftline.served import ServedModel, score_served
from driftline.standing import Standing, read_standing
from driftline.verdicts import (
    Cohort,
    Evidence,
    Finding,
    Window,
    close_look,
    decide_verdict,
    name_of,
    verdict_key,
)
from tasks.decorators import work
from tasks.progress import tell

MOST_LABELS_ASKED = 50
LEAST_ESTIMATED = 100
MOST_ESTIMATED = 20_000  # rows whose answers are estimated; more make it no surer


@dataclass(frozen=True)
class Inputs:
    """What the inputs of a window show: faults, changes, and what answers are likely to lose."""

    rows: int
    faults: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    changes: tuple[ColumnChange, ...] = ()
    used_share: float = 0.0
    estimated: float | None = None


@work(name="inspect inputs")
def inspect_inputs(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    problem: Problem,
    served: ServedModel,
    *,
    faults: Sequence[str] = (),
    accepted: Collection[str] = (),
    seed: int = 0,
) -> Inputs:
    """Faults and changes of the inputs.

    `faults` are known already; findings that a person has `accepted` are told and no faults.
    """
    if not len(current):
        return Inputs(0, tuple(faults))
    found = (*faults, *find_faults(reference, current, problem))
    use = {} if served.promise is None else dict(served.promise.use)
    changes = tuple(measure_changes(reference, current, problem, seed=seed))
    drifted = [change.column for change in changes if change.has_drifted]
    return Inputs(
        rows=len(current),
        faults=tuple(text for text in found if name_of(text) not in accepted),
        known=tuple(text for text in found if name_of(text) in accepted),
        changes=changes,
        used_share=sum(use.get(name, 1 / len(problem.columns)) for name in drifted),
        estimated=_estimate_rise(reference, current, problem, served, seed=seed),
    )


def _estimate_rise(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    problem: Problem,
    served: ServedModel,
    *,
    seed: int,
) -> float | None:
    """By how much of its skill the answers are estimated to be worse, from below."""
    promise, answers = served.promise, served.out_of_fold
    is_aligned = answers is not None and len(answers.y) == len(reference)
    if promise is None or answers is None or not is_aligned or len(current) < LEAST_ESTIMATED:
        return None
    rng = np.random.default_rng(seed)
    then, now = _some(len(reference), rng), _some(len(current), rng)
    before = encode_rows(reference.iloc[then], problem)
    after = encode_rows(current.iloc[now], problem)
    estimate = estimate_performance(
        fit_estimator(answers.probabilities[then], answers.y[then]),
        score_onnx(served.onnx, after),
        _filled(after, before),
        _filled(before, before),
        metric=promise.metric,
        seed=seed,
    )
    return (estimate.low - promise.loss - 2 * promise.error) / promise.skill


def _some(rows: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.permutation(rows)[:MOST_ESTIMATED])


def _filled(X: np.ndarray, reference: np.ndarray) -> np.ndarray:  # noqa: N803
    """Missing elements as the reference's median: what compares rows here takes no gaps."""
    with np.errstate(all="ignore"):
        middle = np.nan_to_num(np.nanmedian(reference, axis=0))
    return np.where(np.isnan(X), middle, X)


def fault_of_refusals(refusals: Refusals, answered: int, problem: Problem) -> tuple[str, ...]:
    """A sentence where a service refuses so many records that the data must be broken."""
    share = refusals.share(answered)
    asked = refusals.records + answered
    if asked < problem.drift.min_rows or share <= max(
        problem.max_quarantined_share, problem.drift.missing_effect
    ):
        return ()
    most = sorted(refusals.by_fault.items(), key=lambda item: -item[1])[:3]
    named = ", ".join(f"{field or 'record'} {kind} ({count})" for (field, kind), count in most)
    return (f"the service refused {refusals.records} of {asked} records ({share:.0%}): {named}",)


@work(name="promise of the champion")
def promise_of(served: ServedModel, holdout: pd.DataFrame, problem: Problem) -> Promise | None:
    """What the model promised; by its holdout where it was made before promises were kept."""
    if served.promise is not None or not len(holdout):
        return served.promise
    truth = encode_target(holdout, problem)
    answers = OutOfFold(score_served(served, holdout, truth).probabilities, truth)
    use = dict.fromkeys(problem.columns, 1 / len(problem.columns))
    return make_promise(answers, metric=problem.drift.loss, recipe=DEFAULT_RECIPE, use=use)


def labels_wanted(problem: Problem, reference: pd.DataFrame) -> int:
    """How many labels are judged at once: enough that renewing on them is worth a fit."""
    return max(problem.drift.min_labels, len(reference) // 200)


def standing_of(window: Window) -> Standing:
    """How the champion stood at the last verdict; a new one takes over the price alone."""
    if "standing" in window.state:
        return read_standing(window.state["standing"])
    return Standing(price=float(window.state.get("price", 0.0)))


@work(name="judge labelled rows")
def judge_cohort(
    standing: Standing,
    snapshot: pd.DataFrame,
    earlier: pd.DataFrame,
    cohort: Cohort,
    problem: Problem,
    promise: Promise,
) -> Standing:
    """Add a cohort: the champion's losses, and those of a model renewed with what was known.

    Known are the rows of the champion's `snapshot` and the `earlier` labelled rows.
    """
    known = rows_before(snapshot, earlier, cohort.table)
    table = pd.concat([known, cohort.table], ignore_index=True)
    y = encode_target(table, problem)
    tell(f"asking what a model renewed on {len(table)} rows would have answered")
    probe = probe_renewal(
        encode_rows(table, problem),
        y,
        newest=len(cohort.table),
        classes=len(problem.classes),
        fit=promise.recipe.fit,
        metric=promise.metric,
    )
    told = y[len(known) :]
    probed = {past: row_losses(p, told, promise.metric) for past, p in probe.probabilities.items()}
    losses = row_losses(cohort.probabilities, told, promise.metric)
    return standing.add(losses, probed, past=probe.past, promise=promise, policy=problem.drift)


@dataclass(frozen=True)
class Shadow:
    """The champion before this one, answering the same labelled rows: is the new one worse?"""

    version: str
    wager: Wager
    rows: int = 0

    @property
    def mean(self) -> float:
        """By how much the new champion loses more per answer."""
        return self.wager.mean


@work(name="ask the champion before")
def judge_shadow(
    window: Window, old: ServedModel, cohort: Cohort, problem: Problem
) -> Shadow | None:
    """Add a cohort to what is known of the champion against the one before it.

    It is the test of a renewal turned round: the wealth grows while the new champion is worse. It
    ends after `shadow_labels`, or where the two do not answer the same records.
    """
    kept = window.state.get("shadow") or {}
    is_same = kept.get("version") == old.version
    is_over = is_same and int(kept["rows"]) >= problem.drift.shadow_labels
    if is_over or set(old.contract.field_names) != set(problem.columns):
        return None
    wager = read_wager(kept["wager"]) if is_same else Wager()
    y = encode_target(cohort.table, problem)
    then = score_served(old, cohort.table, y).probabilities
    worse = row_losses(cohort.probabilities, y, "brier") - row_losses(then, y, "brier")
    rows = int(kept["rows"]) if is_same else 0
    return Shadow(old.version, wager.add(np.clip(worse, -1, 1)), rows + len(y))


def is_worse_than_before(shadow: Shadow, problem: Problem) -> bool:
    """Whether the champion is proved to be worse than the one that it replaced."""
    return shadow.wager.is_proof(problem.drift.false_retrains) and shadow.mean > 0


@dataclass(frozen=True)
class Labels:
    """What the labels of a window show; `waiting` are too few to be judged yet."""

    window: Window
    promise: Promise | None
    standing: Standing
    waiting: int = 0
    shadow: Shadow | None = None
    has_cohort: bool = False


@work(name="judge")
def judge(inputs: Inputs, labels: Labels, problem: Problem) -> tuple[DriftDecision, Evidence]:
    """The verdict on the evidence, and the evidence as the next look will find it."""
    promise, state = labels.promise, labels.window.state
    evidence = Evidence(
        rows=inputs.rows,
        faults=inputs.faults,
        changes=inputs.changes,
        findings=_find_changes(inputs.changes, {} if promise is None else promise.use),
        told=dict(state.get("told", {})),
        promise=promise,
        standing=labels.standing,
        has_cohort=labels.has_cohort,
        waiting=labels.waiting,
        estimated=inputs.estimated,
        used_share=inputs.used_share,
        suspicions=tuple(state.get("suspicions", ())),
    )
    decision = decide_verdict(evidence, problem.drift)
    tell(f"{decision.verdict}: {'; '.join(decision.reasons[:3])}")
    return decision, close_look(decision, evidence, problem.drift)


def _find_changes(changes: Sequence[ColumnChange], use: Mapping[str, float]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            about=change.column,
            strength=change.effect / change.bound,
            text=f"{change.column} changed: {change.measure} {change.effect:.2f} (bound "
            f"{change.bound:g}, noise {change.noise:.2f}; {use.get(change.column, 0):.0%} of what "
            "the model relies on)",
        )
        for change in changes
        if change.has_drifted
    )


@work(name="choose rows to label")
def rows_to_label(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem, served: ServedModel
) -> list[int]:
    """Which rows of a window to label first, as places in it; the most informative first."""
    before, after = encode_rows(reference, problem), encode_rows(current, problem)
    chosen = choose_rows_to_label(
        score_onnx(served.onnx, after),
        _filled(before, before),
        _filled(after, before),
        count=MOST_LABELS_ASKED,
        seed=0,
    )
    return [int(place) for place in chosen]


def split_reference(
    table: pd.DataFrame, digests: list[str], served: ServedModel
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a snapshot that the model was trained on, and the others."""
    is_reference = pd.Series(number_repeats(digests)).isin(served.train_digests).to_numpy()
    reference = table.loc[is_reference].reset_index(drop=True)
    return reference, table.loc[~is_reference].reset_index(drop=True)


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
        for c in evidence.changes[:20]
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
    labels: Labels,
    *,
    refusals: Refusals,
    is_aside: bool,
) -> dict[str, Any]:
    """The evidence as JSON; it holds figures of columns and no value of a row.

    A verdict that stands `aside`, on other rows than the log's, leaves to the next look what it
    found.
    """
    shadow = labels.shadow
    kept: dict[str, Any] = {
        "told": evidence.told,
        "suspicions": evidence.suspicions,
        "standing": evidence.standing.to_document(),
        "last_refusal": refusals.last,
        "shadow": labels.window.state.get("shadow")
        if shadow is None
        else {"version": shadow.version, "rows": shadow.rows, "wager": shadow.wager.to_document()},
    }
    if is_aside:
        kept = {name: labels.window.state.get(name, value) for name, value in kept.items()}
    return {
        "rows": evidence.rows,
        "faults": evidence.faults,
        "changes": [
            asdict(change)
            | {"has_drifted": change.has_drifted, "has_lost_values": change.has_lost_values}
            for change in evidence.changes[:50]
        ],
        "used_share": evidence.used_share,
        "estimated": evidence.estimated,
        "promise": None if evidence.promise is None else evidence.promise.to_document(),
        "refused": refusals.records,
        "verdict": decision.verdict,
        **kept,
    }


def write_document(decision: DriftDecision, evidence: Mapping[str, Any]) -> bytes:
    """The verdict with all that it rests on, as a JSON file."""
    document = {"verdict": decision.verdict, "reasons": decision.reasons, **evidence}
    return json.dumps(document, indent=2, default=float).encode()
