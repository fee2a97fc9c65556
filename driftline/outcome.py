"""The seam between predicting a class and predicting a number, as training meets it.

All else of a training is one code. An answer is a row of figures: a probability for each class, or
one number. `ScoredRows` are answers with their truth, which metrics, comparisons and pictures read;
the rule is what makes an answer of figures: a decision threshold, or how far intervals reach.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.answers import Build, Fold
from driftline.candidates import Candidate
from driftline.class_outcome import ClassOutcome
from driftline.contract import Contract
from driftline.design import EVEN, Design
from driftline.evaluation import CrossValidated
from driftline.number_outcome import NumberOutcome
from driftline.problem import Problem
from driftline.scored import ScoredRows
from driftline.subgroups import SubgroupResult
from driftline.target import NumberTarget

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]
Rule = float | None


class Outcome(Protocol):
    """What a training does in its own way for classes, and for a number."""

    @property
    def searched_by(self) -> str:
        """What a search lowers, in words."""

    @property
    def candidates(self) -> Mapping[str, Candidate]:
        """The kinds of model, from the simplest to the most complex."""

    def search_loss(
        self,
        build: Build,
        X: Matrix,  # noqa: N803
        y: NDArray[Any],
        splits: Sequence[Sequence[Fold]],
        design: Design = EVEN,
    ) -> float:
        """What a search lowers: a proper loss out of fold, of rows that count by their weights."""

    def cross_validate(
        self,
        build: Build,
        X: Matrix,  # noqa: N803
        y: NDArray[Any],
        splits: Sequence[Sequence[Fold]],
        design: Design = EVEN,
    ) -> CrossValidated:
        """Every fold scored by a rule that was set on the other folds."""

    def set_rule(
        self, answers: Sequence[Floats], y: NDArray[Any], weights: Floats | None = None
    ) -> Rule:
        """The rule by out-of-fold answers to all rows, one array per repeat."""

    def settle_rule(self, rule: Rule, answers: Floats) -> Rule:
        """The rule where serving's rounding cannot turn an answer."""

    def answer(self, model: Any, X: Matrix) -> Floats:  # noqa: N803
        """A fitted model's answers, shape (rows, figures)."""

    def score(
        self, answers: Floats, y: NDArray[Any], rule: Rule, weights: Floats | None = None
    ) -> ScoredRows:
        """Answers by a rule, with their truth."""

    @property
    def uncalibrated(self) -> str:
        """Why a model is as it was fitted, in words."""

    def can_calibrate(self, parts: Iterable[NDArray[Any]]) -> bool:
        """Whether there is something to calibrate, and rows enough in each part."""

    def seal(self, contract: Contract, rule: Rule) -> Contract:
        """The contract that serves by this rule."""

    @property
    def scoring(self) -> str:
        """scikit-learn's name of what the importance of a column is measured by."""

    @property
    def answers_by(self) -> str:
        """The method of a fitted model that answers."""

    def check_parts(self, table: pd.DataFrame, test: ScoredRows) -> list[SubgroupResult]:
        """Declared parts of the people against their bounds; `table` holds the test rows."""

    def draw(self, test: ScoredRows) -> "dict[str, Figure]":
        """Pictures of a model on its test rows, by file name without ending."""

    def report(self, test: ScoredRows) -> dict[str, str]:
        """Texts on a model's test rows, by file name."""

    def summarise(self, test: ScoredRows) -> dict[str, Any]:
        """The summary's sections that go beyond metrics."""

    def describe_rule(self, rule: Rule) -> dict[str, float | None]:
        """The rule by its name."""


def outcome_of(problem: Problem) -> Outcome:
    """How this problem's target is trained for."""
    target = problem.target
    if isinstance(target, NumberTarget):
        return NumberOutcome(problem, target)
    return ClassOutcome(problem)
