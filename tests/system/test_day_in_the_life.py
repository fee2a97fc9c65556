"""One day of the whole system, on a real Prefect server and worker, with the real service."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sqlalchemy import create_engine, text

from driftline.digests import digest_bytes
from driftline.journal import Entry, find_breaks
from tasks.people.notifications import TITLES
from tests.ports import free_port

pytestmark = [pytest.mark.system, pytest.mark.quiet]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 300.0
PMOL_PER_MICROUNIT = 6.945  # serum insulin, pmol/L for a microunit/mL


@dataclass
class System:
    """A running system: its service, its database, and what its webhook was told."""

    service: str
    home: Path
    env: dict[str, str]
    told: list[str]

    def post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.service}{path}", json.dumps(document).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def version(self) -> str:
        with urllib.request.urlopen(f"{self.service}/model", timeout=10) as answer:
            return str(json.load(answer)["version"])

    def rows(self, query: str) -> list[dict[str, Any]]:
        engine = create_engine(f"sqlite:///{self.home / 'predictions.db'}")
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query)).mappings()]

    def verdicts(self) -> list[str]:
        return [
            row["verdict"] for row in self.rows("select verdict from verdicts order by sequence")
        ]

    def events(self) -> Counter[str]:
        """How often each of our events has come to Prefect."""
        everything = {"event": {"prefix": ["driftline."]}}
        request = urllib.request.Request(
            f"{self.env['PREFECT_API_URL']}/events/filter",
            json.dumps({"filter": everything, "limit": 50}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)["events"]
        assert {event["resource"]["prefect.resource.id"] for event in found} == {
            "driftline.problem.diabetes"
        }
        return Counter(event["event"] for event in found)

    def journal(self) -> list[Entry]:
        """The journal's rows in order."""
        rows = self.rows("select * from journal where problem = 'diabetes' order by number")
        return [Entry(**row) for row in rows]

    def start(self, deployment: str) -> None:
        words = [sys.executable, "-m", "prefect", "deployment", "run", deployment]
        subprocess.run(words, env=self.env, cwd=ROOT, check=True, capture_output=True)

    def predict(self, rows: pd.DataFrame) -> list[str]:
        records = rows.astype("object").where(rows.notna(), None).to_dict(orient="records")
        answers = self.post("/predict_batch", {"records": records})["predictions"]
        return [answer["prediction_id"] for answer in answers]

    def label(self, ids: list[str], labels: list[str]) -> None:
        for prediction_id, label in zip(ids, labels, strict=True):
            self.post("/feedback", {"prediction_id": prediction_id, "label": label})


@contextmanager
def webhook() -> Iterator[tuple[str, list[str]]]:
    """A receiver of messages on this machine: its address, and what it was told."""
    told: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            told.append(json.loads(self.rfile.read(size))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", told
    server.shutdown()


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail with its name where it does not in time."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > give_up:
            pytest.fail(f"not in {PATIENCE_SECONDS:g} s: {what}")
        time.sleep(0.5)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """`make up`, from nothing to a serving champion."""
    home = tmp_path_factory.mktemp("day") / "home"
    port, prefect, mlflow, reports = (free_port() for _ in range(4))
    with webhook() as (address, told):
        clean = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PREFECT_", "BENTOML_", "MLFLOW_"))
        }
        env = clean | {"DRIFTLINE_HOME": str(home), "DRIFTLINE_NOTIFY_WEBHOOK": address}
        words = [sys.executable, "-m", "deployments.up", "diabetes", "--port", str(port)]
        words += ["--prefect-port", str(prefect), "--mlflow-port", str(mlflow)]
        words += ["--reports-port", str(reports)]
        up = subprocess.Popen(words, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        running = System(
            service=f"http://127.0.0.1:{port}",
            home=home,
            env=env
            | {
                "PREFECT_API_URL": f"http://127.0.0.1:{prefect}/api",
                "PREFECT_HOME": str(home / "prefect"),
            },
            told=told,
        )
        try:
            eventually("the service answers", lambda: up.poll() is None and _is_up(running))
            yield running
        finally:
            up.terminate()
            up.communicate(timeout=120)


def _is_up(running: System) -> bool:
    try:
        return running.version() == "1"
    except OSError:
        return False


def ordinary_rows(home: Path, count: int, *, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Rows like those that the champion was trained on, with their true labels."""
    snapshot = pd.read_parquet(next((home / "snapshots").glob("*.parquet")))
    drawn = snapshot.sample(count, replace=True, random_state=seed).reset_index(drop=True)
    noise = np.random.default_rng(seed).normal(0, 0.3, count)  # so that no row coincides
    drawn["BMI"] = (drawn["BMI"] + noise).clip(10, 90)
    labels = drawn.pop("Diabetic").astype(str).tolist()
    return drawn, labels


def test_a_day_in_the_life(system: System) -> None:
    """Ordinary data, a real change, a take-over, broken data, and a rollback."""
    rows, labels = ordinary_rows(system.home, 500, seed=1)
    ids = system.predict(rows)
    system.label(ids, labels)
    eventually(
        "the labels are judged",
        lambda: (
            len(system.rows("select 1 from orders where kind = 'monitor' and state = 'done'")) == 5
        ),
    )
    assert set(system.verdicts()) <= {"ok", "watch"}
    assert not system.rows("select 1 from orders where kind = 'train'")

    # The relation to the target changes: from now on the pedigree alone decides.
    rows, _ = ordinary_rows(system.home, 500, seed=2)
    is_ill = rows["DiabetesPedigree"] > rows["DiabetesPedigree"].median()
    ids = system.predict(rows)
    system.label(ids, ["diabetic" if ill else "non_diabetic" for ill in is_ill])
    eventually("harm is noticed", lambda: "retrain" in system.verdicts())
    eventually("the service answers with a new version", lambda: system.version() != "1")
    renewed = system.version()
    orders = system.rows("select state from orders where kind = 'train'")
    assert len(orders) >= 1
    promoted = [message for message in system.told if "took over" in message]
    assert len(promoted) == 2

    # Insulin arrives in pmol/L.
    rows, _ = ordinary_rows(system.home, 900, seed=3)
    rows = rows[~(rows["SerumInsulin"] > 1200 / PMOL_PER_MICROUNIT)].head(300)
    rows["SerumInsulin"] *= PMOL_PER_MICROUNIT
    trained = len(system.rows("select 1 from orders where kind = 'train'"))
    system.predict(rows)
    eventually("predictions arrive", lambda: len(system.rows("select 1 from predictions")) == 1300)
    system.start("monitor/diabetes")
    eventually("broken data is quarantined", lambda: system.verdicts()[-1] == "quarantine")
    reasons = system.rows("select reasons from verdicts order by sequence desc limit 1")
    assert "SerumInsulin" in reasons[0]["reasons"]
    eventually("people are told", lambda: any("broken" in message for message in system.told))
    assert len(system.rows("select 1 from orders where kind = 'train'")) == trained
    assert system.version() == renewed

    system.start("rollback/diabetes")
    eventually("the champion before serves again", lambda: system.version() == "1")
    eventually("people are told of it", lambda: any("rolled back" in m for m in system.told))
    eventually("its event arrives", lambda: bool(system.events()["driftline.model.rolled_back"]))
    assert_all_is_recorded(system, renewed)


def assert_all_is_recorded(system: System, renewed: str) -> None:
    """Each event, verdict, journal row and message of the day."""
    champions = [entry for entry in system.journal() if entry.alias == "champion"]
    assert [(entry.before, entry.after) for entry in champions] == [
        (None, "1"),
        ("1", renewed),
        (renewed, "1"),
    ]
    assert [entry.actor.split()[0] for entry in champions] == ["train", "train", "rollback"]
    assert all(entry.why and len(entry.evidence_sha256) == 64 for entry in champions)
    client = MlflowClient(f"sqlite:///{system.home / 'mlflow.db'}")
    aliases = client.get_registered_model("diabetes").aliases
    holders = {k: str(aliases[k]) if k in aliases else None for k in ("champion", "challenger")}
    assert find_breaks(system.journal(), holders) == []

    verdicts = system.rows("select * from verdicts order by sequence")
    kinds = Counter(row["verdict"] for row in verdicts)
    assert kinds["quarantine"] == 1
    assert kinds["retrain"] >= 1
    for row in verdicts:
        assert json.loads(row["reasons"])
        document = Path(row["report"]).with_suffix(".json").read_bytes()
        assert digest_bytes(document) == row["report_sha256"]
    orders = Counter((row["kind"], row["state"]) for row in system.rows("select * from orders"))
    assert orders == {("monitor", "done"): 10, ("train", "done"): kinds["retrain"]}

    events = system.events()
    rejected = len({entry.after for entry in system.journal() if entry.alias == "challenger"})
    asked = events["driftline.drift.need_labels"]
    assert min(1, kinds["need_labels"]) <= asked <= kinds["need_labels"]  # told once, as a rule
    assert events == Counter(
        {
            "driftline.drift.need_labels": asked,
            "driftline.labels.counted": 10,
            "driftline.drift.retrain": kinds["retrain"],
            "driftline.drift.quarantine": 1,
            "driftline.model.promoted": 2,
            "driftline.model.rejected": rejected,
            "driftline.model.rolled_back": 1,
        }
    )
    told = Counter(message.partition("*\n")[0].rpartition(": ")[2] for message in system.told)
    assert told == Counter({TITLES[event]: n for event, n in events.items() if event in TITLES})
