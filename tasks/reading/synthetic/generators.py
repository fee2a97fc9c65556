"""The generators by the name that a problem file gives them under `source`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from driftline.errors import SourceError
from driftline.problem import SyntheticSource
from tasks.reading.synthetic import diabetes_risk, mental_health


@dataclass(frozen=True)
class Generator:
    """Makes rows of a number and a seed, alike each time; `rows` are as many as it likes."""

    generate: Callable[[int, int], pd.DataFrame]
    rows: int


GENERATORS: Final[Mapping[str, Generator]] = {
    "diabetes_risk": Generator(diabetes_risk.generate, diabetes_risk.ROWS),
    "mental_health": Generator(mental_health.generate, mental_health.ROWS),
}


def generate_rows(source: SyntheticSource) -> tuple[pd.DataFrame, str]:
    """The rows of a source that is made up, and its name, which says so."""
    generator = GENERATORS.get(source.name)
    if generator is None:
        known = ", ".join(GENERATORS)
        message = f"source.name: got {source.name!r}, wanted a generator: one of {known}"
        raise SourceError(message)
    rows = generator.rows if source.rows is None else source.rows
    table = generator.generate(rows, source.seed)
    return table, f"{rows} synthetic rows (generator {source.name}, seed {source.seed})"
