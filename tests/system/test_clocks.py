"""Machines whose clocks are an hour apart share a database, a registry and a store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bentos.log.database import open_engine
from tests.buckets import Bucket
from tests.conftest import RunFlow
from tests.support import lacking, tiny_rows
from tests.system.service import Service, label_reversed, serving
from tests.system.watching import Left

pytestmark = pytest.mark.system

AHEAD, BEHIND = "+3600s", "-3600s"
LABELS = 120
# libfaketime 0.9.10 with true stopwatches refuses the system call that time.sleep makes
SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)[0]\n"


@pytest.fixture
def clock(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """What makes a process's clock wrong by so much, and leaves its stopwatches alone."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        lacking("libfaketime (Debian's package faketime)")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SLEEP)

    def shift(offset: str) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(folder),
        }

    return shift


def rows_of(left: Left, table: str) -> list[dict[str, Any]]:
    engine = open_engine(f"sqlite:///{left.home / 'predictions.db'}")
    with engine.connect() as connection:
        found = connection.execute(text(f"select * from {table}")).mappings()  # noqa: S608
        rows = [dict(row) for row in found]
    engine.dispose()
    return rows


def test_what_they_write_is_judged_once_and_in_order(
    run_flow: RunFlow,
    clock: Callable[[str], dict[str, str]],
    project: Path,
    tmp_path: Path,
) -> None:
    left = Left(tmp_path / "home")
    database = f"sqlite:///{left.home / 'predictions.db'}"

    def run(*words: str, offset: str = "") -> dict[str, Any]:
        env = clock(offset) if offset else {}
        given = ("--source", str(project / "rows.csv")) if words[0] == "train" else ()
        done = run_flow(*words, *given, home=left.home, project=project, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return left.summary

    def serve(offset: str, seed: int) -> None:
        model = next(left.home.glob("bentoml/bentos/tiny/v1-*/src"))
        with serving(Service(model, tmp_path / f"at {offset}", database, clock(offset))) as service:
            label_reversed(service, tiny_rows(LABELS, seed=seed))

    run("train", "tiny", "--folds", "3")
    serve(AHEAD, seed=5)
    verdicts = [run("monitor", "tiny", offset=BEHIND)["drift"]["verdict"]]
    serve(BEHIND, seed=6)
    verdicts += [run("monitor", "tiny", offset=AHEAD)["drift"]["verdict"]]
    promotion = run("train", "tiny", "--folds", "3", "--only-ordered", offset=BEHIND)["promotion"]

    assert verdicts == ["retrain", "retrain"]
    windows = [
        (row["first_prediction"], row["last_prediction"]) for row in rows_of(left, "verdicts")
    ]
    assert windows == [(1, LABELS), (LABELS + 1, 2 * LABELS)]
    assert {row["state"] for row in rows_of(left, "orders") if row["kind"] == "train"} == {"done"}
    assert promotion["verdict"] == "promoted"
    assert left.breaks() == []
    moments = [entry.at for entry in left.entries]
    assert moments[0] > moments[-1]


@pytest.mark.s3
def test_a_store_that_refuses_such_a_clock_is_told_of(
    run_flow: RunFlow,
    s3_server: Bucket,
    clock: Callable[[str], dict[str, str]],
    project: Path,
    tmp_path: Path,
) -> None:
    env = s3_server.environment | {"DRIFTLINE_STORE_URL": f"s3://{s3_server.name}/{tmp_path.name}"}
    given = ("--source", str(project / "rows.csv"))

    done = run_flow(
        "ingest", "tiny", *given, home=tmp_path / "home", project=project, env=env | clock(AHEAD)
    )

    assert (done.returncode, done.stdout.count("error: ")) == (1, 0)
    assert "access denied" in done.stderr
    assert "clock" in done.stderr
    assert "Traceback" not in done.stderr
