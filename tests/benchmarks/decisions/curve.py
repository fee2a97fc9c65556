"""What answers to harm cost in false alarms, as the level of evidence varies.

    python -m tests.benchmarks.decisions.curve LIVES.json [LIVES.json ...]

Reads the lives that `tests.benchmarks.decisions.scenarios --json` wrote, of one run or of several,
and makes nothing anew. The best test looks once, after the windows in which harm is to be answered,
and knows the model that a renewal will make; it errs with the chance that stands in the first
column. Ours may be looked at for ever, and its share of harmless windows is counted.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from tests.benchmarks.decisions.tally import (
    POLICY,
    Life,
    Share,
    false_shares,
    harmful,
    share_of,
)

LEVELS = (0.0001, 0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 0.8)


def at_level(life: Life, level: float) -> Life:
    """The life where `false_retrains` is this level: the first look that it convinces is the last.

    Verdicts are `retrain` or `ok` alone.
    """
    verdicts: list[str] = []
    for least in life.levels:
        verdicts.append("retrain" if least <= level else "ok")
        if least <= level:
            break
    return replace(life, verdicts=tuple(verdicts))


def best_share(lives: Sequence[Life], level: float) -> Share:
    """How many harmful streams the best test is sure of that errs with this chance."""
    needed = float(norm.isf(level))
    return share_of(lives, lambda life: (life.sureness or 0.0) >= needed)


def curve_table(lives: Sequence[Life]) -> Table:
    """Answers in time against false alarms, by the size of windows and the level."""
    columns = ("harmless windows: retrained on", "harm answered in time", "best test, looking once")
    table = Table("rows", "level", *columns, title="trade-off, with labels")
    known = [life for life in lives if life.levels and not life.is_broken]
    for size in sorted({life.size for life in known}):
        for level in LEVELS:
            some = [at_level(life, level) for life in known if life.size == size]
            harmed = harmful(some)
            answered = share_of(harmed, lambda life: life.is_answered("retrain"))
            shares = (false_shares(some, "retrain"), answered, best_share(harmed, level))
            mark = " (policy)" if level == POLICY.false_retrains else ""
            table.add_row(str(size), f"{level:g}{mark}", *(share.text for share in shares))
        table.add_section()
    return table


def read_lives(path: Path) -> list[Life]:
    """The lives that a run wrote."""
    return [_read_life(document) for document in json.loads(path.read_text("utf-8"))]


def _read_life(document: Mapping[str, Any]) -> Life:
    values: dict[str, Any] = dict(document)
    values |= {key: tuple(values[key]) for key in ("harms", "verdicts", "levels")}
    return Life(**values)


def main() -> None:
    """Print the curve of the lives in the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lives", nargs="+", type=Path, help="what scenarios wrote with --json")
    options = parser.parse_args()
    lives = [life for path in options.lives for life in read_lives(path)]
    Console(width=150).print(curve_table(lives))


if __name__ == "__main__":
    main()
