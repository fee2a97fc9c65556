"""A file of true labels: which predictions they are of, and which class or number each means."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from driftline.cells import cells_of
from driftline.errors import DataError
from driftline.naming import find_close, shorten
from driftline.problem import Problem
from driftline.spelling import spell, tidy
from driftline.target import Target

ID_NAMES = ("prediction_id", "id")
OWN_NAMES = (*ID_NAMES, "label")  # not the problem's, and so meant in any case


@dataclass(frozen=True)
class LabelRows:
    """Pairs of prediction id and label, and how many rows lack one or hold no label."""

    pairs: tuple[tuple[str, str], ...]
    unusable: int


def read_labels(rows: pd.DataFrame, problem: Problem, *, source: str) -> LabelRows:
    """The labels in a table; a class may be given by its name or by any of its source values.

    `DataError` names columns that are missing, or that are there and mean neither: a table of
    scores also has a column `label`, which is the model's own answer and no truth.
    """
    target = problem.target
    places = _find_columns(
        _in_own_case([tidy(str(name)) for name in rows.columns], problem),
        ids=ID_NAMES,
        labels=("label", target.name, *target.aliases),
        ignored=problem.ignored,
        source=source,
    )
    ids, labels = (cells_of(rows.iloc[:, place]) for place in places)
    found = [None if label is None else target.find(label) for label in labels]
    pairs = tuple(
        (spell(prediction_id), label)
        for prediction_id, label in zip(ids, found, strict=True)
        if prediction_id is not None and label is not None
    )
    return LabelRows(pairs=pairs, unusable=len(rows) - len(pairs))


def describe_unusable(counts: Mapping[str, int], problem: Problem) -> str:
    """Of how many rows the label is no label, and what is one."""
    target = problem.target
    wanted = ", ".join(
        " or ".join(sorted(target.values_of(name))) if isinstance(target, Target) else name
        for name in target.classes
    )
    rows = f"{counts['unusable']} of {sum(counts.values())} rows"
    told = f"{rows}: no id, or a label that is {target.fault}"
    return f"{told} (wanted {wanted})" if wanted else told


def _in_own_case(names: list[str], problem: Problem) -> list[str]:
    """Names that are ours in any case, unless the problem file means them as they are written."""
    declared = {*problem.ignored, problem.target.name, *problem.target.aliases}
    folded = (name if name in declared else name.casefold() for name in names)
    return [own if own in OWN_NAMES else name for own, name in zip(folded, names, strict=True)]


def _find_columns(
    got: list[str],
    *,
    ids: tuple[str, ...],
    labels: tuple[str, ...],
    ignored: tuple[str, ...],
    source: str,
) -> tuple[int, int]:
    """Places of the two columns."""
    places = []
    for wanted in (ids, labels):
        found = [i for i, name in enumerate(got) if name in wanted]
        if len(found) != 1:
            named = " or ".join(map(repr, dict.fromkeys(wanted)))
            close = None if found else find_close(wanted[0], got)
            hint = "" if close is None else f" (is it {shorten(close)}?)"
            message = f"{source}: got {len(found)} columns named {named}, wanted one{hint}"
            raise DataError(message)
        places += found
    others = [n for i, n in enumerate(got) if i not in places and n not in ignored]
    if others:
        message = (
            f"{source}: unexpected: {', '.join(map(repr, others))}; wanted {ids[0]!r}, 'label'"
        )
        raise DataError(message)
    return places[0], places[1]
