"""What the owner's page is told of a problem: its journal, verdicts and newest runs."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deployments.reporting import state
from driftline.errors import NotFoundError, ProblemError
from driftline.problem import Problem
from driftline.verdicts import DriftDecision, Verdict, Window
from tasks.log import predictions, quarantine
from tasks.log.journal import write_journal
from tasks.people.reporting import write_summary


def told(name: str, problem: str = "tiny") -> Any:
    return json.loads(state.tell(problem, name))


def judge(problem: Problem, key: str, verdict: Verdict, last: int) -> None:
    rows, first = pd.DataFrame(), last - 9
    window = Window(rows, rows, first, last, last_label=0, seen=0, seen_label=0)
    predictions.record_verdict.fn(  # type: ignore[attr-defined]
        problem,
        DriftDecision(verdict, ("level moved",)),
        key=key,
        model_version="3",
        window=window,
        evidence={"a value of a row": 1},
        report=f"s3://bucket/reports/drift/tiny-{key}.html",
        report_sha256="",
    )


def test_verdicts_are_told_the_newest_first_with_what_a_person_decided(
    home: Path, problem: Problem
) -> None:
    assert home
    judge(problem, "a" * 40, "quarantine", 10)
    judge(problem, "b" * 40, "ok", 20)
    quarantine.decide_on_quarantine.fn(  # type: ignore[attr-defined]
        problem, "a" * 40, "released", actor="me"
    )

    newest, first = told("verdicts.json")

    assert (newest["verdict"], newest["reasons"]) == ("ok", ["level moved"])
    assert newest["decision"] is None
    assert newest["report"] == f"tiny-{'b' * 40}.html"
    assert (first["verdict"], first["decision"]) == ("quarantine", "released")
    assert (first["first_prediction"], first["last_prediction"]) == (1, 10)
    assert "evidence" not in first


def test_the_journal_is_told_row_by_row(home: Path) -> None:
    assert home
    row: dict[str, Any] = {"actor": "train", "alias": "champion", "evidence": "e" * 64}
    write_journal.fn(  # type: ignore[attr-defined]
        "tiny", rows=0, before=None, after="1", why="better", **row
    )

    (entry,) = told("journal.json")

    assert (entry["alias"], entry["after"], entry["why"]) == ("champion", "1", "better")


def test_the_newest_run_of_each_flow_is_told_with_its_end(home: Path) -> None:
    assert home
    write_summary("one", {"flow": "train", "problem": "tiny", "metrics": {}})
    write_summary("two", {"flow": "train", "problem": "other"})
    write_summary("three", {"flow": "score", "problem": "tiny"})

    runs = told("runs.json")

    assert set(runs) == {"train"}
    assert runs["train"]["ended_at"][:2] == "20"


def test_a_problem_that_nobody_knows_has_no_history(home: Path) -> None:
    assert home
    assert (told("journal.json"), told("verdicts.json"), told("runs.json")) == ([], [], {})


def test_nothing_else_is_told(home: Path) -> None:
    assert home
    with pytest.raises(NotFoundError):
        state.tell("tiny", "predictions.json")
    with pytest.raises(ProblemError):
        state.tell("..", "runs.json")
