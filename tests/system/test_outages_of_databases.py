"""PostgreSQL, which holds our records and MLflow's, goes away while a training runs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ForkFlow, RunFlow
from tests.support import TINY, file_problem, tiny_rows
from tests.system.servers import DatabaseServer, start_postgresql
from tests.system.watching import RUNS, Left, Watched

pytestmark = [pytest.mark.system, pytest.mark.postgres]

TRIES = 3  # that an outage outlasts
PASSWORD = "not-to-be-told"  # noqa: S105 - the server trusts everybody; it must not be printed


@pytest.fixture(scope="module")
def postgresql() -> Iterator[DatabaseServer]:
    """A real PostgreSQL server."""
    with start_postgresql() as server:
        yield server


@pytest.fixture
def env(postgresql: DatabaseServer) -> dict[str, str]:
    """A database for us and one for MLflow, both of them new."""
    ours, theirs = (
        postgresql.create_database().replace("driftline@", f"driftline:{PASSWORD}@")
        for _ in range(2)
    )
    tracking = theirs.replace("postgresql:", "postgresql+psycopg:")
    return {"DRIFTLINE_DATABASE_URL": ours, "MLFLOW_TRACKING_URI": tracking}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The tiny problem."""
    folder = tmp_path / "project"
    source = {"kind": "file", "location": str(folder / "rows.csv")}
    file_problem(folder, "tiny", TINY, source=source)
    tiny_rows().to_csv(folder / "rows.csv", index=False)
    return folder


def test_a_training_waits_for_a_database_that_is_away(
    fork_flow: ForkFlow,
    postgresql: DatabaseServer,
    env: dict[str, str],
    project: Path,
    tmp_path: Path,
) -> None:
    left = Left(tmp_path / "home", env)
    train = Watched(
        fork_flow("train", "tiny", "--folds", "3", home=left.home, project=project, env=env)
    )
    train.await_line("log to MLflow ...")
    time.sleep(0.5)
    postgresql.stop()
    train.await_line("trying again in", times=TRIES)
    postgresql.start()

    code = train.end()

    assert code == 0, train.output
    assert "did not answer" in train.output
    assert "trying again in" in train.output
    assert_promoted(left)
    states = left.run_states()  # one that the outage broke off has failed, and is logged again
    assert (states.count("FINISHED"), set(states) - {"FAILED"}) == (RUNS, {"FINISHED"})


def assert_promoted(left: Left) -> None:
    assert left.summary["promotion"]["verdict"] == "promoted"
    assert left.breaks() == []
    assert left.champion() == left.summary["model"]["version"]


def test_without_patience_it_ends_with_one_line_and_the_next_run_is_right(
    fork_flow: ForkFlow,
    run_flow: RunFlow,
    postgresql: DatabaseServer,
    env: dict[str, str],
    project: Path,
    tmp_path: Path,
) -> None:
    left = Left(tmp_path / "home", env)
    where = {"home": left.home, "project": project}
    hasty = env | {"DRIFTLINE_PATIENCE_SECONDS": "2"}
    train = Watched(fork_flow("train", "tiny", "--folds", "3", **where, env=hasty))
    train.await_line("log to MLflow ...")
    time.sleep(0.5)
    postgresql.stop()

    code = train.end()
    postgresql.start()
    again = run_flow("train", "tiny", "--folds", "3", **where, env=env)

    errors = [line for line in train.said if line.startswith("error: ")]
    assert (code, len(errors)) == (1, 1), train.output
    assert "did not answer" in errors[0]
    assert "Traceback" not in train.output
    assert PASSWORD not in train.output
    assert again.returncode == 0, again.stdout + again.stderr
    assert_promoted(left)
