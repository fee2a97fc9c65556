"""One SQLite file under the service, the monitor, the trainer and a batch at once."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import func, select

from bentos.log.database import count_labels, open_engine
from bentos.log.tables import ORDERS, PREDICTIONS, VERDICTS
from tests.bentos.models import RECORD, write_tiny_model
from tests.support import ROOT, stop
from tests.system.beside import BATCH
from tests.system.service import Client, Load, Service, await_that, rows_by_id, serving

pytestmark = pytest.mark.system

SECONDS = 20.0
PARTS = ("judge", "train", "score")


def start_beside(part: str, service: Service) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.system.beside", part],
        cwd=ROOT,
        env=os.environ
        | {"DRIFTLINE_HOME": str(service.home), "DRIFTLINE_DATABASE_URL": service.database_url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Labels:
    """A client that labels each prediction once, as it is answered, until the block ends."""

    def __init__(self, load: Load, port: int) -> None:
        """Label what this load is answered."""
        self.statuses: list[int] = []
        self._load, self._port = load, port
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._label_on)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._is_over.set()
        self._thread.join()

    def _label_on(self) -> None:
        with Client(self._port) as client:
            while not self._is_over.wait(0.002):
                if len(self._load.ids) > len(self.statuses):
                    prediction_id = self._load.ids[len(self.statuses)]
                    body = json.dumps({"prediction_id": prediction_id, "label": "ill"}).encode()
                    self.statuses.append(client.post("/feedback", body)[0])


def test_no_lock_reaches_a_user_and_nothing_is_lost(tmp_path: Path) -> None:
    model, url = write_tiny_model(tmp_path / "model"), f"sqlite:///{tmp_path / 'predictions.db'}"
    service = Service(model, tmp_path / "home", url)

    with serving(service):
        beside = [start_beside(part, service) for part in PARTS]
        try:
            with (
                Load(service.port, RECORD, clients=2, pause_seconds=0.01) as load,
                Labels(load, service.port) as labels,
            ):
                begun = [each.stdout.readline() for each in beside if each.stdout]
                assert begun == ["begun\n"] * len(PARTS)
                time.sleep(SECONDS)
            ends = [each.communicate(timeout=60) for each in beside]
        finally:
            for each in beside:
                stop(each)
        await_that(lambda: set(load.ids) <= rows_by_id(url).keys())

    assert [each.returncode for each in beside] == [0, 0, 0], [error for _, error in ends]
    judged, trained, scored = (int(turns) for turns, _ in ends)
    print(f"{len(load.ids)} answers, {len(labels.statuses)} labels; {judged}, {trained}, {scored}")  # noqa: T201
    assert (load.refused, load.broken) == ([], 0)
    assert Counter(labels.statuses) == {200: len(labels.statuses)}
    assert "locked" not in service.output
    engine = open_engine(url)
    with engine.connect() as connection:
        predictions, verdicts = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (PREDICTIONS, VERDICTS)
        )
        ordered = connection.execute(
            select(func.count()).select_from(ORDERS).where(ORDERS.c.kind == "monitor")
        ).scalar_one()
    assert predictions == len(load.ids) + scored * BATCH
    assert verdicts == judged
    assert count_labels(engine, "tiny") == len(labels.statuses)
    assert ordered == len(labels.statuses) // 100
    engine.dispose()
