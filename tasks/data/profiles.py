"""A page with a picture per column: what a table holds, and what each column was taken for."""

import html
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from driftline.cells import cells_of
from driftline.dates import read_bounds, read_date, spell_date
from driftline.inference import Guess
from driftline.onboarding import Onboarding
from driftline.spelling import read_number, spell_all, tidy
from driftline.target_guesses import AnyTargetGuess
from tasks.data.pictures import draw_bars, write_page

COLUMNS = ("column", "taken for", "why", "missing", "picture")
BARS = 24
MOST_LEVELS = 12


def render_profile(rows: pd.DataFrame, made: Onboarding, *, title: str) -> bytes:
    """The page, which needs nothing else."""
    names = [tidy(str(name)) for name in rows.columns]
    target = made.target
    lines = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{len(rows)} rows. {_told(target)}</p>",
        *(f"<p>{html.escape(remark)}.</p>" for remark in made.remarks),
        f"<table><tr>{''.join(f'<th>{name}</th>' for name in COLUMNS)}</tr>",
        *(_row(guess, cells_of(rows.iloc[:, names.index(guess.name)])) for guess in made.columns),
        "</table>",
    ]
    return write_page(title, lines)


def _told(target: AnyTargetGuess) -> str:
    return f"To predict: <b>{html.escape(target.name)}</b> ({html.escape(target.evidence)})."


def _row(guess: Guess, cells: Sequence[Any]) -> str:
    role = "" if guess.role == "input" else ' class="ignored"'
    kind = guess.kind if guess.role == "input" else f"{guess.kind}, left out"
    return (
        f"<tr{role}><td>{html.escape(guess.name)}</td><td>{kind}</td>"
        f"<td>{html.escape(guess.evidence)}</td><td>{guess.missing:.1%}</td>"
        f"<td>{_picture(guess, cells)}</td></tr>"
    )


def _picture(guess: Guess, cells: Sequence[Any]) -> str:
    """Bars of a column that is used; what is left out may be identifiers, and is not shown."""
    if guess.role != "input":
        return ""
    texts = [text for text in spell_all(cells) if text is not None]
    if guess.kind == "category":
        given, other = guess.keys["categories"], guess.keys.get("unseen")
        spelt = given if isinstance(given, dict) else dict.fromkeys(given, ())
        named = {text: one for one, others in spelt.items() for text in (one, *others)}
        levels = (named.get(text, other) for text in texts)
        counts = Counter(level for level in levels if level is not None)
        most = counts.most_common(MOST_LEVELS)
        return draw_bars([count for _, count in most], [f"{name}: {count}" for name, count in most])
    if guess.kind == "date":
        order = guess.keys.get("format", "iso")
        days = {text: read_date(text, order) for text in set(texts)}
        return _histogram([days[text] for text in texts], guess, spell_date)
    numbers = {text: read_number(text) for text in set(texts)}
    return _histogram([numbers[text] for text in texts], guess, "{:.4g}".format)


def _histogram(
    values: Sequence[float | None], guess: Guess, spell_edge: Callable[[float], str]
) -> str:
    ends = guess.keys["range"]
    low, high = read_bounds(*ends) if guess.kind == "date" else ends
    numbers = [value for value in values if value is not None]
    kept = [number for number in numbers if low <= number <= high]
    heights, edges = np.histogram(kept, bins=BARS)
    names = [spell_edge(float(edge)) for edge in edges]
    told = [f"{names[i]} to {names[i + 1]}: {n}" for i, n in enumerate(heights)]
    return draw_bars([int(n) for n in heights], told)
