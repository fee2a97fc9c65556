import json

import numpy as np
import pandas as pd
import pytest

from driftline.drift import measure_changes
from driftline.problem import Problem
from driftline.verdicts import Evidence, decide_verdict
from tasks.monitoring import DriftReport, describe, report_drift
from tests.support import MOODS, make_problem, mood_rows, tiny_rows


def evidence_of(reference: pd.DataFrame, current: pd.DataFrame, problem: Problem) -> Evidence:
    changes = tuple(measure_changes(reference, current, problem, seed=0))
    return Evidence(rows=len(current), faults=(), changes=changes, harm=None)


def report(reference: pd.DataFrame, current: pd.DataFrame, problem: Problem) -> DriftReport:
    evidence = evidence_of(reference, current, problem)
    decision = decide_verdict(evidence, problem.drift)
    return report_drift.fn(reference, current, problem, decision, evidence)


@pytest.fixture(scope="module")
def shifted() -> DriftReport:
    current = tiny_rows(200, seed=1)
    return report(tiny_rows(), current.assign(level=current["level"] + 5), make_problem())


def test_the_page_begins_with_our_verdict(shifted: DriftReport) -> None:
    page = shifted.page.decode()

    body = page.partition("<body>")[2]
    assert body.startswith("<section")
    assert "<h1>A tiny two-class problem: need_labels</h1>" in body[:500]
    assert "level: Wasserstein / sd" in body[:1000]


def test_the_document_holds_the_verdict_its_evidence_and_evidentlys_own(
    shifted: DriftReport,
) -> None:
    document = json.loads(shifted.document)

    assert document["verdict"] == shifted.decision.verdict == "need_labels"
    assert document["reasons"][0] == "1 of 3 columns changed"
    strongest = document["changes"][0]
    assert (strongest["column"], strongest["has_drifted"]) == ("level", True)
    assert document["evidently"]["metrics"]


def test_the_verdict_reads_as_a_table(shifted: DriftReport) -> None:
    current = tiny_rows(200, seed=1)
    shifted_rows = current.assign(level=current["level"] + 5)

    text = describe(shifted.decision, evidence_of(tiny_rows(), shifted_rows, make_problem()))

    assert text.startswith("## need_labels\n")
    assert "| level | Wasserstein / sd |" in text


def test_the_page_of_a_large_table_stays_small() -> None:
    reference, current = tiny_rows(20_000), tiny_rows(20_000, seed=1)

    made = report(reference, current, make_problem())

    assert made.decision.verdict == "ok"
    assert len(made.page) < 10_000_000


def test_categories_alone_can_be_reported() -> None:
    moods = make_problem(MOODS, name="moods")

    made = report(mood_rows(), mood_rows(seed=1), moods)

    assert made.decision.verdict == "ok"


def test_a_column_without_any_value_does_not_stop_the_report(problem: Problem) -> None:
    current = tiny_rows(200, seed=1).assign(level=np.nan)

    made = report(tiny_rows(), current, problem)

    assert made.decision.verdict == "quarantine"
    assert b"level" in made.document
