"""A third problem is two files: its whole loop runs on a real server, and no code knows it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from bentos.log.database import open_engine
from tests.conftest import QUIET, TOOLS
from tests.support import ROOT, TINY, file_problem, tiny_rows
from tests.system.starting import Up, await_that, started

pytestmark = [pytest.mark.system, pytest.mark.timeout(2400)]

PATIENCE_SECONDS = 600.0
ROWS = 300


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`make up` of a problem in a folder of its own, from nothing to a serving champion."""
    project = tmp_path_factory.mktemp("third")
    source = {"kind": "file", "location": str(project / "rows.csv")}
    tiny_rows(400).to_csv(project / "rows.csv", index=False)
    file_problem(project, "third_one", TINY, source=source)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(TOOLS)}
    own = {"DRIFTLINE_HOME": str(project / "home"), "DRIFTLINE_PROJECT_DIR": str(project)}
    with started(clean | QUIET | own, problems="third-one") as system:
        yield system


def ask(up: Up, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the service answers to a GET, or to a POST of a document."""
    method = "GET" if document is None else "POST"
    url = f"http://127.0.0.1:{up.services[0]}{path}"
    answer = httpx.request(method, url, json=document, timeout=30).raise_for_status().json()
    return dict(answer)


def verdicts(up: Up) -> list[str]:
    with open_engine(f"sqlite:///{up.home / 'predictions.db'}").connect() as connection:
        query = text("select verdict from verdicts where problem = 'third_one' order by sequence")
        return list(connection.execute(query).scalars())


def test_it_predicts_is_labelled_judged_and_retrained(up: Up) -> None:
    """Labels that say the contrary of what it learnt come by the deployment `label/third-one`."""
    assert ask(up, "/model")["version"] == "1"
    rows = tiny_rows(ROWS, seed=7)
    records = rows.drop(columns="outcome").astype("object")
    records = records.where(records.notna(), None).to_dict(orient="records")
    answered = ask(up, "/predict_batch", {"records": records})["predictions"]
    labels = rows["outcome"].map({0: "ill", 1: "well"}).to_frame("label")
    labels["prediction_id"] = [each["prediction_id"] for each in answered]
    file = up.home / "labels.csv"
    labels.to_csv(file, index=False)
    await_that(lambda: count_of(up, "predictions") == ROWS, PATIENCE_SECONDS)

    ask_prefect(up, "label/third-one", f"source={file}")

    await_that(lambda: "retrain" in verdicts(up), PATIENCE_SECONDS)
    await_that(lambda: ask(up, "/model")["version"] == "2", PATIENCE_SECONDS)
    assert count_of(up, "labels") == ROWS
    with up.client() as client:
        names = {each.name for each in client.read_flow_runs()}
    assert {"pipeline third_one", "label third_one", "monitor third_one"} <= names
    assert "train third_one" in names


def count_of(up: Up, table: str) -> int:
    with open_engine(f"sqlite:///{up.home / 'predictions.db'}").connect() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())  # noqa: S608


def ask_prefect(up: Up, deployment: str, *parameters: str) -> None:
    """Start a run as a person does, from a new shell."""
    given = " ".join(f"--param {each}" for each in parameters)
    words = f". {up.home}/env && prefect deployment run {deployment} {given}"
    shell = {"PATH": os.environ["PATH"], "HOME": str(Path.home())}
    subprocess.run(["sh", "-c", words], env=shell, cwd=ROOT, check=True, capture_output=True)
