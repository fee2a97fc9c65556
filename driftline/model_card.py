"""The model card: what a person who answers for a model has to know of it, in sections.

Source: Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftline.change_plan import describe_changes
from driftline.contract import Contract
from driftline.journal import Entry
from driftline.problem import Problem
from driftline.promise import Promise

Row = tuple[str, ...]
NOT_STATED = "not stated (key `card` of the problem file)"
NOT_KEPT = "not kept of this version"
MOST_COLUMNS = 15


MOST_CLASSES = 12  # whose answers are told in a table


@dataclass(frozen=True)
class Section:
    """A heading, a table and the names of the pictures beneath it."""

    title: str
    rows: tuple[Row, ...]
    headings: Row = ()
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dossier:
    """All that is known of a registered version.

    `summary` is its training's, `verdicts` are (when, verdict, reasons), `digests` SHA-256 by name.
    """

    problem: Problem
    contract: Contract
    summary: Mapping[str, Any]
    promise: Promise | None
    entries: Sequence[Entry]
    verdicts: Sequence[tuple[str, str, Sequence[str]]]
    origin: str
    digests: Mapping[str, str]

    @property
    def version(self) -> str:
        """The version's number in the registry."""
        return self.contract.model_version


def describe(dossier: Dossier) -> tuple[Section, ...]:
    """The card's sections, in the order of reading."""
    return (
        _purpose(dossier),
        _data(dossier),
        _candidates(dossier),
        _figures(dossier),
        _classes(dossier),
        _confusion(dossier),
        *_distances(dossier),
        _parts(dossier),
        _reliance(dossier),
        _decisions(dossier),
        _gate(dossier),
        _watch(dossier),
        _changes(dossier),
        _served(dossier),
        _digests(dossier),
    )


def _purpose(dossier: Dossier) -> Section:
    card, contract = dossier.problem.card, dossier.contract
    limits = [("not for", limit) for limit in card.limits] or [("not for", NOT_STATED)]
    return Section(
        "What it is for",
        (
            ("purpose", card.purpose or NOT_STATED),
            ("who may use it", card.users or NOT_STATED),
            *limits,
            ("answers with", _answer(contract)),
        ),
    )


def _answer(contract: Contract) -> str:
    number = contract.number
    if number is None:
        return f"a probability of each of {', '.join(contract.classes)}"
    unit = f" ({number.unit})" if number.unit else ""
    return f"a number{unit}, and an interval that holds the truth in {number.coverage:.0%} of cases"


def _data(dossier: Dossier) -> Section:
    snapshot = dossier.summary.get("snapshot", {})
    found = dossier.summary.get("validation")
    noted = NOT_KEPT if found is None else "; ".join(found["failed"]) or "nothing"
    return Section(
        "What it has learnt from",
        (
            ("rows", str(snapshot.get("rows", NOT_KEPT))),
            ("from", dossier.origin or NOT_KEPT),
            ("snapshot", dossier.contract.snapshot),
            ("columns", ", ".join(field.name for field in dossier.contract.fields)),
            *_computed(dossier.contract),
            ("what the checks of the data noted", noted),
        ),
    )


def _computed(contract: Contract) -> list[Row]:
    told = [f"{feature.name} = {feature.formula}" for feature in contract.features]
    return [("computed of them", "; ".join(told))] if told else []


def _candidates(dossier: Dossier) -> Section:
    metric = dossier.problem.goal.metric
    rows = [
        (
            one["name"] + (" (chosen)" if one["is_winner"] else ""),
            _plus_minus(one["cv"], metric),
            _figure(one["test"].get(metric)),
        )
        for one in dossier.summary.get("candidates", [])
    ]
    rows += [("bounded", sentence, "") for sentence in dossier.summary.get("bounds", [])]
    headings = ("candidate", f"{metric} in cross-validation", f"{metric} on test rows")
    return Section("Which kinds of model competed", tuple(rows), headings)


def _figures(dossier: Dossier) -> Section:
    metrics = dossier.summary.get("metrics", {})
    rows = [
        (name, _figure(metrics.get(f"test_{name}")), f"{low:.3f} to {high:.3f}")
        for name, (low, high) in dossier.summary.get("intervals", {}).items()
    ]
    return Section(
        "How good it is, on rows that it has not seen",
        tuple(rows),
        ("figure", "value", "95 % interval"),
        ("confusion_matrix.png", "calibration.png", "roc.png"),
    )


def _classes(dossier: Dossier) -> Section:
    rows = [
        (one["name"], _figure(one["recall"]), f"{one['low']:.3f} to {one['high']:.3f}", one["rows"])
        for one in dossier.summary.get("classes", [])
    ]
    headings = ("class", "share that is found", "95 % interval", "test rows")
    return Section("What it finds of each class", tuple(tuple(map(str, r)) for r in rows), headings)


def _confusion(dossier: Dossier) -> Section:
    """Which class is answered instead; of many classes the picture has to do."""
    confusion = dossier.summary.get("confusion", {})
    if len(confusion) > MOST_CLASSES:
        confusion = {}
    rows = [(truth, *map(str, answers.values())) for truth, answers in confusion.items()]
    headings = ("test rows of the class", *(f"answered {name}" for name in confusion))
    return Section("What it answers for each class", tuple(rows), headings)


def _distances(dossier: Dossier) -> list[Section]:
    """How many classes off the answers are, where the classes have an order."""
    shares = dossier.summary.get("off_by", [])
    rows = tuple((str(places), f"{share:.1%}") for places, share in enumerate(shares))
    headings = ("classes off", "share of the test rows")
    return [Section("How far off it is", rows, headings)] if rows else []


def _parts(dossier: Dossier) -> Section:
    found = dossier.summary.get("promotion", {}).get("subgroups", [])
    rows = [
        (
            one["subgroup"],
            one["metric"],
            _figure(one["got"]),
            f"{one['low']:.3f} to {one['high']:.3f}",
            one["wanted"],
            str(one["rows"]),
        )
        for one in found
    ]
    if not rows:
        return Section("How it serves parts of the people", (("subgroups", "none declared"),))
    headings = ("part", "figure", "value", "interval", "wanted", "rows")
    return Section("How it serves parts of the people", tuple(rows), headings)


def _reliance(dossier: Dossier) -> Section:
    if dossier.promise is None:
        return Section("What it relies on", (("columns", NOT_KEPT),))
    ranked = sorted(dossier.promise.use.items(), key=lambda item: -item[1])[:MOST_COLUMNS]
    rows = [(name, f"{share:.0%}") for name, share in ranked]
    pictures = ("permutation_importance.png",)
    return Section("What it relies on", tuple(rows), ("column", "share"), pictures)


def _decisions(dossier: Dossier) -> Section:
    contract, goal = dossier.contract, dossier.problem.goal
    if contract.number is not None:
        reach = ("an interval reaches to either side", _figure(contract.number.reach))
        return Section("How an answer becomes an interval", (reach,))
    floors = [f"{name} at least {floor:g}" for name, floor in goal.subject_to.items()]
    why = f"the highest {goal.maximise}" + (f" with {', '.join(floors)}" if floors else "")
    threshold = "none: the likeliest class" if contract.threshold is None else contract.threshold
    calibrated = dossier.summary.get("promotion", {}).get("calibrated")
    return Section(
        "How a probability becomes an answer",
        (
            ("threshold", _figure(threshold)),
            *[("to know", sentence) for sentence in dossier.summary.get("unfound", [])],
            ("chosen for", f"{why}, in cross-validation"),
            ("calibrated afterwards", {True: "yes", False: "no"}.get(calibrated, NOT_KEPT)),
            ("medium risk above", f"{contract.medium_risk:g}"),
            ("high risk above", f"{contract.high_risk:g}"),
        ),
    )


def _gate(dossier: Dossier) -> Section:
    promotion, parity = (dossier.summary.get(key, {}) for key in ("promotion", "parity"))
    rows: list[Row] = [("verdict", str(promotion.get("verdict", NOT_KEPT)))]
    rows += [("because", reason) for reason in promotion.get("reasons", [])]
    if parity:
        rows.append(("what serves answers like what was trained", _tell_parity(parity)))
    return Section("Why it was let through", tuple(rows))


def _tell_parity(parity: Mapping[str, Any]) -> str:
    if "max_relative_difference" in parity:
        gap = f"{parity['max_relative_difference']:.1e}"
        return f"numbers within {gap} of their spread on {parity['rows']} rows"
    equal = "labels equal" if parity["labels_equal"] else "labels differ"
    gap = f"{parity['max_probability_difference']:.1e}"
    return f"{equal} on {parity['rows']} rows, probabilities within {gap}"


def _watch(dossier: Dossier) -> Section:
    drift = dossier.problem.drift
    rows: list[Row] = [
        ("bound on false alarms at a look", f"{drift.false_alarms:g}"),
        ("bound on false retrainings, however often one looks", f"{drift.false_retrains:g}"),
        ("what a renewal must save", f"{drift.worth:g} of the champion's skill per answer"),
        ("cannot be seen without labels", "a changed relation between the columns and the outcome"),
    ]
    rows += [(when, f"{verdict}: {'; '.join(why)}") for when, verdict, why in dossier.verdicts]
    return Section("How it is watched, and what was found", tuple(rows))


def _changes(dossier: Dossier) -> Section:
    plan = describe_changes(dossier.problem)
    rows = [(one["what"], one["who"], one["when"]) for one in plan["modifications"]]
    rows += [(fixed, "by a person", "never by itself") for fixed in plan["not_changed_by_itself"]]
    return Section("What may change by itself", tuple(rows), ("change", "by whom", "when"))


def _served(dossier: Dossier) -> Section:
    rows = [
        (entry.at[:19], f"{entry.alias}: version {entry.after or '-'}", entry.actor, entry.why)
        for entry in dossier.entries
    ]
    return Section("Who served when", tuple(rows), ("when (UTC)", "what", "by", "why"))


def _digests(dossier: Dossier) -> Section:
    rows = tuple(dossier.digests.items())
    return Section("What it is made of", rows, ("part", "SHA-256"))


def _plus_minus(cv: Mapping[str, float], metric: str) -> str:
    mean, deviation = cv.get(f"{metric}_mean"), cv.get(f"{metric}_std")
    return NOT_KEPT if mean is None else f"{_figure(mean)} ± {_figure(deviation)}"


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value if value is not None else "-")


def as_document(sections: Iterable[Section]) -> dict[str, list[list[str]]]:
    """The card as JSON has it: each section's rows by its title."""
    return {section.title: [list(row) for row in section.rows] for section in sections}
