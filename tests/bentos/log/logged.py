"""Rows of the prediction log for its tests, and what the database then holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from bentos.log.tables import PREDICTIONS

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


def row(prediction_id: str, *, days_old: float = 0.0, **changes: Any) -> dict[str, Any]:
    values = {
        "id": prediction_id,
        "problem": "tiny",
        "model_version": "7",
        "answered_at": (NOW - timedelta(days=days_old)).replace(tzinfo=None),
        "inputs": '{"age":40,"level":null,"sex":"F\\u0000 é 🜚"}',
        "prediction": 1,
        "label": "ill",
        "probabilities": "[0.30000000000000004,0.7]",
        "confidence": 0.1 + 0.2,
        "risk_level": None,
    }
    return values | changes


def stored(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        rows = connection.execute(select(PREDICTIONS).order_by(PREDICTIONS.c.sequence))
        return [dict(each) for each in rows.mappings()]
