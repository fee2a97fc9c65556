"""`flows.journal --verify` against hands that change the table and the alias together."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from sqlalchemy import delete
from typer.testing import CliRunner, Result

from bentos.log.tables import JOURNAL
from flows import journal
from flows.shared.aliases import hand_over, settle_aliases
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


def verify() -> Result:
    import typer

    app = typer.Typer()
    app.command()(journal.main)
    return CliRunner().invoke(app, ["tiny", "--verify"])


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
