"""Whether a column's values still belong to the rows they stand in.

Real change along single columns keeps odds ratios and residuals (see `driftline.dependence`); a
value from another row, another column or another unit does not know its row.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from driftline.dependence import Features, Relation, forgive, soften
from driftline.marginals import CategoryColumn, Codes, Column, Floats
from driftline.shares import fit_share, stack
from driftline.suspicions import Suspicion, suspect_tails
from driftline.tilts import excess_evidence, raise_odds, ratio_evidence

SOUND_SHARE: Final = 0.1  # of the rows that may seem unrelated though nothing is broken
LEAST_LOSS: Final = 0.02  # nats per row that a broken relation has to cost
CONCENTRATED: Final = 3.0  # times the odds
TYPICAL: Final = 0.2  # of the rows with one value that may be like all others
RARER: Final = 20.0


def suspect_relations(
    columns: Sequence[Column],
    features: Features,
    relations: Sequence[Relation | None],
    rows: Floats,
    codes: Sequence[Codes],
    weight: float,
) -> Iterator[Suspicion]:
    """Each related column's evidence; `rows` are features, `weight` effective rows per row."""
    pairs = [(j, relation) for j, relation in enumerate(relations) if relation is not None]
    if not pairs:
        return
    predicted = rows @ np.column_stack([relation.weights for _, relation in pairs])
    tables = [soften(relation.table) for _, relation in pairs]
    windows = [r.count(predicted[:, i], codes[j]) for i, (j, r) in enumerate(pairs)]
    free = fit_share(stack(tables), stack(windows))
    bound = fit_share(stack(tables), stack(windows), share=SOUND_SHARE)
    for i, (j, relation) in enumerate(pairs):
        name, total = columns[j].name, windows[i].sum()
        if not total:
            continue
        if relation.residual is not None:
            known = codes[j] != len(columns[j].counts) - 1
            values = rows[known, features.blocks[j].start] - predicted[known, i]
            yield from _suspect_residual(relation, values, weight)
        yield _suspect_concentration(name, tables[i], windows[i], weight)
        if isinstance(columns[j], CategoryColumn):  # of a number a sub-population may be a range
            yield from _suspect_vanishing(name, tables[i], windows[i], weight)
        ratio = weight * float(free.likelihood[i] - bound.likelihood[i])
        if free.share[i] > SOUND_SHARE and ratio > LEAST_LOSS * weight * total:
            evidence = ratio_evidence(ratio, tables[i].shape[1])
            yield Suspicion(name, "relation", evidence, float(free.share[i]))


def _suspect_residual(relation: Relation, values: Floats, weight: float) -> Iterator[Suspicion]:
    """Values too far from what the rest of their row predicts, for too many rows."""
    model = relation.residual
    if model is None:
        return
    window = np.bincount(model.encode(forgive(values)), minlength=len(model.counts))
    found = suspect_tails(model, window.astype(np.float64), weight, relation.most_moved)
    for each in found:
        yield Suspicion(each.column, "relation", each.evidence, each.share)


def _suspect_concentration(name: str, table: Floats, window: Floats, weight: float) -> Suspicion:
    """One value more often than ever, in rows that are not those which used to have it."""
    rows = window.sum()
    before = table.sum(axis=0) / table.sum()
    top = int(np.argmax(window.sum(axis=0) / rows - before))
    count = float(window[:, top].sum())
    most = float(raise_odds(before[top], CONCENTRATED))
    unusual = float(excess_evidence(count * weight, rows * weight, most))
    own = table[:, top] / table[:, top].sum()
    everyone = table.sum(axis=1) / table.sum()
    parts = np.r_[TYPICAL, np.linspace(TYPICAL, 1, 17)][:, None]
    chance = (1 - parts) * own + parts * everyone
    likelihood = np.log(chance) @ window[:, top]
    ratio = weight * float(likelihood.max() - likelihood[0])
    return Suspicion(name, "concentrated", min(unusual, ratio), count / rows - most)


def _suspect_vanishing(
    name: str, table: Floats, window: Floats, weight: float
) -> Iterator[Suspicion]:
    """A value that is gone although the people who used to have it still come."""
    rows = window.sum()
    before = table.sum(axis=0) / table.sum()
    lines = window.sum(axis=1)
    for place in np.flatnonzero(window.sum(axis=0) == 0):
        chance = float(raise_odds(before[place], 1 / RARER))
        unusual = -rows * weight * np.log1p(-chance)
        all_people = table.sum(axis=1) / table.sum()
        others = table.sum(axis=1) - table[:, place]
        ratio = weight * float(lines @ np.log(all_people / (others / others.sum())))
        yield Suspicion(name, "gone", min(float(unusual), ratio), float(before[place]))
