"""The reference as broken data is told from: fitted once, then any number of windows is judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from driftline.columns import CategoryColumn, Codes, Column, Floats, NumberColumn, is_on_grid, model_column
from driftline.explanations import find_unit
from driftline.problem import Problem
from driftline.relations import Features, Relation, fit_relations, forgive, plan_features
from driftline.shares import fit_share, soften, stack
from driftline.tilts import excess_evidence, raise_odds, ratio_evidence, tilt_to_mean

MOST_FITTED: Final = 20_000
TAIL_ODDS = 4.0
LEVEL_ODDS = 10.0
LOCAL_ODDS = 3.0
VALUE_ODDS = 10.0
RECORD_ODDS = 10.0
ROUND_ODDS = 2.0
MISSING_ODDS = {True: 10.0, False: 3.0}
RATIO = 10.0
FLOOR = 0.05
CONCENTRATED = 3.0
TYPICAL = 0.2
LEAST_LOSS = 0.02

SOUND_SHARE = 0.1


@dataclass(frozen=True)
class Suspicion:
    column: str
    kind: str
    evidence: float
    share: float


@dataclass(frozen=True)
class Reference:
    problem: Problem
    columns: tuple[Column, ...]
    features: Features
    relations: tuple[Relation | None, ...]
    records: Floats
    keys: Codes


def fit_reference(table: pd.DataFrame, problem: Problem, *, seed: int = 0) -> Reference:
    rng = np.random.default_rng(seed)
    if len(table) > MOST_FITTED:
        table = table.iloc[np.sort(rng.choice(len(table), MOST_FITTED, replace=False))]
    columns = tuple(
        model_column(name, table[name], is_category=spec.kind == "category")
        for name, spec in problem.columns.items()
    )
    read = [column.read(table[column.name]) for column in columns]
    codes = [column.encode(values) for column, values in zip(columns, read, strict=True)]
    features = plan_features(columns)
    rows = features.build(columns, read, codes)
    features = Features(features.blocks, features.levels, rows.mean(axis=0))
    rows -= features.means
    relations = fit_relations(columns, features, rows, codes, rng)
    keys, counts = np.unique(record_keys(codes), return_counts=True)
    return Reference(problem, columns, features, relations, counts, keys)


def record_keys(codes: Sequence[Codes]) -> Codes:
    rng = np.random.default_rng(0)
    keys = np.zeros(len(codes[0]), dtype=np.uint64)
    for code in codes:
        luts = rng.integers(0, 2**63, 4096, dtype=np.uint64)
        keys ^= luts[code]
    return keys


def suspect(reference: Reference, table: pd.DataFrame) -> list[Suspicion]:
    columns = reference.columns
    read = [column.read(table[column.name]) for column in columns]
    codes = [column.encode(values) for column, values in zip(columns, read, strict=True)]
    keys, counts = np.unique(record_keys(codes), return_counts=True)
    effective = len(table) ** 2 / float((counts.astype(float) ** 2).sum())
    weight = effective / len(table)
    found = list(_records(reference, keys, counts))
    rows = reference.features.build(columns, read, codes)
    for column, values, code in zip(columns, read, codes, strict=True):
        window = np.bincount(code, minlength=len(column.counts)).astype(float)
        found += _missing(column, window, weight)
        if column.is_constant:
            continue
        if isinstance(column, NumberColumn):
            found += _tails(column, window, weight)
            found += _values(column, values, weight)
            found += _rounded(column, values, weight)
            found += _regridded(column, values, weight)
        else:
            found += _levels(column, window, weight)
    pairs = [(j, r) for j, r in enumerate(reference.relations) if r is not None]
    found += _relations(reference, pairs, rows, codes, weight)
    return sorted(found, key=lambda each: -each.evidence)


def _records(reference: Reference, keys: Codes, counts: Codes) -> Iterator[Suspicion]:
    top = int(np.argmax(counts))
    total = counts.sum()
    at = np.searchsorted(reference.keys, keys[top])
    known = at < len(reference.keys) and reference.keys[at] == keys[top]
    before = float(reference.records[at]) if known else 0.0
    most = 0.03 + raise_odds((before + 0.5) / (reference.records.sum() + 1), RECORD_ODDS)
    if most < 1:
        evidence = float(excess_evidence(counts[top], total, most))
        yield Suspicion("", "record", evidence, counts[top] / total)


def _tails(column: NumberColumn, window: Floats, weight: float, moved: float = 1.5) -> Iterator[Suspicion]:
    counts, window = column.counts[:-1], window[:-1]
    total, rows = counts.sum(), window.sum()
    if rows == 0:
        return
    shares = counts / total
    mean = float(window @ column.centres / rows)
    tilted = tilt_to_mean(shares, column.centres, mean, most=moved)
    ratio = tilted / np.maximum(shares, 1e-12)
    for kind, step in (("low", 1), ("high", -1)):
        c, q, n = (np.cumsum(x[::step])[:-1] for x in (counts, tilted, window))
        before = (c + 1.5) / (total + 3)
        gained = np.where(c > 0, q * total / np.maximum(c, 1), 1.0)
        most = raise_odds(np.minimum(before * np.maximum(gained, 1.0), 1.0), TAIL_ODDS)
        third = (c / total)[c <= 0.34 * total].max()
        kept = np.minimum(1.3 * c / total / max(third, 0.05), 1.0)
        most = np.maximum(np.maximum(most, kept), FLOOR)
        evidence = excess_evidence(n * weight, rows * weight, np.minimum(most, 1 - 1e-12))
        best = int(np.argmax(evidence))
        yield Suspicion(column.name, kind, float(evidence[best]), float(n[best] / rows - most[best]))
    r = window / rows / np.maximum(shares, 0.5 / total)
    near = np.maximum(np.r_[0, r[:-1]], np.r_[r[1:], 0])
    near = np.maximum(np.maximum(near, ratio), 1.0)
    most = raise_odds(np.minimum((counts + 1.5) / (total + 3) * near, 1), LOCAL_ODDS)
    most = np.clip(most, FLOOR, 1 - 1e-12)
    evidence = excess_evidence(window * weight, rows * weight, most)
    best = int(np.argmax(evidence))
    yield Suspicion(column.name, "spike", float(evidence[best]), float(window[best] / rows - most[best]))


def _values(column: NumberColumn, values: Floats, weight: float) -> Iterator[Suspicion]:
    present = values[~np.isnan(values)]
    if column.is_discrete or not len(present):
        return
    unique, counts = np.unique(present, return_counts=True)
    top = int(np.argmax(counts))
    low, high = np.searchsorted(column.values, [unique[top]], side="left"), np.searchsorted(column.values, [unique[top]], side="right")
    before = float((high - low)[0])
    most = min(0.05 + float(raise_odds((before + 1.5) / (len(column.values) + 3), VALUE_ODDS)), 1 - 1e-12)
    evidence = float(excess_evidence(counts[top] * weight, len(present) * weight, most))
    yield Suspicion(column.name, "value", evidence, counts[top] / len(present) - most)


def _rounded(column: NumberColumn, values: Floats, weight: float) -> Iterator[Suspicion]:
    present = values[~np.isnan(values)]
    for step, before in column.steps:
        if not len(present):
            return
        share = float(is_on_grid(present, step).mean())
        most = min(float(raise_odds((before + 3) / (len(column.values) + 5), ROUND_ODDS)), 1 - 1e-12)
        evidence = float(excess_evidence(share * len(present) * weight, len(present) * weight, most))
        yield Suspicion(column.name, "rounded", evidence, share - most)


def _regridded(column: NumberColumn, values: Floats, weight: float) -> Iterator[Suspicion]:
    change = find_unit(column, values)
    if change is not None:
        yield Suspicion(column.name, f"unit {change[0]}", 4.6 * change[1] * weight, change[1] / len(values))


def _missing(column: Column, window: Floats, weight: float) -> Iterator[Suspicion]:
    total, rows = column.counts.sum(), window.sum()
    most = min(float(raise_odds((column.counts[-1] + 1.5) / (total + 3), MISSING_ODDS[isinstance(column, CategoryColumn)])), 1 - 1e-12)
    evidence = float(excess_evidence(window[-1] * weight, rows * weight, most))
    yield Suspicion(column.name, "missing", evidence, window[-1] / rows - most)


def _levels(column: CategoryColumn, window: Floats, weight: float) -> Iterator[Suspicion]:
    counts, window = column.counts[:-1], window[:-1]
    total, rows = counts.sum(), window.sum()
    if rows == 0:
        return
    most = raise_odds((counts + 1.5) / (total + 3), LEVEL_ODDS)
    most = np.clip(np.maximum(most, RATIO * counts / total), FLOOR, 1 - 1e-12)
    evidence = excess_evidence(window * weight, rows * weight, most)
    best = int(np.argmax(evidence))
    yield Suspicion(column.name, "level", float(evidence[best]), float(window[best] / rows - most[best]))


def _relations(reference, pairs, rows, codes, weight) -> Iterator[Suspicion]:
    if not pairs:
        return
    predicted = rows @ np.column_stack([r.weights for _, r in pairs])
    window = stack([r.count(predicted[:, i], codes[j]) for i, (j, r) in enumerate(pairs)])
    table = stack([soften(r.table) for _, r in pairs])
    free = fit_share(table, window)
    bound = fit_share(table, window, share=SOUND_SHARE)
    for i, (j, r) in enumerate(pairs):
        ratio = weight * (free.likelihood[i] - bound.likelihood[i])
        evidence = ratio_evidence(ratio, r.table.shape[1])
        start = reference.features.blocks[j].start
        column = reference.columns[j]
        if r.residual is not None:
            known = codes[j] != len(column.counts) - 1
            residual = (rows[:, start] - predicted[:, i])[known]
            residual = forgive(residual)
            seen = np.bincount(r.residual.encode(residual), minlength=len(r.residual.counts)).astype(float)
            for each in _tails(r.residual, seen, weight, r.most_moved):
                yield Suspicion(each.column, "residual " + each.kind, each.evidence, each.share)
        yield from _concentrated(column, table[i], window[i], weight)
        if free.share[i] > SOUND_SHARE and ratio > LEAST_LOSS * weight * window[i].sum():
            yield Suspicion(reference.columns[j].name, "relation", float(evidence), float(free.share[i]))


def _concentrated(column, table: Floats, window: Floats, weight: float) -> Iterator[Suspicion]:
    """One value more often than ever, in rows that are not those which have it elsewhere."""
    rows = window.sum()
    before = table.sum(axis=0) / table.sum()
    if not rows:
        return
    top = int(np.argmax(window.sum(axis=0) / rows - before))
    count = window[:, top].sum()
    most = float(raise_odds(before[top], CONCENTRATED))
    unusual = float(excess_evidence(count * weight, rows * weight, min(most, 1 - 1e-12)))
    own = table[:, top] / table[:, top].sum()
    everyone = table.sum(axis=1) / table.sum()
    parts = np.linspace(0, 1, 21)[:, None]
    chance = (1 - parts) * own + parts * everyone
    held = own > 0
    likelihood = (window[held, top] * np.log(chance[:, held])).sum(axis=1)
    best = int(np.argmax(likelihood))
    ratio = weight * float(likelihood[best] - likelihood[4])
    if best > 4:
        yield Suspicion(column.name, "concentrated", min(unusual, ratio), float(count / rows - most))
