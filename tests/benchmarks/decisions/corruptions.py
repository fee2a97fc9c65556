"""Kinds of broken data, each a pure function of a table, a column and a generator.

A kind returns None where it does not apply to the column or would alter nothing in effect.
`share` of the rows is hit. Contract ranges are not applied here: what they refuse is counted at the
door, so every kind is judged as if it had passed there.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from driftline.problem import Problem

Corrupted = pd.DataFrame | None
Kind = Callable[[pd.DataFrame, str, np.random.Generator], pd.Series | None]
LEAST_RELATED = (
    0.5  # of a column's variance explained by the others, for kinds that break relations
)
LEAST_ALTERED = 0.5  # of the rows that were meant to be hit


def corrupt(
    table: pd.DataFrame,
    kind: str,
    problem: Problem,
    rng: np.random.Generator,
    *,
    share: float,
    related: Mapping[str, float],
) -> pd.DataFrame | None:
    """A window with one column broken on a share of its rows; None where no column can be."""
    if kind == "one record repeated":
        hit = rng.random(len(table)) < share
        if share == 1:
            hit[:] = rng.random(len(table)) < 0.6  # a whole window of one record has no other rows
        picked = np.where(hit, rng.integers(len(table)), np.arange(len(table)))
        return table.iloc[picked].reset_index(drop=True)
    names = list(rng.permutation(list(problem.columns)))
    if kind in NEED_RELATION:
        names = [name for name in names if related.get(name, 0.0) >= LEAST_RELATED]
    for name in names:
        is_category = problem.columns[name].kind == "category"
        if is_category != (kind in CATEGORY_KINDS) and kind not in ANY_KINDS:
            continue
        broken = _apply(kind, table, name, problem, rng)
        if broken is None:
            continue
        hit = np.ones(len(table), dtype=bool) if share == 1 else rng.random(len(table)) < share
        made = table.copy()
        for column, values in broken.items():
            made[column] = values.where(hit, table[column])
        if _is_altered(table[name], made[name], hit):
            return made
    return None


def _apply(
    kind: str, table: pd.DataFrame, name: str, problem: Problem, rng: np.random.Generator
) -> dict[str, pd.Series] | None:
    if kind in ("swapped columns", "copied from another column"):
        numbers = [n for n, c in problem.columns.items() if c.kind != "category" and n != name]
        if not numbers:
            return None
        other = str(rng.choice(numbers))
        if kind == "copied from another column":
            return {name: table[other]}
        return {name: table[other], other: table[name]}
    values = KINDS[kind](table, name, rng)
    return None if values is None else {name: values}


def _is_altered(before: pd.Series, after: pd.Series, hit: np.ndarray) -> bool:
    is_same = (before == after) | (before.isna() & after.isna())
    return bool((~is_same)[hit].mean() >= LEAST_ALTERED)


def _scaled(factor: float) -> Kind:
    def scale(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
        del rng
        x = table[name]
        return x * factor if x.std() > 0.01 * abs(x.mean()) else None

    return scale


def _mapped(change: Callable[[pd.Series], pd.Series], least: float = -np.inf) -> Kind:
    def apply(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
        del rng
        return change(table[name]) if table[name].min() >= least else None

    return apply


def _exponential(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    del rng
    x = table[name]
    return np.exp(x) if x.max() < 30 and x.std() > 0.2 else None


def _one_value(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    present = table[name].dropna()
    if present.nunique() < 2 or present.value_counts(normalize=True).iloc[0] > 0.8:
        return None
    return pd.Series(present.iloc[rng.integers(len(present))], index=table.index)


def _coded(code: float) -> Kind:
    def apply(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
        del rng
        return pd.Series(float(code), index=table.index) if (table[name] != code).all() else None

    return apply


def _missing(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    del rng
    empty = None if table[name].dtype == object else np.nan
    return pd.Series([empty] * len(table), index=table.index, dtype=table[name].dtype)


def _rounded(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    del rng
    x = table[name]
    if x.nunique() < 20 or not x.std() > 0:
        return None
    step = 10.0 ** np.floor(np.log10(x.std()))
    return (x / step).round() * step


def _shuffled(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    return pd.Series(rng.permutation(table[name].to_numpy()), index=table.index)


def _next_row(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    del rng
    return pd.Series(np.roll(table[name].to_numpy(), -1), index=table.index)


def _mirrored(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    """The marginal distribution stays, and every correlation changes its sign."""
    del rng
    present = table[name].dropna()
    order = present.rank(method="first").to_numpy().astype(int) - 1
    ordered = np.sort(present.to_numpy())[::-1]
    return pd.Series(ordered[order], index=present.index).reindex(table.index)


def _clipped(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    """At the lowest or highest third, where that many rows are altered."""
    x = table[name]
    low, high = x.quantile([0.4, 0.6])
    return x.clip(upper=low) if rng.random() < 0.5 else x.clip(lower=high)


def _offset(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    return table[name] + rng.choice([-2, 2]) * table[name].std()


def _noisy(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    return table[name] + rng.normal(0, 2 * table[name].std(), len(table))


def _levels(table: pd.DataFrame, name: str, least: float = 0.05) -> list[str]:
    shares = table[name].value_counts(normalize=True)
    return sorted(map(str, shares.index[shares >= least]))


def _exchanged(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    levels = _levels(table, name)
    moved = list(rng.permutation(levels))
    return (
        None
        if len(levels) < 2 or moved == levels
        else table[name].replace(dict(zip(levels, moved, strict=True)))
    )


def _moved_on(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    del rng
    levels = _levels(table, name, least=0.0)
    if len(levels) < 3:
        return None
    return table[name].replace(dict(zip(levels, [*levels[1:], levels[0]], strict=True)))


def _collapsed(table: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.Series | None:
    """Every category becomes one."""
    levels = _levels(table, name, least=0.1)
    if len(levels) < 2:
        return None
    return pd.Series(str(rng.choice(levels)), index=table.index, dtype=object)


KINDS: dict[str, Kind] = {
    "times 10": _scaled(10),
    "times 100": _scaled(100),
    "times 1000": _scaled(1000),
    "divided by 1000": _scaled(1e-3),
    "pounds for kilograms": _scaled(2.20462),
    "divided by 18": _mapped(lambda x: (x / 18).round(1) if x.std() > 5 else x / 18),
    "times 1.42": _scaled(1.42),
    "square mm for square µm": _scaled(1e-6),
    "fahrenheit": _mapped(lambda x: 1.8 * x + 32),
    "logarithms": _mapped(np.log, least=1e-6),
    "powers of e": _exponential,
    "other sign": _mapped(lambda x: -x, least=0),
    "stuck": _one_value,
    "swapped columns": _one_value,
    "copied from another column": _one_value,
    "code -999": _coded(-999),
    "code 0": _coded(0),
    "code 9999": _coded(9999),
    "gone missing": _missing,
    "rounded": _rounded,
    "one record repeated": _one_value,
    "clipped": _clipped,
    "noise": _noisy,
    "shuffled": _shuffled,
    "one row up": _next_row,
    "correlations mirrored": _mirrored,
    "offset": _offset,
    "categories exchanged": _exchanged,
    "categories moved on": _moved_on,
    "categories collapsed": _collapsed,
}
NEED_RELATION = {"shuffled", "one row up", "correlations mirrored", "offset"}
CATEGORY_KINDS = {"categories exchanged", "categories moved on", "categories collapsed"}
ANY_KINDS = {"stuck", "gone missing"}
