"""Evidently: its drift report of current rows against a reference, headed by our verdict."""

import html
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftline.dataset import encode_target
from driftline.digests import digest_bytes, number_repeats
from driftline.drift import MOST_ROWS, DriftDecision, measure_changes
from driftline.faults import find_faults
from driftline.problem import Problem
from driftline.served import ServedModel, score_served
from driftline.verdicts import Evidence, Harm, Window, decide_verdict, measure_harm, verdict_key
from tasks.decorators import work
from tasks.progress import tell


@dataclass(frozen=True)
class DriftReport:
    """The verdict, and Evidently's report as a page and as JSON."""

    decision: DriftDecision
    page: bytes
    document: bytes


@work(name="gather evidence")
def gather_evidence(
    reference: pd.DataFrame,
    holdout: pd.DataFrame,
    current: pd.DataFrame,
    labelled: pd.DataFrame,
    problem: Problem,
    served: ServedModel,
    *,
    faults: Sequence[str] = (),
    seed: int = 0,
) -> Evidence:
    """Changes and faults of the current inputs, and the harm that labelled rows show.

    `labelled` has the columns `_label` and `_probabilities`; `faults` are known already.
    """
    if not len(current):
        return Evidence(0, tuple(faults), (), _harm(holdout, labelled, problem, served, seed=seed))
    return Evidence(
        rows=len(current),
        faults=(*faults, *find_faults(reference, current, problem)),
        changes=tuple(measure_changes(reference, current, problem, seed=seed)),
        harm=_harm(holdout, labelled, problem, served, seed=seed),
    )


def _harm(
    holdout: pd.DataFrame,
    labelled: pd.DataFrame,
    problem: Problem,
    served: ServedModel,
    *,
    seed: int,
) -> Harm | None:
    if not len(labelled) or not len(holdout):
        return None
    truth = encode_target(holdout, problem)
    before = score_served(served, holdout, truth).probabilities
    index = {name: i for i, name in enumerate(problem.classes)}
    now = np.array(labelled["_probabilities"].tolist(), dtype=np.float64)
    told = labelled["_label"].map(index).to_numpy(dtype=np.int64)
    return measure_harm(_brier(before, truth), _brier(now, told), seed=seed)


def _brier(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    squares = (probabilities - np.eye(probabilities.shape[1])[truth]) ** 2
    return np.asarray(squares.sum(axis=1) / 2)


@work(name="judge")
def judge(evidence: Evidence, problem: Problem) -> DriftDecision:
    """The verdict on the evidence."""
    decision = decide_verdict(evidence, problem.drift)
    tell(f"{decision.verdict}: {'; '.join(decision.reasons[:3])}")
    return decision


@work(name="report drift")
def report_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    problem: Problem,
    decision: DriftDecision,
    evidence: Evidence,
) -> DriftReport:
    """Evidently's data drift report; tables beyond 5,000 rows are sampled, the page stays small."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    names = list(problem.columns)
    categories = [name for name in names if problem.columns[name].kind == "category"]
    numbers = [name for name in names if name not in categories]
    # Evidently plots nothing of a column without any value.
    usable = [n for n in names if reference[n].notna().any() and current[n].notna().any()]
    definition = DataDefinition(
        numerical_columns=[name for name in numbers if name in usable],
        categorical_columns=[name for name in categories if name in usable],
    )

    def load(table: pd.DataFrame) -> Dataset:
        kept = table[usable]
        if len(kept) > MOST_ROWS:
            kept = kept.sample(MOST_ROWS, random_state=0)
        return Dataset.from_pandas(kept.reset_index(drop=True), definition)

    preset = DataDriftPreset(
        num_method="wasserstein",
        num_threshold=problem.drift.numeric_effect,
        cat_method="jensenshannon",
        cat_threshold=problem.drift.category_effect,
    )
    snapshot = Report([preset]).run(load(current), load(reference))
    page = snapshot.get_html_str(as_iframe=False)
    document = {
        "verdict": decision.verdict,
        "reasons": decision.reasons,
        "changes": [
            asdict(change)
            | {"has_drifted": change.has_drifted, "has_lost_values": change.has_lost_values}
            for change in evidence.changes
        ],
        "harm": None if evidence.harm is None else asdict(evidence.harm),
        "evidently": json.loads(snapshot.json()),
    }
    return DriftReport(
        decision=decision,
        page=_with_verdict(page, problem, decision).encode(),
        document=json.dumps(document, indent=2, default=float).encode(),
    )


def _with_verdict(page: str, problem: Problem, decision: DriftDecision) -> str:
    reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in decision.reasons)
    banner = (
        '<section style="font-family:sans-serif;padding:1em 2em;border-bottom:1px solid #ccc">'
        f"<h1>{html.escape(problem.title)}: {decision.verdict}</h1><ul>{reasons}</ul></section>"
    )
    head, found, rest = page.partition("<body>")
    return f"{head}{found}{banner}{rest}" if found else f"{banner}{page}"


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


def key_of(problem: Problem, served: ServedModel, window: Window, source: str | None) -> str:
    """The name of the evidence that a run judges: a window of the log, or a source after it."""
    name = problem.name if source is None else f"{problem.name}:{source}"
    return verdict_key(
        name,
        served.version,
        first=window.first,
        last=window.last,
        last_label=window.last_label,
    )


def as_document(evidence: Evidence) -> dict[str, Any]:
    """The evidence as JSON; it holds figures of columns and no value of a row."""
    document = asdict(evidence)
    return document | {"changes": [asdict(change) for change in evidence.changes[:50]]}


def digest_of(report: DriftReport) -> str:
    """The digest that the verdict keeps of its report."""
    return digest_bytes(report.document)
