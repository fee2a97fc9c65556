"""Each check that labels call for is an event; only the one that waits first starts a run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bentos import doorbell, service
from bentos.log import database
from bentos.log.direct import DirectLog
from bentos.log.tables import ORDERS
from bentos.predictor import Predictor
from tests.bentos.log.test_direct import entry
from tests.receivers import HttpReceiver, http_receiver


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """What a Prefect server would be told; a bell is rung before its caller goes on."""
    monkeypatch.setattr(doorbell, "ring", doorbell.ring_and_wait)
    with http_receiver() as receiver:
        monkeypatch.setenv("PREFECT_API_URL", receiver.url)
        yield receiver


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectLog:
    """A log that holds 1,000 predictions, none of them labelled."""
    url = f"sqlite:///{tmp_path / 'log.db'}"
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", url)
    database.migrate(database.open_engine(url))
    log = DirectLog(url)
    log.write(entry(*(str(number) for number in range(1000))))
    return log


def label(log: DirectLog, first: int, beyond: int) -> None:
    for number in range(first, beyond):
        log.label(str(number), "ill")


def heard(rung: HttpReceiver) -> list[tuple[str, bool]]:
    """Each event's order, and whether it starts a run."""
    events: list[dict[str, Any]] = [e for post in rung.posted for e in json.loads(post.body)]
    return [
        (event["payload"]["order"], event["resource"]["driftline.starts-run"] == "true")
        for event in events
    ]


def test_an_order_behind_another_starts_no_run(
    log: DirectLog, predictor: Predictor, rung: HttpReceiver
) -> None:
    label(log, 0, 300)
    service.order_checks(predictor.contract)
    label(log, 300, 400)
    service.order_checks(predictor.contract)

    assert heard(rung) == [
        ("labels:tiny:100", True),
        ("labels:tiny:200", False),
        ("labels:tiny:300", False),
        ("labels:tiny:400", False),
    ]


def test_an_order_after_the_others_were_taken_starts_one(
    log: DirectLog, predictor: Predictor, rung: HttpReceiver
) -> None:
    label(log, 0, 100)
    service.order_checks(predictor.contract)
    with database.open_engine(database.database_url()).begin() as connection:
        connection.execute(update(ORDERS).values(state="claimed"))
    label(log, 100, 200)
    service.order_checks(predictor.contract)

    assert heard(rung) == [("labels:tiny:100", True), ("labels:tiny:200", True)]
