"""A part that cannot be read is left out and told, and comes back where it is scored again."""

from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import update

from bentos.log.database import add_label
from bentos.log.tables import PARTS
from driftline.served import ServedModel
from tasks.log import damage, parts, predictions, scoring
from tasks.log.records import open_records
from tests.tasks.log.batches import PROBLEM, ROWS, files, read, score, some_rows


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
