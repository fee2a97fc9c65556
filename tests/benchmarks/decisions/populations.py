"""Populations made of real tables, from which any number of people can be drawn.

A person is a real row; the outcome is drawn anew from the row's chance, which gradient boosting
tells from other rows. So true losses can be told without noise, and no row can be learnt by heart
however often it comes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.dataset import draft_contract, encode_rows
from driftline.evaluation import make_folds
from driftline.losses import LossName, row_losses
from driftline.probe import answer
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE
from tests.benchmarks.decisions.streams import RealTable

MOST_ROWS = 20_000
FOLDS = 3
SUREST = 0.995  # nobody's outcome is certain


@dataclass(frozen=True)
class People:
    """Rows without their outcome, as they come and encoded, and the chance of the second class."""

    rows: pd.DataFrame
    X: np.ndarray
    chance: np.ndarray

    def with_outcomes(self, problem: Problem, rng: np.random.Generator) -> pd.DataFrame:
        """The rows with an outcome drawn for each."""
        is_second = (rng.random(len(self.rows)) < self.chance).astype(int)
        outcomes = np.array(problem.classes, dtype=object)[is_second]
        return self.rows.assign(**{problem.target.name: outcomes})

    def expected_losses(self, answers: np.ndarray, metric: LossName) -> np.ndarray:
        """What each answer (rows, classes) costs in the mean over the outcomes."""
        by_class = [
            row_losses(answers, np.full(len(answers), k, dtype=np.int64), metric) for k in (0, 1)
        ]
        return (1 - self.chance) * by_class[0] + self.chance * by_class[1]


@dataclass(frozen=True)
class Population:
    """People to draw from, with repetition; `scores` are standardised values of each column."""

    name: str
    rows: int  # of the whole table
    problem: Problem
    people: People
    scores: dict[str, np.ndarray]
    elements: dict[str, slice]  # where each column lies in the encoded rows

    def draw(
        self, size: int, rng: np.random.Generator, weights: np.ndarray | None = None
    ) -> tuple[People, np.ndarray]:
        """So many people, each as likely as their weight, and their places."""
        p = None if weights is None else weights / weights.sum()
        places = rng.choice(len(self.people.chance), size, p=p)
        rows = self.people.rows.iloc[places].reset_index(drop=True)
        return People(rows, self.people.X[places], self.people.chance[places]), places

    @property
    def numbers(self) -> list[str]:
        """The number columns."""
        columns = self.problem.columns
        return [name for name, spec in columns.items() if spec.kind != "category"]


Draw = Callable[[int, float, np.random.Generator], People]  # size and strength of a change


def make_population(table: RealTable) -> Population:
    """The population of a table with two classes."""
    problem = _as_sent(table.problem)
    rows = table.rows
    if len(rows) > MOST_ROWS:
        rows = rows.sample(MOST_ROWS, random_state=0)
    rows = rows.reset_index(drop=True)
    is_second = (rows[problem.target.name] == problem.classes[1]).to_numpy().astype(np.int64)
    inputs = rows[list(problem.columns)]
    X = encode_rows(inputs, problem)  # noqa: N806
    chance = np.zeros(len(rows))
    for train, test in make_folds(is_second, folds=FOLDS, repeats=1, seed=0)[0]:
        fit = DEFAULT_RECIPE.fit
        told = answer(X[train], is_second[train], X[test], classes=2, fit=fit)
        chance[test] = np.clip(told[:, 1], 1 - SUREST, SUREST)
    scores = {name: _standard(inputs[name]) for name in problem.columns}
    people = People(inputs, X, chance)
    return Population(table.name, len(table.rows), problem, people, scores, _elements(problem))


def _elements(problem: Problem) -> dict[str, slice]:
    widths = {field.name: len(field.feature_names) for field in draft_contract(problem).fields}
    ends = np.cumsum(list(widths.values()))
    return {
        name: slice(int(end) - width, int(end))
        for (name, width), end in zip(widths.items(), ends, strict=True)
    }


def _as_sent(problem: Problem) -> Problem:
    """The problem without bounds on its values: what breaks them never comes past the door."""
    columns = {
        name: spec.model_copy(
            update={
                "range": None,
                "missing": "allow",
                "missing_codes": (),
                "kind": "number" if spec.kind == "integer" else spec.kind,
            }
        )
        for name, spec in problem.columns.items()
    }
    return problem.model_copy(update={"columns": columns})


def _standard(values: pd.Series) -> np.ndarray:
    """In deviations; a category by the place of its level, a missing value in the middle."""
    if values.dtype == object:
        values = values.astype("category").cat.codes.astype(float)
    filled = values.fillna(values.mean())
    return ((filled - filled.mean()) / (filled.std() or 1.0)).to_numpy()
