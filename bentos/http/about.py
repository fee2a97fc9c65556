"""What the service tells of its model, and of why it answered so."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from driftline.contract import Contract
from driftline.contributions import Explained
from driftline.deciding import is_matrix
from driftline.form import tell_computed, tell_fields

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
        "card": f"cards/{contract.problem}-v{contract.model_version}.html",  # among the reports
        **_tell_outcome(contract),
        "metrics": dict(contract.metrics),
        "intervals": {f"test_{name}": [low, high] for name, low, high in contract.intervals},
        "fields": tell_fields(contract),
        "computed": tell_computed(contract),
        "joins": [asdict(join) for join in contract.joins],
        "example": dict(contract.example),
    }


def _tell_outcome(contract: Contract) -> dict[str, Any]:
    """What the model answers with: classes and their threshold, or a number and its interval."""
    bands = {"risk_bands": {"medium": contract.medium_risk, "high": contract.high_risk}}
    number = contract.number
    if number is not None:
        interval = {"coverage": number.coverage, "reach": number.reach}
        told = {"unit": number.unit, "range": number.range, "interval": interval}
        return {"number": told} | (bands if number.is_banded else {})
    return {
        "classes": list(contract.classes),
        "positive": [contract.classes[i] for i in contract.positive],
        "threshold": contract.threshold,
        **_tell_costs(contract),
        **bands,
    }


def _tell_costs(contract: Contract) -> dict[str, Any]:
    """What it costs to miss each class, or each answer by the truth; {} where all cost alike."""
    names, costs = contract.classes, contract.costs
    if not is_matrix(costs):
        return {"miss_costs": dict(zip(names, costs, strict=False)), "cost_matrix": {}}
    rows = cast("Sequence[Sequence[float]]", costs)
    matrix = {
        truth: dict(zip(names, row, strict=True)) for truth, row in zip(names, rows, strict=True)
    }
    return {"miss_costs": {}, "cost_matrix": matrix}


def tell_explained(contract: Contract, explained: Explained) -> dict[str, Any]:
    """What moved an answer, with what that means."""
    is_number = contract.number is not None
    what = "prediction" if is_number else "probability"
    return {
        **({} if is_number else {"classes": list(explained.classes)}),
        what: explained.figure,
        f"typical_{what}": explained.typical_figure,
        "contributions": [asdict(one) for one in explained.contributions],
        "meaning": MEANING.replace("probability", what),
        "model_version": contract.model_version,
    }
