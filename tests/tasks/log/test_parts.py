"""Large batches lie in the store, and are judged, labelled, taught and forgotten as other rows."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select, update

from bentos.log.database import add_label
from bentos.log.direct import DirectLog
from bentos.log.labels import add_labels
from bentos.log.tables import LABELS, PARTS, PREDICTIONS
from driftline.errors import SettingsError
from driftline.served import ServedModel
from driftline.verdicts import DriftDecision, Window
from tasks.log import answering, parts, predictions, quarantine
from tasks.log.records import open_records
from tasks.log.verdicts import read_verdicts
from tasks.settings import get_settings
from tests.tasks.log.batches import (
    PROBLEM,
    REFUSED,
    ROWS,
    VERSION,
    count,
    files,
    read,
    score,
    some_rows,
)


def judge(window: Window, verdict: str) -> None:
    predictions.record_verdict.fn(
        PROBLEM,
        DriftDecision(verdict, ("level: broken",)),  # type: ignore[arg-type]
        key=verdict,
        model_version=VERSION,
        window=window,
        evidence={},
        report="",
        report_sha256="",
    )


def test_a_part_tells_what_rows_of_the_log_would_tell(
    home: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_reference = score(model, home / "parts-way")
    names = by_reference["prediction_id"].tolist()
    for name in names[:5]:
        assert add_label(open_records(), name, "ill") == "added"
    whole, ids = read(), predictions.ids_of.fn(PROBLEM, read(), [0, 10])
    assert (count(PREDICTIONS), count(PARTS)) == (1, 1)

    with open_records().begin() as connection:
        for table in (PREDICTIONS, PARTS, LABELS):
            connection.execute(table.delete())
    monkeypatch.setattr(answering, "LEAST_OF_PART", ROWS + 1)
    by_row = score(model, home / "rows-way")
    for name in names[:5]:
        assert add_label(open_records(), name, "ill") == "added"
    window = read()

    pd.testing.assert_frame_equal(by_reference, by_row)
    pd.testing.assert_frame_equal(whole.inputs, window.inputs)
    of_part, of_rows = (each.labelled.drop(columns="_place") for each in (whole, window))
    pd.testing.assert_frame_equal(of_part, of_rows)
    assert whole.answered == ROWS - 1  # all of the part, which may be asked for
    assert window.answered == 5
    assert ids == predictions.ids_of.fn(PROBLEM, window, [0, 10]) == [names[0], names[10]]


@pytest.mark.parametrize("least", [1, ROWS + 1], ids=["as a part", "as rows"])
def test_more_rows_than_memory_bears_are_judged_by_an_even_part_of_them(
    home: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    monkeypatch.setattr(answering, "LEAST_OF_PART", least)
    answers = score(model, home / "scores")
    bounded = PROBLEM.model_copy(update={"max_training_rows": 500})

    whole, window = read(), predictions.read_window.fn(bounded, VERSION)

    assert (whole.rows, len(whole.inputs)) == (ROWS - 1, ROWS - 1)
    assert (window.rows, window.first, window.last) == (ROWS - 1, whole.first, whole.last)
    assert 150 < len(window.inputs) <= 500
    rows = range(len(window.inputs))
    named = predictions.ids_of.fn(PROBLEM, window, rows)
    asked = some_rows().drop(index=REFUSED).set_axis(answers["prediction_id"])
    levels = asked["level"].loc[named].tolist()
    assert window.inputs["level"].tolist() == levels  # each id is that of its own row


def test_a_part_is_logged_once_however_often_it_is_scored(home: Path, model: ServedModel) -> None:
    first = score(model, home / "one")
    (part,) = files()
    written = part.read_bytes()

    second = score(model, home / "two")
    score(model, home / "three", some_rows().assign(level=1.0))  # as if cleaned otherwise

    pd.testing.assert_frame_equal(first, second)
    assert (count(PREDICTIONS), count(PARTS)) == (1, 1)
    assert files() == [part]
    assert part.read_bytes() == written


def _direct(prediction_id: str) -> str:
    return DirectLog(get_settings().database).label(prediction_id, "ill")


def _singly(prediction_id: str) -> str:
    return add_label(open_records(), prediction_id, "ill")


def _in_bulk(prediction_id: str) -> str:
    (outcome,) = add_labels(open_records(), PROBLEM.name, [(prediction_id, "ill")])
    return outcome


@pytest.mark.parametrize("label", [_singly, _in_bulk, _direct])
def test_a_label_finds_its_row_by_its_id_alone(
    home: Path, model: ServedModel, label: Callable[[str], str]
) -> None:
    answers = score(model, home / "scores")
    batch = answers["prediction_id"][0].rpartition("-")[0]

    outcomes = [label(f"{batch}-{row}") for row in (0, 0, ROWS - 1, REFUSED, ROWS)]
    of_others = [label(name) for name in (f"{batch}:0", f"{'0' * 32}-0", f"{batch}-01")]

    assert outcomes == ["added", "same", "added", "unknown", "unknown"]
    assert of_others == ["unknown"] * 3
    taught = predictions.read_labelled.fn(PROBLEM)
    assert taught["age"].tolist() == some_rows()["age"].iloc[[0, ROWS - 1]].tolist()


def test_a_quarantined_part_teaches_once_a_person_releases_it(
    home: Path, model: ServedModel
) -> None:
    name = score(model, home / "scores")["prediction_id"][3]
    add_label(open_records(), name, "ill")
    judge(read().with_labels_waiting(), "quarantine")

    (told,) = read_verdicts.fn(PROBLEM.name, 5)
    assert told.rows == ROWS - 1

    before = len(predictions.read_labelled.fn(PROBLEM)), len(read().labelled)
    quarantine.decide_on_quarantine.fn(PROBLEM, "quarantine", "released", actor="a person")
    after = len(predictions.read_labelled.fn(PROBLEM)), len(read().labelled)

    assert (before, after) == ((0, 0), (1, 1))
    assert len(read().inputs) == 0


def test_rows_are_no_second_time_logged_where_more_of_them_are_taken(
    home: Path, model: ServedModel
) -> None:
    """As when the problem file has come to allow what it refused."""
    rows = some_rows()
    rows.loc[: ROWS // 2, "age"] = 500

    few = score(model, home / "few", rows)
    many = score(model, home / "many")

    assert len(few) < len(many)
    assert len(read().inputs) == len(few)


def test_a_retention_that_cannot_be_meant_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del home
    monkeypatch.setenv("DRIFTLINE_RETENTION_DAYS", "30d")

    with pytest.raises(SettingsError, match="DRIFTLINE_RETENTION_DAYS: got '30d'"):
        parts.forget_parts.fn(PROBLEM)


def test_retention_removes_old_parts_and_what_killed_runs_left(
    home: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = score(model, home / "scores")["prediction_id"][0]
    add_label(open_records(), name, "ill")
    monkeypatch.setattr(parts, "LEFT_BEHIND", timedelta(seconds=-60))
    (part,) = files()
    left = part.with_name("left-behind.parquet")
    left.write_bytes(b"")
    monkeypatch.setenv("DRIFTLINE_RETENTION_DAYS", "30")

    kept = parts.forget_parts.fn(PROBLEM)
    assert (kept, files()) == (0, [part])

    with open_records().begin() as connection:
        moment = connection.execute(select(PREDICTIONS.c.answered_at)).scalar_one()
        connection.execute(update(PREDICTIONS).values(answered_at=moment - timedelta(days=31)))
    assert parts.forget_parts.fn(PROBLEM) == 1

    assert files() == []
    assert (len(read().inputs), len(predictions.read_labelled.fn(PROBLEM))) == (0, 0)
    assert _singly(name) == "same"


def test_a_run_killed_before_the_log_names_its_part_goes_on(
    home: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(parts, "open_records", die)
        with pytest.raises(KeyboardInterrupt):
            score(model, home / "scores")
    left = files()
    assert len(left) == 1
    assert not list((home / "scores").glob("part-*"))

    score(model, home / "scores")

    assert files() == left
    assert (count(PREDICTIONS), count(PARTS), len(read().inputs)) == (1, 1, ROWS - 1)
