"""Evidently: its drift report of current rows against a reference, headed by our verdict."""

import html
import json
from dataclasses import asdict, dataclass

import pandas as pd

from driftline.drift import MOST_ROWS, ColumnChange, DriftDecision, decide_drift, measure_changes
from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.decorators import work


@dataclass(frozen=True)
class DriftReport:
    """The verdict, its evidence, and Evidently's report as a page and as JSON."""

    decision: DriftDecision
    changes: tuple[ColumnChange, ...]
    page: bytes
    document: bytes


@work(name="judge drift")
def judge_drift(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem, *, seed: int = 0
) -> tuple[DriftDecision, list[ColumnChange]]:
    """Measure every column's change and decide what follows."""
    changes = measure_changes(reference, current, problem, seed=seed)
    return decide_drift(changes, problem.drift, rows=len(current)), changes


@work(name="report drift")
def report_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    problem: Problem,
    decision: DriftDecision,
    changes: list[ColumnChange],
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
            for change in changes
        ],
        "evidently": json.loads(snapshot.json()),
    }
    return DriftReport(
        decision=decision,
        changes=tuple(changes),
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
    is_reference = pd.Series(digests).isin(served.train_digests).to_numpy()
    reference = table.loc[is_reference].reset_index(drop=True)
    return reference, table.loc[~is_reference].reset_index(drop=True)


def describe(decision: DriftDecision, changes: list[ColumnChange]) -> str:
    """The verdict and the strongest changes as markdown."""
    lines = [f"## {decision.verdict}", "", *(f"- {reason}" for reason in decision.reasons), ""]
    lines += [
        "| column | measure | effect | bound | noise | missing |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {c.column} | {c.measure} | {c.effect:.3f} | {c.bound:g} | {c.noise:.3f} "
        f"| {c.missing:+.1%} |"
        for c in changes[:20]
    ]
    return "\n".join(lines)
