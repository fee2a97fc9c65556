"""Where the page of a test answers, and what a test writes into its state."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from bentos.log.database import open_engine
from bentos.log.tables import VERDICTS
from tests.system.service import Service


@dataclass(frozen=True)
class Site:
    """Where everything answers, and what the page's server wrote."""

    service: Service
    url: str
    log: Path
    hosts: set[str]


def set_aside(home: Path, problem: str) -> str:
    """Record that rows were judged broken; the verdict's key."""
    key = uuid4().hex
    row = {
        "key": key,
        "problem": problem,
        "model_version": "1",
        "verdict": "quarantine",
        "reasons": '["BMI: stuck at one value"]',
        "evidence": "{}",
        "report_sha256": "",
        "report": "",
        "first_prediction": 1,
        "last_prediction": 300,
        "decided_at": datetime.now(UTC).replace(tzinfo=None),
    }
    engine = open_engine(f"sqlite:///{home / 'predictions.db'}")
    with engine.begin() as connection:
        connection.execute(VERDICTS.insert(), row)
    engine.dispose()
    return key
