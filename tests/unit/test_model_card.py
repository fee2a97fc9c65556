"""What stands in a model card."""

from dataclasses import replace
from typing import Any

import pytest

from driftline.dataset import draft_contract
from driftline.journal import next_entry
from driftline.model_card import NOT_STATED, Dossier, Section, as_document, describe
from driftline.numbers import NumberSpec
from tests.support import make_problem

PROBLEM = make_problem(card={"purpose": "to sort letters", "limits": ["children", "triage"]})
SUMMARY: dict[str, Any] = {
    "snapshot": {"rows": 240, "sha256": "ab" * 32},
    "validation": {"success": True, "failed": ["level: 3 rows beyond the usual"]},
    "candidates": [
        {
            "name": "dummy",
            "is_winner": False,
            "cv": {"precision_mean": 0.5, "precision_std": 0.1},
            "test": {"precision": 0.5},
        },
        {
            "name": "logistic_regression",
            "is_winner": True,
            "cv": {"precision_mean": 0.8, "precision_std": 0.05},
            "test": {"precision": 0.75},
        },
    ],
    "metrics": {"test_recall": 0.9},
    "intervals": {"recall": [0.8, 0.97]},
    "classes": [{"name": "ill", "recall": 0.9, "low": 0.8, "high": 0.95, "rows": 30}],
    "confusion": {"well": {"well": 60, "ill": 4}, "ill": {"well": 3, "ill": 27}},
    "promotion": {"verdict": "promoted", "reasons": ["better"], "subgroups": []},
    "parity": {"rows": 99, "labels_equal": True, "max_probability_difference": 2e-7},
}
ENTRY = next_entry(
    None,
    problem="tiny",
    at="2026-01-31T12:00:00.000000",
    actor="train 1",
    alias="champion",
    before=None,
    after="3",
    why="better",
    evidence="",
)


def dossier(**changes: Any) -> Dossier:
    contract = replace(
        draft_contract(PROBLEM, snapshot="ab" * 32), threshold=0.25, model_version="3"
    )
    made = Dossier(
        problem=PROBLEM,
        contract=contract,
        summary=SUMMARY,
        promise=None,
        entries=[ENTRY],
        verdicts=[("2026-02-01T00:00:00", "ok", ("no column changed",))],
        origin="rows.csv",
        digests={"onnx": "cd" * 32},
    )
    return replace(made, **changes)


def section(title: str, **changes: Any) -> Section:
    return next(one for one in describe(dossier(**changes)) if one.title == title)


def test_people_state_purpose_and_limits() -> None:
    rows = section("What it is for").rows

    assert ("purpose", "to sort letters") in rows
    assert ("who may use it", NOT_STATED) in rows
    assert [row for row in rows if row[0] == "not for"] == [
        ("not for", "children"),
        ("not for", "triage"),
    ]


def test_figures_come_with_their_intervals() -> None:
    assert section("How good it is, on rows that it has not seen").rows == (
        ("recall", "0.9000", "0.800 to 0.970"),
    )
    assert section("What it finds of each class").rows == (
        ("ill", "0.9000", "0.800 to 0.950", "30"),
    )


def test_the_candidate_that_was_chosen_is_marked() -> None:
    names = [row[0] for row in section("Which kinds of model competed").rows]

    assert names == ["dummy", "logistic_regression (chosen)"]


def test_the_threshold_stands_with_what_it_was_chosen_for() -> None:
    rows = dict(section("How a probability becomes an answer").rows)

    assert rows["threshold"] == "0.2500"
    assert rows["chosen for"] == (
        "the highest precision with recall at least 0.8, in cross-validation"
    )


def test_a_class_that_is_never_answered_is_told_beside_the_threshold() -> None:
    told = "it never says ill: of 60 test rows, 2 of which are ill, none"
    document = as_document(describe(dossier(summary=SUMMARY | {"unfound": [told]})))

    assert ["to know", told] in document["How a probability becomes an answer"]


def test_what_a_budget_left_out_is_told_with_the_candidates() -> None:
    told = "random_forest left out: about 300 s of a core, `search.work` (200) allows less"
    document = as_document(describe(dossier(summary=SUMMARY | {"bounds": [told]})))

    assert document["Which kinds of model competed"][-1] == ["bounded", told, ""]


def test_verdicts_and_journal_are_told() -> None:
    watched = section("How it is watched, and what was found").rows

    assert watched[-1] == ("2026-02-01T00:00:00", "ok: no column changed")
    assert section("Who served when").rows == (
        ("2026-01-31T12:00:00", "champion: version 3", "train 1", "better"),
    )


@pytest.mark.parametrize("summary", [{}, {"promotion": {"verdict": "promoted", "reasons": []}}])
def test_what_was_not_kept_is_said_and_ends_nothing(summary: dict[str, Any]) -> None:
    document = as_document(describe(dossier(summary=summary)))

    assert ["rows", "not kept of this version"] in document["What it has learnt from"]


def test_a_number_is_told_with_the_reach_of_its_intervals() -> None:
    number = NumberSpec("days", 0.0, 60.0, 0.9, reach=2.5)
    contract = replace(draft_contract(PROBLEM), classes=(), number=number)

    parity = {"rows": 99, "max_relative_difference": 3e-7}
    made = dossier(contract=contract, summary=SUMMARY | {"parity": parity})
    document = as_document(describe(made))

    assert [
        "what serves answers like what was trained",
        "numbers within 3.0e-07 of their spread on 99 rows",
    ] in document["Why it was let through"]
    told = "a number (days), and an interval that holds the truth in 90% of cases"
    assert ["answers with", told] in document["What it is for"]
    assert document["How an answer becomes an interval"] == [
        ["an interval reaches to either side", "2.5000"]
    ]
