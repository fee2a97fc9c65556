"""Predictions in a spool and in a database, as tests of the log need them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, select

from bentos.log.rows import LOGGED
from bentos.log.spool import SpoolWriter
from bentos.log.tables import PREDICTIONS

LOG_SECONDS = 60.0


def entry(*ids: str, at: float | None = None) -> dict[str, Any]:
    one = {"inputs": {"x": 1}, "prediction": 1, "label": "ill", "probabilities": [0.2, 0.8]}
    one |= {"confidence": 0.8, "risk": "high"}
    return {
        "time": time.time() if at is None else at,
        "problem": "tiny",
        "version": "7",
        "predictions": [one | {"id": each} for each in ids],
    }


def columns(*ids: str, **changes: Any) -> dict[str, Any]:
    """What `entry` says, as the entry of a large batch says it."""
    alone = entry(*ids)
    each = alone.pop("predictions")
    rest = {name: [one[name] for one in each] for name in LOGGED}
    return {"columns": rest | {"names": ["x"], "inputs": [[1]] * len(ids)} | changes} | alone


def spooled(folder: Path, *entries: dict[str, Any]) -> None:
    writer = SpoolWriter(folder)
    for each in entries:
        writer.append(orjson.dumps(each) + b"\n")
    writer.close()


def ids_in(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(PREDICTIONS.c.id)).scalars())


def await_that(is_so: Callable[[], bool], seconds: float = LOG_SECONDS) -> None:
    give_up = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up, "it did not come about in time"
        time.sleep(0.05)
