"""Evidently: its drift report of current rows against a reference, headed by our verdict.

A page is drawn after the verdict is recorded and told; where nothing can be drawn, it says so.
"""

import html
from collections.abc import Sequence

import pandas as pd

from driftline.findings import column_of
from driftline.problem import Problem
from driftline.verdicts import DriftDecision
from tasks.decorators import work
from tasks.progress import tell

MOST_ROWS, MOST_COLUMNS = 5000, 100  # that a page draws; the verdict rests on all
LEAST_ROWS = 2


@work(name="draw drift")
def draw_drift(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem, decision: DriftDecision
) -> bytes:
    """The page: our verdict, then what Evidently draws of at most 5,000 rows a side."""
    try:
        page = _draw(reference, current, problem, decision)
    except Exception as error:  # noqa: BLE001 - a picture must never cost a verdict
        tell(f"the report could not be drawn ({type(error).__name__}); the verdict stands")
        page = None
    if page is None:
        page = "<!doctype html><html><body><p>There are no rows to draw.</p></body></html>"
    drawn = _describe_drawn(len(reference), len(current), len(problem.columns))
    return _with_verdict(page, problem, decision, drawn).encode()


def _draw(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem, decision: DriftDecision
) -> str | None:
    names = choose_columns(list(problem.columns), decision)
    categories = [name for name in names if problem.columns[name].kind == "category"]
    # Evidently plots no column without any value, and divides by the number of the others.
    usable = [
        name
        for name in names
        if name in current and reference[name].notna().any() and current[name].notna().any()
    ]
    if not usable or min(len(reference), len(current)) < LEAST_ROWS:
        return None

    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(
        numerical_columns=[name for name in usable if name not in categories],
        categorical_columns=[name for name in usable if name in categories],
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
    return str(snapshot.get_html_str(as_iframe=False))


def choose_columns(names: Sequence[str], decision: DriftDecision) -> list[str]:
    """Those that a page draws: where they are too many, those that the reasons speak of first."""
    spoken = {column_of(reason, names) for reason in decision.reasons}
    return sorted(names, key=lambda name: name not in spoken)[:MOST_COLUMNS]


def _describe_drawn(reference: int, current: int, columns: int) -> str:
    sides = [
        f"{min(rows, MOST_ROWS)} of {rows} {name} rows"
        for rows, name in ((reference, "reference"), (current, "current"))
    ]
    rests = "The verdict rests on all, and where they are few on those before them too"
    some = f", {MOST_COLUMNS} of {columns} columns" if columns > MOST_COLUMNS else ""
    return f"Drawn: {' and '.join(sides)}{some}. {rests}, unless a finding says so."


def _with_verdict(page: str, problem: Problem, decision: DriftDecision, drawn: str) -> str:
    reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in decision.reasons)
    banner = (
        '<section style="font-family:sans-serif;padding:1em 2em;border-bottom:1px solid #ccc">'
        f"<h1>{html.escape(problem.title)}: {decision.verdict}</h1><ul>{reasons}</ul>"
        f"<p>{drawn}</p></section>"
    )
    head, found, rest = page.partition("<body>")
    return f"{head}{found}{banner}{rest}" if found else f"{banner}{page}"
