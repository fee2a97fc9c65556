"""A model and its answers in plain sentences, from what the service tells of them.

Percentages are rounded so that none claims to be certain.
"""

from collections.abc import Mapping
from typing import Any

from driftline import telling_numbers

Document = Mapping[str, Any]

NEVER, ALWAYS = 0.001, 0.999
BINARY = (  # metric, and what it means for a model of two classes
    ("recall", "Of those that were {positive}, it found {value}"),
    ("precision", "Of those that it called {positive}, {value} were"),
    ("accuracy", "Of all its answers, {value} were right"),
)
MANY = (
    ("accuracy", "Of all its answers, {value} were right"),
    ("balanced_accuracy", "Of a class, it found {value} on average"),
    ("lowest_recall", "Of the class that it finds least, it found {value}"),
)


def percent(share: float) -> str:
    """A probability as people say it."""
    if share < NEVER:
        return "less than 0.1 %"
    if share > ALWAYS:
        return "more than 99.9 %"
    return f"{share:.1%}".replace(".0%", "%").replace("%", " %")


def tell_purpose(model: Document) -> str:
    """What the model answers."""
    if "number" in model:
        return telling_numbers.tell_purpose(model)
    *others, last = model["classes"]
    return f"It answers {', '.join(others)} or {last}, from {len(model['fields'])} fields."


def tell_quality(model: Document) -> list[str]:
    """How good it was on rows that it had never seen, with intervals where they are known."""
    if "number" in model:
        return telling_numbers.tell_quality(model)
    metrics, intervals = model["metrics"], model["intervals"]
    positive = " or ".join(model["positive"])
    words = BINARY if len(model["classes"]) == 2 and positive else MANY  # noqa: PLR2004 - binary
    told = []
    for metric, sentence in words:
        name = f"test_{metric}"
        if name in metrics:
            text = sentence.format(positive=positive, value=percent(metrics[name]))
            told.append(text + _interval(intervals.get(name)) + ".")
    return told


def _interval(bounds: Any) -> str:
    if not bounds:
        return ""
    low, high = bounds
    return f" (95 % interval: {percent(low)} to {percent(high)})"


def tell_service(model: Document) -> str:
    """Which version answers, and since when."""
    since = str(model["promoted_at"])[:10]
    return f"Version {model['version']}" + (f", since {since}." if since else ".")


def tell_answer(answer: Document, model: Document) -> list[str]:
    """An answer with its probability, band, threshold and version."""
    if "number" in model:
        return telling_numbers.tell_answer(answer, model)
    label = answer["label"]
    lines = [f"The answer is {label}, with a probability of {percent(answer['confidence'])}."]
    bands, positive = model["risk_bands"], model["positive"]
    if answer["risk_level"] is not None:
        risk = sum(answer["probability"][name] for name in positive)
        lines.append(
            f"The risk is {answer['risk_level']}: {percent(risk)} for {' or '.join(positive)} "
            f"(medium above {percent(bands['medium'])}, high above {percent(bands['high'])})."
        )
    if model["threshold"] is not None and positive:
        lines.append(
            f"It answers {positive[0]} from a probability of {percent(model['threshold'])} on."
        )
    elif model["miss_costs"]:
        lines.append("It weighs each class by what it costs to miss it.")
    elif model.get("cost_matrix"):
        lines.append("It is the answer that is expected to cost the least.")
    lines.append(f"It was answered by version {answer['model_version']} of the model.")
    return lines


def tell_contributions(
    explained: Document, model: Document, units: Mapping[str, str | None]
) -> list[list[str]]:
    """Rows of field, typical value, and how its own value moved the answer."""
    rows = []
    for one in explained["contributions"]:
        unit = units.get(one["field"])
        typical = f"{one['typical']:g}" if isinstance(one["typical"], float) else one["typical"]
        moved = _moved(one["difference"], explained, model)
        rows.append([one["field"], f"{typical} {unit or ''}".strip(), moved])
    return rows


def _moved(difference: float, explained: Document, model: Document) -> str:
    if "number" in model:
        return telling_numbers.tell_difference(difference, explained["prediction"], model)
    return points(difference)


def points(difference: float) -> str:
    """A difference of probabilities in words."""
    size = abs(difference) * 100
    if size < 0.1:  # noqa: PLR2004 - what is shown as 0.0
        return "nothing"
    return f"{'up' if difference > 0 else 'down'} by {size:.1f} points"
