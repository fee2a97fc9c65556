"""What the service tells of its model, and of why it answered so."""

from dataclasses import asdict
from typing import Any

from driftline.contract import Contract
from driftline.contributions import Explained
from driftline.form import tell_fields

MEANING = (
    "Each value was replaced by one that is typical of the training rows, one at a time; the "
    "difference is how much higher the probability is with the record's own value. It tells what "
    "this model went by, not what causes the outcome. Values that go together share what each "
    "shows, so the differences need not add up, and a value that is typical shows none."
)


def tell_model(contract: Contract) -> dict[str, Any]:
    """Whose answers these are, how good it was on rows it had not seen, and what it asks for."""
    return {
        "name": contract.problem,
        "title": contract.title,
        "version": contract.model_version,
        "onnx_sha256": contract.onnx_sha256,
        "snapshot": contract.snapshot,
        "promoted_at": contract.promoted_at,
        "classes": list(contract.classes),
        "positive": [contract.classes[i] for i in contract.positive],
        "threshold": contract.threshold,
        "miss_costs": dict(zip(contract.classes, contract.costs, strict=False)),
        "risk_bands": {"medium": contract.medium_risk, "high": contract.high_risk},
        "metrics": dict(contract.metrics),
        "intervals": {f"test_{name}": [low, high] for name, low, high in contract.intervals},
        "fields": tell_fields(contract),
        "example": dict(contract.example),
    }


def tell_explained(contract: Contract, explained: Explained) -> dict[str, Any]:
    """What moved an answer, with what that means."""
    return {
        "classes": list(explained.classes),
        "probability": explained.probability,
        "typical_probability": explained.typical_probability,
        "contributions": [asdict(one) for one in explained.contributions],
        "meaning": MEANING,
        "model_version": contract.model_version,
    }
