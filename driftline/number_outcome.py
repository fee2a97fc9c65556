"""Training for a number: answers in the target's unit, and how far their intervals reach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.answers import Build, Fold, answered_rows, answers_of, cross_answer
from driftline.candidates import Candidate
from driftline.contract import Contract
from driftline.dataset import number_of
from driftline.design import EVEN, Design
from driftline.evaluation import CrossValidated
from driftline.intervals import conformal_reach
from driftline.losses import LossName, row_losses
from driftline.measured import NUMBER_METRICS, Measured
from driftline.metrics import compute_metrics
from driftline.number_report import describe_errors, draw_numbers, measure_coverage
from driftline.number_subgroups import check_number_subgroups
from driftline.numbers import NumberSpec
from driftline.problem import Problem
from driftline.regressors import REGRESSORS
from driftline.scored import ScoredRows
from driftline.subgroups import SubgroupResult
from driftline.target import NumberTarget

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class NumberOutcome:
    """`driftline.outcome.Outcome` of a problem that predicts a number."""

    problem: Problem
    target: NumberTarget

    @property
    def loss(self) -> LossName:
        """What the goal asks to lower, as a loss per row."""
        return cast("LossName", self.problem.judged_by.metric)

    @property
    def spec(self) -> NumberSpec:
        """The number's range, and the coverage of its intervals."""
        return number_of(self.problem, self.target)

    @property
    def searched_by(self) -> str:
        """What a search lowers, in words."""
        return self.loss.replace("_", " ")

    @property
    def candidates(self) -> Mapping[str, Candidate]:
        """The regressors, from the simplest to the most complex."""
        return REGRESSORS

    def search_loss(
        self,
        build: Build,
        X: Matrix,  # noqa: N803
        y: Floats,
        splits: Sequence[Sequence[Fold]],
        design: Design = EVEN,
    ) -> float:
        """Mean loss out of fold."""
        rows = answered_rows(splits[0])
        (answers,) = self._out_of_fold(build, X, y, splits[:1], design)
        losses = row_losses(answers[rows], y[rows], self.loss)
        return float(np.average(losses, weights=design.take(rows).weights))

    def cross_validate(
        self,
        build: Build,
        X: Matrix,  # noqa: N803
        y: Floats,
        splits: Sequence[Sequence[Fold]],
        design: Design = EVEN,
    ) -> CrossValidated:
        """Every fold scored with intervals that reach as the errors on the other folds ask."""
        answered = self._out_of_fold(build, X, y, splits, design)
        rows: list[dict[str, float]] = []
        reaches: list[float] = []
        for answers, repeat in zip(answered, splits, strict=True):
            errors = y - answers[:, 0]
            for others, fold in repeat:
                known, scored = design.take(others).weights, design.take(fold).weights
                reach = conformal_reach(errors[others], self.spec.coverage, weights=known)
                rows.append(compute_metrics(self.score(answers[fold], y[fold], reach, scored)))
                reaches.append(reach)
        per_fold = {name: np.array([row[name] for row in rows]) for name in NUMBER_METRICS}
        return CrossValidated(tuple(answered), per_fold, np.array(reaches), {})

    def set_rule(
        self, answers: Sequence[Floats], y: Floats, weights: Floats | None = None
    ) -> float | None:
        """The reach by all errors out of fold."""
        errors = np.concatenate([y - each[:, 0] for each in answers])
        copies = len(answers)
        tiled = None if weights is None else np.tile(weights, copies)
        return conformal_reach(errors, self.spec.coverage, copies=copies, weights=tiled)

    def settle_rule(self, rule: float | None, answers: Floats) -> float | None:
        """The reach as it is: serving's rounding turns no answer."""
        del answers
        return rule

    def answer(self, model: Any, X: Matrix) -> Floats:  # noqa: N803
        """Numbers within the target's range, shape (rows, 1)."""
        return self.spec.bound(answers_of(model, X))

    def score(
        self, answers: Floats, y: Floats, rule: float | None, weights: Floats | None = None
    ) -> Measured:
        """Numbers with intervals that reach so far."""
        return Measured(y, answers, self.spec.reaching(rule or 0.0), weights)

    @property
    def uncalibrated(self) -> str:
        """Why a model is as it was fitted, in words."""
        return "as fitted; a number has no probabilities to calibrate"

    def can_calibrate(self, parts: Iterable[Floats]) -> bool:
        """Never: there are no probabilities."""
        del parts
        return False

    def seal(self, contract: Contract, rule: float | None) -> Contract:
        """The contract whose intervals reach so far."""
        return replace(contract, number=self.spec.reaching(rule or 0.0))

    @property
    def scoring(self) -> str:
        """The mean absolute error, whose sign scikit-learn turns."""
        return "neg_mean_absolute_error"

    @property
    def answers_by(self) -> str:
        """The method of a fitted regressor that answers."""
        return "predict"

    def check_parts(self, table: pd.DataFrame, test: ScoredRows) -> list[SubgroupResult]:
        """The error and the bias of every declared part against their bounds."""
        return check_number_subgroups(self.problem, table, cast("Measured", test))

    def draw(self, test: ScoredRows) -> "dict[str, Figure]":
        """Truth and errors against the answers."""
        return draw_numbers(cast("Measured", test), self.target.unit)

    def report(self, test: ScoredRows) -> dict[str, str]:
        """How the errors spread."""
        return {"error_report.txt": describe_errors(cast("Measured", test))}

    def summarise(self, test: ScoredRows) -> dict[str, Any]:
        """How often the intervals held the truth of test rows."""
        return {"prediction_intervals": asdict(measure_coverage(cast("Measured", test)))}

    def describe_rule(self, rule: float | None) -> dict[str, float | None]:
        """The reach of the intervals."""
        return {"interval_reach": rule}

    def _out_of_fold(
        self,
        build: Build,
        X: Matrix,  # noqa: N803
        y: Floats,
        splits: Sequence[Sequence[Fold]],
        design: Design = EVEN,
    ) -> list[Floats]:
        return [
            self.spec.bound(each)
            for each in cross_answer(build, X, y, splits, width=1, design=design)
        ]
