"""A model that answers with a number, and its answers, in plain sentences."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def with_unit(value: float, model: Document) -> str:
    """A number as people say it, with the target's unit."""
    return f"{value:.4g} {model['number']['unit'] or ''}".strip()


def tell_purpose(model: Document) -> str:
    """What the model answers."""
    unit = model["number"]["unit"]
    told = f"a number ({unit})" if unit else "a number"
    return f"It answers {told}, from {len(model['fields'])} fields."


def tell_quality(model: Document) -> list[str]:
    """How far off it was on rows that it had never seen, and how often its intervals held."""
    metrics, told = model["metrics"], []
    if "test_mae" in metrics:
        bounds = model["intervals"].get("test_mae")
        words = f"On average it was off by {with_unit(metrics['test_mae'], model)}"
        if bounds:
            words += f" (95 % interval: {bounds[0]:.4g} to {bounds[1]:.4g})"
        told.append(f"{words}.")
    if "test_interval_coverage" in metrics:
        held, wanted = metrics["test_interval_coverage"], model["number"]["interval"]["coverage"]
        told.append(f"Its intervals held the truth in {held:.0%} of cases, wanted {wanted:.0%}.")
    return told


def tell_answer(answer: Document, model: Document) -> list[str]:
    """A number with its interval, band and version."""
    low, high = answer["interval"]
    between = f"between {low:.4g} and {with_unit(high, model)}"
    lines = [
        f"The answer is {with_unit(answer['prediction'], model)}.",
        f"In {answer['coverage']:.0%} of cases the truth lies {between}.",
    ]
    if answer.get("risk_level") is not None:
        bands = model["risk_bands"]
        lines.append(
            f"That is {answer['risk_level']} (medium above {with_unit(bands['medium'], model)}, "
            f"high above {with_unit(bands['high'], model)})."
        )
    lines.append(f"It was answered by version {answer['model_version']} of the model.")
    return lines


def tell_difference(difference: float, scale: float, model: Document) -> str:
    """How a value moved the number; what is below a thousandth of `scale` is nothing."""
    if abs(difference) < abs(scale) / 1000:
        return "nothing"
    return f"{'up' if difference > 0 else 'down'} by {with_unit(abs(difference), model)}"
