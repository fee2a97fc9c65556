"""The reference that broken data is told from: fitted once, then any number of windows is judged.

A fault is told where a share of a window's rows is better explained by something broken than by any
real change of the people, by more evidence than the many questions asked would show by chance.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from driftline.belonging import suspect_relations
from driftline.dependence import Features, Relation, fit_relations, plan_features
from driftline.explanations import RELATIONAL, describe_faults, is_shift
from driftline.marginals import Codes, Column, Floats, NumberColumn, model_column
from driftline.problem import Problem
from driftline.suspicions import FLOOR, VALUE_ODDS, WHOLE, Suspicion, suspect_column
from driftline.tilts import excess_evidence, raise_odds

MOST_FITTED: Final = 20_000  # reference rows
MOST_SEARCHED: Final = 20_000  # rows of a window in which suspicions are looked for
LEAST_ROWS: Final = 20
MOST_CODES: Final = 4096
LEAST_SHARE: Final = 0.05
BOUND: Final = 7.0  # nats


@dataclass(frozen=True)
class Reference:
    """Models of the reference's columns, their relations, and its records with their counts."""

    problem: Problem
    columns: tuple[Column, ...]
    features: Features
    relations: tuple[Relation | None, ...]
    records: Codes
    repeats: Floats


def fit_reference(table: pd.DataFrame, problem: Problem, *, seed: int = 0) -> Reference:
    """Models of a reference, of MOST_FITTED random rows of it at the most."""
    rng = np.random.default_rng(seed)
    if len(table) > MOST_FITTED:
        table = table.iloc[np.sort(rng.choice(len(table), MOST_FITTED, replace=False))]
    columns = tuple(
        model_column(name, table[name], is_category=spec.kind == "category")
        for name, spec in problem.columns.items()
        if spec.kind != "date"  # dates go on by themselves: new ones are no fault of the data
    )
    if not columns:
        nothing = np.zeros(0)
        return Reference(problem, (), plan_features(()), (), nothing.astype(np.int64), nothing)
    read = [column.read(table[column.name]) for column in columns]
    codes = [column.encode(values) for column, values in zip(columns, read, strict=True)]
    features = plan_features(columns)
    rows = features.build(columns, read, codes)
    features = replace(features, means=rows.mean(axis=0))
    rows -= features.means
    relations = fit_relations(columns, features, rows, codes, rng)
    records, repeats = np.unique(_name_records(read, codes), return_counts=True)
    return Reference(problem, columns, features, relations, records, repeats.astype(float))


def judge_window(reference: Reference, current: pd.DataFrame) -> tuple[str, ...]:
    """Each fault of a window, as a sentence without values of single rows."""
    found = weigh_window(reference, current)
    return describe_faults(found, reference.columns, current)


def weigh_window(
    reference: Reference, current: pd.DataFrame, *, bound: float = BOUND
) -> list[Suspicion]:
    """The suspicions of a window that count, strongest first, by more evidence than `bound` (nats).

    In a long window suspicions are looked for in MOST_SEARCHED evenly spaced rows; what is found
    there counts only where all rows of the column prove it.
    """
    if not reference.columns or min(len(current), reference.repeats.sum()) < LEAST_ROWS:
        return []
    step = -(-len(current) // MOST_SEARCHED)
    searched = current.iloc[::step]
    found = _convince(suspect(reference, searched), reference, searched, bound)
    if step == 1 or not found:
        return found
    alone = {each.column for each in found if each.kind not in RELATIONAL}
    names = alone or {found[0].column}
    proven = suspect(reference, current, names=names, is_related=not alone)
    return _convince(proven, reference, current, bound)


def _convince(
    found: Sequence[Suspicion], reference: Reference, current: pd.DataFrame, bound: float
) -> list[Suspicion]:
    """The suspicions that count, strongest first."""
    columns = {column.name: column for column in reference.columns}
    kept: list[Suspicion] = []
    for each in found:
        least = reference.problem.drift.missing_effect if each.kind == "missing" else LEAST_SHARE
        if each.evidence <= bound or each.share < least:
            continue
        column = columns.get(each.column)
        if (
            each.kind == "foreign"
            and isinstance(column, NumberColumn)
            and is_shift(column, column.read(current[each.column]))
        ):
            continue  # a new method or other people: no fault of its own
        kept.append(each)
    return sorted(kept, key=lambda each: -each.evidence)


def suspect(
    reference: Reference,
    table: pd.DataFrame,
    *,
    names: Collection[str] | None = None,
    is_related: bool = True,
) -> list[Suspicion]:
    """What looks broken, whatever its evidence; of the named columns, where some are named.

    Rows that stand in the window several times count as fewer.
    """
    is_whole = is_related or names is None or WHOLE in names
    columns = [c for c in reference.columns if is_whole or (names and c.name in names)]
    read = [column.read(table[column.name]) for column in columns]
    codes = [column.encode(values) for column, values in zip(columns, read, strict=True)]
    found: list[Suspicion] = []
    weight = 1.0
    if names is None or WHOLE in names:
        records, repeats = np.unique(_name_records(read, codes), return_counts=True)
        found.append(_suspect_record(reference, records, repeats))
        weight = len(table) / float((repeats.astype(float) ** 2).sum())
    for column, values, code in zip(columns, read, codes, strict=True):
        if names is None or column.name in names:
            found += suspect_column(column, values, code, weight)
    if is_related:
        rows = reference.features.build(columns, read, codes)
        relations = [
            relation if names is None or column.name in names else None
            for column, relation in zip(columns, reference.relations, strict=True)
        ]
        found += suspect_relations(columns, reference.features, relations, rows, codes, weight)
    return found


def _suspect_record(reference: Reference, records: Codes, repeats: Codes) -> Suspicion:
    """One record that fills more of the window than a person who is sampled often would."""
    top = int(np.argmax(repeats))
    total, known = int(repeats.sum()), reference.records == records[top]
    base = (float(reference.repeats[known].sum()) + 0.5) / (reference.repeats.sum() + 1)
    most = float(FLOOR / 2 + raise_odds(base, VALUE_ODDS))
    evidence = float(excess_evidence(float(repeats[top]), total, most))
    return Suspicion(WHOLE, "record", evidence, repeats[top] / total)


def _name_records(read: Sequence[Floats | pd.Series], codes: Sequence[Codes]) -> Codes:
    """A number for each row, equal where all values are.

    Source: Zobrist, ICCA Journal 13 (1990) 69-73.
    """
    names = np.zeros(len(codes[0]), dtype=np.uint64)
    for place, (values, code) in enumerate(zip(read, codes, strict=True)):
        keys = np.random.default_rng(place).integers(1, 2**63, MOST_CODES, dtype=np.uint64)
        key = keys[code % MOST_CODES]
        if isinstance(values, np.ndarray):
            bits = np.where(np.isnan(values), 0.0, values).view(np.uint64)
            key = key ^ ((bits ^ (bits >> np.uint64(29))) * (keys[0] | np.uint64(1)))
        names ^= key
    return names.astype(np.int64)
