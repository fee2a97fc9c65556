"""`flows.journal --verify` against hands that change the table and the alias together."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from sqlalchemy import delete
from typer.testing import CliRunner, Result

from bentos.log.tables import JOURNAL
from driftline.errors import LostJournalError
from flows import journal
from flows.shared.aliases import hand_over, settle_aliases
from tasks.log import records
from tasks.log.journal import read_journal, read_rows
from tasks.log.records import open_records
from tasks.models.registry import CHAMPION
from tasks.settings import get_settings

VERSIONS = ("1", "2", "3")


@pytest.fixture
def history(
    mlflow_home: Path, project: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MlflowClient]:
    """Three versions of the tiny problem, each champion after the other."""
    assert prefect_api
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(project))
    get_settings.cache_clear()
    client = MlflowClient(f"sqlite:///{mlflow_home / 'mlflow.db'}")
    client.create_registered_model("tiny")
    for rows, version in enumerate(VERSIONS):
        client.create_model_version("tiny", str(mlflow_home / "artifacts"))
        promote(version, rows)
    yield client
    get_settings.cache_clear()


def promote(version: str, rows: int) -> None:
    assert hand_over(
        "tiny",
        CHAMPION,
        version,
        rows=rows,
        actor="a test",
        why="better",
        evidence="figures",
        promoted=None,
    )


def cut(after: int) -> None:
    """Remove the rows after this number, as somebody with the database's password could."""
    with open_records().begin() as connection:
        connection.execute(delete(JOURNAL).where(JOURNAL.c.number > after))


def lose_database() -> None:
    """As where `predictions.db` is removed, and another made in its place."""
    open_records().dispose()
    records._open.cache_clear()
    for path in get_settings().home.glob("predictions.db*"):
        path.unlink()


def call(*words: str) -> Result:
    import typer

    app = typer.Typer()
    app.command()(journal.main)
    return CliRunner().invoke(app, ["tiny", *words])


def verify() -> Result:
    return call("--verify")


def test_an_honest_journal_verifies(history: MlflowClient) -> None:
    assert history

    assert verify().exit_code == 0


def test_a_cut_tail_is_found_though_the_alias_was_moved_too(history: MlflowClient) -> None:
    cut(after=2)
    history.set_registered_model_alias("tiny", CHAMPION, "2")

    done = verify()

    assert done.exit_code == 1
    assert "row 3: removed, its anchor is there" in done.output


@pytest.mark.parametrize("lost", ["store", "registry"])
def test_an_empty_journal_is_found_by_either_anchor(history: MlflowClient, lost: str) -> None:
    cut(after=0)
    history.delete_registered_model_alias("tiny", CHAMPION)
    if lost == "store":
        for path in (get_settings().home / "journal" / "tiny").iterdir():
            path.unlink()
    else:
        history.delete_registered_model_tag("tiny", "journal_head")

    done = verify()

    assert done.exit_code == 1
    assert "row 3: removed, its anchor is there" in done.output


def test_rows_in_place_of_those_that_were_cut_do_not_replace_their_anchors(
    history: MlflowClient,
) -> None:
    cut(after=1)
    history.set_registered_model_alias("tiny", CHAMPION, "1")
    settle_aliases("tiny")
    promote("3", rows=1)

    done = verify()

    assert done.exit_code == 1
    assert "row 2: not the row that was anchored" in done.output


def test_an_alias_moved_by_hand_is_found_after_the_next_promotion(history: MlflowClient) -> None:
    history.set_registered_model_alias("tiny", CHAMPION, "1")
    promote("2", rows=3)

    done = verify()

    assert done.exit_code == 1
    assert "row 4: takes champion from version 1" in done.output


def test_a_database_that_was_emptied_is_told_with_what_is_known_of_it(
    history: MlflowClient,
) -> None:
    """What began anew in silence would hold no prediction, and let any files pass as promoted."""
    assert history
    lose_database()

    with pytest.raises(LostJournalError) as raised:
        read_journal.fn("tiny")

    told = str(raised.value)
    assert told.startswith(f"{get_settings().home}/predictions.db: has no journal of tiny, whose")
    assert re.search(r"\(row 3 of 20\d\d-.*: champion is version 3\), so it was emptied", told)
    assert "python -m flows.journal tiny --restore" in told
    assert f"move {get_settings().home}/journal/tiny away" in told


def test_a_journal_that_only_the_registry_knows_is_told_before_an_alias_moves(
    history: MlflowClient,
) -> None:
    assert history
    lose_database()
    shutil.rmtree(get_settings().home / "journal" / "tiny")

    with pytest.raises(LostJournalError, match=r"newest row is known \(row 3, [0-9a-f]{12}\)"):
        settle_aliases("tiny")


def test_a_lost_journal_is_written_anew_from_the_store(history: MlflowClient) -> None:
    assert history
    before = read_journal.fn("tiny")
    lose_database()

    done = call("--restore", "--verify")

    assert done.exit_code == 0, done.output
    assert "3 rows written from the store" in done.output
    assert read_journal.fn("tiny") == before


def test_rows_that_were_cut_off_are_told_and_come_back(
    history: MlflowClient, caplog: pytest.LogCaptureFixture
) -> None:
    history.set_registered_model_alias("tiny", CHAMPION, "2")
    cut(after=2)

    with caplog.at_level("INFO", logger="driftline"):
        settle_aliases("tiny")

    assert "the journal ends with row 2, and had 3" in caplog.text
    assert "1 rows written from the store" in call("--restore").output


def test_an_edited_anchor_restores_nothing(history: MlflowClient) -> None:
    assert history
    lose_database()
    first, *_ = sorted((get_settings().home / "journal" / "tiny").iterdir())
    first.write_text(first.read_text().replace("better", "worse"))

    done = call("--restore")

    assert done.exit_code == 1
    assert "row 1: edited" in " ".join(done.output.split())
    assert read_rows.fn("tiny") == []


def test_a_fresh_home_has_an_empty_journal(
    mlflow_home: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mlflow_home
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", str(project))
    get_settings.cache_clear()

    assert read_journal.fn("tiny") == []
    assert settle_aliases("tiny") == 0
