"""What the log gives to judge and to teach: nothing is forgotten, nothing broken teaches."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import update

from bentos.log.database import add_label, insert_predictions
from bentos.log.tables import PREDICTIONS
from driftline.problem import Problem
from driftline.verdicts import Cohort, DriftDecision, Window
from tasks.data import cleaning
from tasks.log import predictions, quarantine
from tasks.log.records import open_records
from tests.support import make_problem

VERSION = "3"


def predict(problem: Problem, names: list[str]) -> None:
    """Log answered predictions under these ids."""
    insert_predictions(
        open_records(),
        [
            {
                "id": name,
                "problem": problem.name,
                "model_version": VERSION,
                "answered_at": datetime.now(UTC).replace(tzinfo=None),
                "inputs": '{"age":40,"level":0.5,"sex":"F"}',
                "prediction": 1,
                "label": "ill",
                "probabilities": "[0.1,0.9]",
                "confidence": 0.9,
                "risk_level": None,
            }
            for name in names
        ],
    )


def label(names: list[str]) -> None:
    for name in names:
        add_label(open_records(), name, "well")


def clean_cohort(window: Window, problem: Problem) -> Cohort:
    return cleaning.clean_cohort.fn(window.labelled, problem, answered=window.answered)


def read(problem: Problem) -> Window:
    return predictions.read_window.fn(problem, VERSION)


def judge(problem: Problem, window: Window, verdict: str, *reasons: str) -> str:
    """Record a verdict on a window; returns its key."""
    key = f"{verdict}-{window.first}-{window.last}-{window.last_label}"
    predictions.record_verdict.fn(
        problem,
        DriftDecision(verdict, reasons),  # type: ignore[arg-type]
        key=key,
        model_version=VERSION,
        window=window,
        evidence={"standing": {"price": 0.2}},
        report="",
        report_sha256="",
    )
    return key


@pytest.fixture
def logged(home: Path, problem: Problem) -> Problem:
    """Six predictions, of which the first four are judged and were found broken."""
    del home
    predict(problem, [f"broken {i}" for i in range(4)])
    judge(problem, read(problem), "quarantine", "level: +40% more values missing")
    predict(problem, ["sound 0", "sound 1"])
    return problem


def test_labels_that_were_left_to_a_later_look_are_there_at_the_next(
    home: Path, problem: Problem
) -> None:
    """60 labels a day never were 100 at once: each verdict had moved past them."""
    del home
    names = [f"p{i}" for i in range(6)]
    predict(problem, names)
    label(names[:3])
    judge(problem, read(problem).with_labels_waiting(), "ok", "3 labels wait")

    label(names[3:])

    window = read(problem)
    assert (len(window.inputs), len(window.labelled)) == (0, 6)


def test_predictions_among_the_labelled_ones_are_counted(home: Path, problem: Problem) -> None:
    del home
    names = [f"p{i}" for i in range(8)]
    predict(problem, names)
    nothing = read(problem).answered
    label(names[1:4])
    together = read(problem)
    judge(problem, together, "ok")

    label([names[7], names[4]])
    apart = read(problem)

    assert nothing == 0
    assert clean_cohort(together, problem).unlabelled == 0
    assert clean_cohort(apart, problem).unlabelled == 2


def test_what_is_set_aside_is_not_missed_among_the_labelled_ones(logged: Problem) -> None:
    predict(logged, ["after"])
    judge(logged, read(logged), "quarantine", "level: stuck at one value")
    predict(logged, ["last"])
    quarantine.decide_on_quarantine.fn(logged, "quarantine-1-4-0", "released", actor="me")
    label(["broken 3", "last"])

    window = read(logged)

    assert (len(window.labelled), window.answered) == (2, 2)


def test_what_was_judged_broken_neither_is_judged_again_nor_teaches(logged: Problem) -> None:
    label(["broken 0", "broken 1", "sound 0"])

    window, taught = read(logged), predictions.read_labelled.fn(logged)

    assert (len(window.labelled), len(taught)) == (1, 1)


def test_what_a_person_releases_teaches_and_its_finding_is_known(logged: Problem) -> None:
    label(["broken 0", "broken 1", "sound 0"])
    (waiting,) = quarantine.read_quarantine.fn(logged)

    decided = [
        quarantine.decide_on_quarantine.fn(logged, waiting.key, "released", actor="a person")
        for _ in range(2)
    ]

    assert decided == [True, False]
    assert quarantine.read_quarantine.fn(logged) == []
    assert len(predictions.read_labelled.fn(logged)) == 3
    assert quarantine.read_accepted.fn(logged) == {"level: # more values missing"}


def test_what_a_person_drops_never_teaches(logged: Problem) -> None:
    label(["broken 0", "sound 0"])
    (waiting,) = quarantine.read_quarantine.fn(logged)

    quarantine.decide_on_quarantine.fn(logged, waiting.key, "dropped", actor="a person")

    assert len(predictions.read_labelled.fn(logged)) == 1
    assert quarantine.read_quarantine.fn(logged)[0].is_dropped


def test_rows_that_wait_are_judged_with_those_that_come_later(home: Path, problem: Problem) -> None:
    del home
    predict(problem, ["a", "b"])
    judge(problem, read(problem).with_rows_waiting(), "watch", "only 2 rows")
    predict(problem, ["c"])

    assert len(read(problem).inputs) == 3


def test_a_verdict_on_a_file_sets_no_prediction_aside(home: Path, problem: Problem) -> None:
    del home
    predict(problem, ["a", "b"])
    judge(problem, read(problem), "ok", "fine")
    judge(problem, read(problem).judged_elsewhere(), "quarantine", "level: stuck at one value")

    assert quarantine.read_quarantine.fn(problem) == []


def test_a_label_counts_once_its_prediction_is_old_enough(home: Path) -> None:
    """Where one class is known sooner than the other, early labels are no fair sample."""
    del home
    patient = make_problem(drift={"label_horizon_days": 7})
    predict(patient, ["old", "young"])
    label(["old", "young"])
    long_ago = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=8)
    with open_records().begin() as connection:
        old = update(PREDICTIONS).where(PREDICTIONS.c.id == "old")
        connection.execute(old.values(answered_at=long_ago))

    assert len(read(patient).labelled) == 1


def test_a_new_champion_takes_over_the_price_of_a_renewal(home: Path, problem: Problem) -> None:
    del home
    predict(problem, ["a"])
    judge(problem, read(problem), "retrain", "it pays")

    assert predictions.read_window.fn(problem, "4").state == {"price": 0.2}


def test_rows_to_label_are_named_by_their_ids(logged: Problem) -> None:
    window = read(logged)

    assert predictions.ids_of.fn(logged, window, [1, 0]) == ["sound 1", "sound 0"]
    assert isinstance(window.inputs, pd.DataFrame)
