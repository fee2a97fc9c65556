"""Large batches lie in the store, and are judged, labelled, taught and forgotten as other rows."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select, update

from bentos.log.database import add_label
from bentos.log.direct import DirectLog
from bentos.log.labels import add_labels
from bentos.log.tables import LABELS, PARTS, PREDICTIONS
from driftline.contract import parse_contract
from driftline.errors import SettingsError
from driftline.served import ServedModel
from driftline.verdicts import DriftDecision, Window
from tasks.log import answering, damage, parts, predictions, scoring
from tasks.log.records import open_records
from tasks.log.verdicts import read_verdicts
from tasks.settings import get_settings
from tests.bentos.models import tiny_problem, write_tiny_model

PROBLEM = tiny_problem()
ROWS, REFUSED = 1_200, 7
VERSION = "7"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """A tree on the tiny problem."""
    folder = write_tiny_model(tmp_path_factory.mktemp("model"))
    contract = parse_contract((folder / "contract.json").read_text("utf-8"))
    return ServedModel(VERSION, (folder / "model.onnx").read_bytes(), contract, frozenset())


def some_rows(count: int = ROWS) -> pd.DataFrame:
    """Rows of which one is refused."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "age": rng.integers(18, 90, count),
            "level": rng.normal(size=count).round(3),
            "sex": rng.choice(["F", "M"], count),
            "ward": rng.choice(["north", "south", None], count),
        }
    )
    rows.loc[REFUSED, "age"] = 500
    return rows


def score(model: ServedModel, folder: Path, rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Score rows as one piece; returns the answers."""
    scorer = scoring.Scorer(PROBLEM, model, source="rows", sha256="ab" * 32, output=str(folder))
    scoring.score_part.fn(scorer, 0, some_rows() if rows is None else rows, start=0)
    return pd.read_parquet(folder / "part-00000.parquet")


def files() -> list[Path]:
    return sorted((get_settings().home / "parts" / PROBLEM.name).glob("*"))


def count(table: Any) -> int:
    with open_records().connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def read() -> Window:
    return predictions.read_window.fn(PROBLEM, VERSION)


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
    pd.testing.assert_frame_equal(whole.labelled, window.labelled)
    assert ids == predictions.ids_of.fn(PROBLEM, window, [0, 10]) == [names[0], names[10]]


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
    predictions.decide_on_quarantine.fn(PROBLEM, "quarantine", "released", actor="a person")
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


@pytest.fixture
def labelled(home: Path, model: ServedModel) -> list[str]:
    """Two batches, of each of which one row is labelled; their ids, the first batch's first."""
    names = [score(model, home / "one")["prediction_id"][0]]
    scorer = scoring.Scorer(
        PROBLEM, model, source="two", sha256="cd" * 32, output=str(home / "two")
    )
    scoring.score_part.fn(scorer, 0, some_rows(), start=0)
    names.append(pd.read_parquet(home / "two" / "part-00000.parquet")["prediction_id"][1])
    for name, label in zip(names, ("ill", "healthy"), strict=True):
        assert add_label(open_records(), name, label) == "added"
    return names


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_a_part_that_cannot_be_read_is_left_out_and_told_once(
    labelled: list[str], caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    whole = predictions.read_labelled.fn(PROBLEM)
    part = next(path for path in files() if path.name.startswith(labelled[0].rsplit("-", 1)[0]))
    part.unlink() if harm == "gone" else part.write_bytes(part.read_bytes()[:-1])
    caplog.set_level("INFO", "driftline")

    window, again = read(), predictions.read_labelled.fn(PROBLEM)
    told = damage.read_untold_damage.fn(PROBLEM)

    assert (len(window.inputs), len(window.labelled)) == (ROWS - 1, 1)
    assert window.labelled["_label"].tolist() == ["healthy"]
    pd.testing.assert_frame_equal(again, whole.iloc[1:].reset_index(drop=True))
    assert window.last_label == 2  # what cannot be read is not waited for
    assert [Path(each).name for each in told] == [part.name]
    assert damage.read_untold_damage.fn(PROBLEM) == []
    assert damage.count_damaged(PROBLEM.name) == 1
    said = [text for text in caplog.messages if part.name in text]
    assert len(said) == 1
    assert "scored by the same version again" in said[0]


def test_scoring_the_same_source_again_brings_a_damaged_part_back(
    home: Path, model: ServedModel, labelled: list[str]
) -> None:
    whole = predictions.read_labelled.fn(PROBLEM)
    part = next(path for path in files() if path.name.startswith(labelled[0].rsplit("-", 1)[0]))
    part.write_bytes(b"")
    read()

    score(model, home / "again")

    pd.testing.assert_frame_equal(predictions.read_labelled.fn(PROBLEM), whole)
    assert damage.read_untold_damage.fn(PROBLEM) == []
    assert damage.count_damaged(PROBLEM.name) == 0


def test_what_retention_lets_go_while_it_is_read_is_no_damage(
    labelled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget_first(problem: str, part: str, sha256: str) -> pd.DataFrame:
        with open_records().begin() as connection:
            connection.execute(update(PARTS).where(PARTS.c.id == part).values(is_kept=False))
        parts.remove_file(parts.locate_part(problem, part, sha256))
        return read_part(problem, part, sha256)

    read_part = damage.read_part
    monkeypatch.setattr(damage, "read_part", forget_first)

    assert len(read().inputs) == 0
    assert damage.read_untold_damage.fn(PROBLEM) == []
    assert labelled
    assert files() == []


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
