"""Which column of a table may say how much each row counts, by its name and its numbers.

A name that surveys alone use, with a positive number in every row, is enough. `weight` alone is
more often a body's: such a column stays an input, and is proposed in a comment where its numbers
look like sampling weights.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from driftline.cells import cells_of
from driftline.inference import Guess
from driftline.spelling import read_number, spell, tidy
from driftline.target_guesses import as_comment, as_yaml

LEAST_WEIGHTS: Final = 5  # different ones
NEAR_ONE: Final = 0.05  # how far the mean of weights may be from 1 that are scaled to it
MANY_PEOPLE: Final = 1000  # for whom a row may stand, and which no body weighs

_SURE: Final = re.compile(
    r"(sampl\w*|survey|design|respondent|household|hh|post_?strat\w*|analy\w+)"
    r"[_ .-]?(weights?|wts?|wgts?)"
    r"|[pfsh]_?(weight|wgt)|fnlwgt|(per|hh|asec|earn)wt|wtfinl|_?(llcpwt|finalwt)\d*"
    r"|wt(mec|int|saf|dr|ph|sa|sb|sc)\w*(yr|pp|prp|d1|d2)",
    re.IGNORECASE,
)
_PERHAPS: Final = re.compile(
    r"((final|person)[_ .-]?)?(weights?|wts?|wgts?)",  # the last may be of a body, too
    re.IGNORECASE,
)


@dataclass(frozen=True)
class WeightGuesses:
    """The column taken for the weight, and those that may be one, each with its evidence."""

    taken: str | None
    proposed: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        """The part of a problem file on what each row counts."""
        told = [
            f"# perhaps {as_comment(name)} says how much each row counts ({as_comment(why)}); "
            f"if so: move it to `ignored`, and weight: {as_yaml(name)}"
            for name, why in self.proposed
        ]
        if self.taken is not None:
            told.append("# each row counts as often as this column says, in fitting and in figures")
            told.append(f"weight: {as_yaml(self.taken)}")
        return ["", *told] if told else []


NO_WEIGHTS: Final = WeightGuesses(None, ())


def find_weights(columns: Sequence[Guess], rows: pd.DataFrame) -> tuple[list[Guess], WeightGuesses]:
    """The guesses, of which no model sees what surveys call a weight, and which may be enabled."""
    cells = {tidy(str(name)): rows.iloc[:, place] for place, name in enumerate(rows.columns)}
    sure: dict[str, str | None] = {}
    proposed: list[tuple[str, str]] = []
    for guess in columns:
        if guess.kind in {"constant", "empty"}:
            continue
        if _SURE.fullmatch(guess.name):
            sure[guess.name] = _find_fault(cells_of(cells[guess.name]))
        elif _PERHAPS.fullmatch(guess.name):
            why = _look_sampled(cells_of(cells[guess.name]))
            proposed += [(guess.name, why)] if why is not None else []
    usable = [name for name, fault in sure.items() if fault is None]
    taken = usable[0] if len(usable) == 1 else None
    proposed += [(name, "several columns are named so") for name in usable if taken is None]
    proposed += [(name, fault) for name, fault in sure.items() if fault is not None]
    found = [_as_weight(guess) if guess.name in sure else guess for guess in columns]
    return found, WeightGuesses(taken, tuple(proposed))


def _as_weight(guess: Guess) -> Guess:
    told = f"named as a survey's weight, not as something about a row; {guess.evidence}"
    return replace(guess, kind="weight", role="ignored", evidence=told, keys={})


def _find_fault(cells: Sequence[Any]) -> str | None:
    numbers = _numbers(cells)
    lacking = int((~(np.isfinite(numbers) & (numbers > 0))).sum())
    if lacking:
        return f"{lacking} rows have no positive number there, which have to be left out first"
    few = len(np.unique(numbers)) < LEAST_WEIGHTS
    return "its values are few, as those of a class are" if few else None


def _look_sampled(cells: Sequence[Any]) -> str | None:
    """What speaks for sampling weights in numbers that may as well be those of bodies."""
    numbers = _numbers(cells)
    if _find_fault(cells) is not None or np.all(numbers == np.floor(numbers)):
        return None
    mean, middle = float(numbers.mean()), float(np.median(numbers))
    if abs(mean - 1) <= NEAR_ONE:
        return f"positive numbers whose mean is {mean:.3g}"
    return f"positive numbers, half of them above {middle:.6g}" if middle > MANY_PEOPLE else None


def _numbers(cells: Sequence[Any]) -> np.ndarray:
    read = [None if cell is None else read_number(spell(cell)) for cell in cells]
    return np.array([np.nan if number is None else number for number in read], dtype=np.float64)
