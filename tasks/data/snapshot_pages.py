"""The page of a snapshot: what each column holds, beside what the champion has learnt from."""

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd

from driftline.columns import Column
from driftline.dates import spell_date
from driftline.problem import NumberTarget, Problem
from driftline.quarantine import Columns
from tasks.data.pictures import draw_bars, write_page
from tasks.decorators import work

COLUMNS = ("column", "kind", "missing", "middle, and from 5 % to 95 %", "picture")
BARS = 24
MOST_LEVELS = 12


@work(name="draw profile")
def draw_profile(
    table: Columns, problem: Problem, *, origin: str, before: Columns | None = None
) -> bytes:
    """A row per column and one for the target; red lines say what was `before`."""
    title = f"{problem.name}: {len(table)} rows"
    beside = "There is no champion yet to compare with."
    if before is not None:
        beside = f"Red lines, and figures in brackets: the {len(before)} rows the champion knows."
    specs = {name: problem.columns[name] for name in problem.columns}
    lines = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{html.escape(problem.title)}. From {html.escape(origin)}. {beside}</p>",
        f"<table><tr>{''.join(f'<th>{name}</th>' for name in COLUMNS)}</tr>",
        _target_row(table, problem, before),
        *(_row(name, spec, table, before) for name, spec in specs.items()),
        "</table>",
    ]
    return write_page(title, lines)


def _target_row(table: Columns, problem: Problem, before: Columns | None) -> str:
    name = problem.target.name
    then = None if before is None else before[name]
    if isinstance(problem.target, NumberTarget):
        unit = problem.target.unit
        return _number_row(
            name, "to predict" if unit is None else f"to predict, {unit}", table, before
        )
    picture = _draw_levels(table[name], then, list(problem.classes))
    return _as_row((name, "to predict", _missing(table[name], then), "", picture))


def _number_row(name: str, kind: str, table: Columns, before: Columns | None) -> str:
    now, then = table[name], None if before is None else before[name]
    spec = Column()
    middle = _middle(now, spec) if then is None else f"{_middle(now, spec)} ({_middle(then, spec)})"
    return _as_row((name, kind, _missing(now, then), middle, _draw_numbers(now, then, spec)))


def _row(name: str, spec: Column, table: Columns, before: Columns | None) -> str:
    now, then = table[name], None if before is None else before[name]
    kind = spec.kind if spec.unit is None else f"{spec.kind}, {spec.unit}"
    if spec.kind == "category":
        picture, middle = _draw_levels(now, then, list(spec.categories)), ""
    else:
        picture, middle = _draw_numbers(now, then, spec), _middle(now, spec)
        if then is not None:
            middle += f" ({_middle(then, spec)})"
    return _as_row((name, kind, _missing(now, then), middle, picture))


def _as_row(cells: Sequence[str]) -> str:
    *texts, picture = cells
    told = "".join(f"<td>{html.escape(text)}</td>" for text in texts)
    return f"<tr>{told}<td>{picture}</td></tr>"


def _missing(now: pd.Series, then: pd.Series | None) -> str:
    told = f"{now.isna().mean():.1%}"
    return told if then is None else f"{told} ({then.isna().mean():.1%})"


def _middle(values: pd.Series, spec: Column) -> str:
    known = values.dropna().to_numpy(dtype=float)
    if not len(known):
        return "no value"
    low, middle, high = (
        spell_date(float(end)) if spec.kind == "date" else f"{end:.4g}"
        for end in np.quantile(known, [0.05, 0.5, 0.95])
    )
    return f"{middle}, {low} to {high}"


def _draw_levels(now: pd.Series, then: pd.Series | None, levels: list[str]) -> str:
    """The most frequent levels, in their own order."""
    shares = now.value_counts(normalize=True)
    most = set(shares.index[:MOST_LEVELS])
    shown = [level for level in levels if level in most]
    heights = [float(shares[level]) for level in shown]
    told = [f"{level}: {height:.1%}" for level, height in zip(shown, heights, strict=True)]
    if then is None:
        return draw_bars(heights, told)
    earlier = then.value_counts(normalize=True)
    return draw_bars(heights, told, [float(earlier.get(level, 0.0)) for level in shown])


def _draw_numbers(now: pd.Series, then: pd.Series | None, spec: Column) -> str:
    known = now.dropna().to_numpy(dtype=float)
    if not len(known):
        return ""
    edges = np.histogram_bin_edges(known, bins=BARS)
    names = [spell_date(float(e)) if spec.kind == "date" else f"{e:.4g}" for e in edges]
    heights = np.histogram(known, edges)[0] / len(known)
    told = [f"{names[i]} to {names[i + 1]}: {share:.1%}" for i, share in enumerate(heights)]
    if then is None or then.isna().all():
        return draw_bars(heights.tolist(), told)
    earlier = then.dropna().to_numpy(dtype=float)
    return draw_bars(
        heights.tolist(), told, (np.histogram(earlier, edges)[0] / len(earlier)).tolist()
    )
