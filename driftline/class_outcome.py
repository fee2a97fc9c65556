"""Training for classes: probabilities, and the decision threshold that makes them a class."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.answers import Build, Fold, answered_rows, answers_of
from driftline.candidates import CALIBRATION_FOLDS, CANDIDATES, Candidate
from driftline.contract import Contract
from driftline.design import EVEN, Design
from driftline.evaluation import CrossValidated, cross_predict, cross_validate
from driftline.figures import draw_figures
from driftline.metrics import Scored, score_rows
from driftline.problem import Problem
from driftline.recalls import confusion_by_name, recall_by_class, shares_off_by, tell_unfound
from driftline.scored import ScoredRows
from driftline.subgroups import SubgroupResult, check_subgroups
from driftline.thresholds import choose_threshold, settle_threshold

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Matrix = NDArray[np.float32]


def log_loss_of(
    build: Build,
    X: Matrix,  # noqa: N803
    y: Ints,
    splits: Sequence[Sequence[Fold]],
    design: Design = EVEN,
) -> float:
    """Mean log loss out of fold: a proper score, which no lucky threshold can win."""
    rows = answered_rows(splits[0])
    probabilities = cross_predict(build, X, y, splits, design)[0]
    truth = np.clip(probabilities[rows, y[rows]], 1e-6, 1)
    return float(np.average(-np.log(truth), weights=design.take(rows).weights))


@dataclass(frozen=True)
class ClassOutcome:
    """`driftline.outcome.Outcome` of a problem with classes."""

    problem: Problem

    @property
    def searched_by(self) -> str:
        """What a search lowers, in words."""
        return "log loss"

    @property
    def positive(self) -> int | None:
        """The class that a threshold decides for, of two."""
        return self.problem.positive_indices[0] if self.problem.is_binary else None

    @property
    def candidates(self) -> Mapping[str, Candidate]:
        """The classifiers, from the simplest to the most complex."""
        return CANDIDATES

    def search_loss(
        self,
        build: Build,
        X: Matrix,  # noqa: N803
        y: Ints,
        splits: Sequence[Sequence[Fold]],
        design: Design = EVEN,
    ) -> float:
        """Mean log loss out of fold."""
        return log_loss_of(build, X, y, splits, design)

    def cross_validate(
        self,
        build: Build,
        X: Matrix,  # noqa: N803
        y: Ints,
        splits: Sequence[Sequence[Fold]],
        design: Design = EVEN,
    ) -> CrossValidated:
        """Every fold scored at a threshold that was chosen on the other folds."""
        return cross_validate(
            build,
            X,
            y,
            splits=splits,
            goal=self.problem.goal,
            positive=self.positive,
            costs=self.problem.costs,
            design=design,
        )

    def set_rule(
        self, answers: Sequence[Floats], y: Ints, weights: Floats | None = None
    ) -> float | None:
        """The threshold by all out-of-fold answers; None without two classes."""
        repeats = len(answers)
        return choose_threshold(
            np.tile(y, repeats),
            np.concatenate(answers),
            self.problem.goal,
            positive=self.positive,
            copies=repeats,
            weights=None if weights is None else np.tile(weights, repeats),
        )

    def settle_rule(self, rule: float | None, answers: Floats) -> float | None:
        """The threshold off every answer, so that float32 decides alike."""
        return None if rule is None else settle_threshold(rule, answers[:, self.positive])

    def answer(self, model: Any, X: Matrix) -> Floats:  # noqa: N803
        """Probabilities, shape (rows, classes)."""
        return answers_of(model, X)

    def score(
        self, answers: Floats, y: Ints, rule: float | None, weights: Floats | None = None
    ) -> Scored:
        """Probabilities with the decisions at a threshold."""
        return score_rows(
            answers,
            y,
            positive=self.positive,
            threshold=rule,
            costs=self.problem.costs,
            weights=weights,
        )

    @property
    def uncalibrated(self) -> str:
        """Why a model is as it was fitted, in words."""
        return "as fitted; calibration does not help"

    def can_calibrate(self, parts: Iterable[Ints]) -> bool:
        """Whether each part has rows enough of every class."""
        smallest = min(np.unique(y, return_counts=True)[1].min() for y in parts)
        return bool(smallest >= CALIBRATION_FOLDS)

    def seal(self, contract: Contract, rule: float | None) -> Contract:
        """The contract that decides at this threshold."""
        return replace(contract, threshold=rule)

    @property
    def scoring(self) -> str:
        """The log loss, whose sign scikit-learn turns."""
        return "neg_log_loss"

    @property
    def answers_by(self) -> str:
        """The method of a fitted classifier that answers."""
        return "predict_proba"

    def check_parts(self, table: pd.DataFrame, test: ScoredRows) -> list[SubgroupResult]:
        """Every declared part against the bounds of the whole."""
        return check_subgroups(self.problem, table, cast("Scored", test))

    def draw(self, test: ScoredRows) -> "dict[str, Figure]":
        """Confusion matrix, ROC, precision-recall and calibration."""
        return draw_figures(cast("Scored", test), self.problem.classes)

    def report(self, test: ScoredRows) -> dict[str, str]:
        """Precision, recall and F1 of each class."""
        from sklearn.metrics import classification_report

        text: str = classification_report(
            test.y,
            cast("Scored", test).predicted,
            labels=range(len(self.problem.classes)),
            target_names=list(self.problem.classes),
            zero_division=0,
        )
        return {"classification_report.txt": text}

    def summarise(self, test: ScoredRows) -> dict[str, Any]:
        """How many rows of each class are found, and what the others were answered."""
        scored, classes = cast("Scored", test), self.problem.classes
        told: dict[str, Any] = {
            "classes": [asdict(one) for one in recall_by_class(scored, classes)],
            "confusion": confusion_by_name(scored, classes),
        }
        if self.problem.has_ordered_classes:
            told["off_by"] = shares_off_by(scored, len(classes))
        if unfound := tell_unfound(scored, classes):
            told["unfound"] = unfound
        return told

    def describe_rule(self, rule: float | None) -> dict[str, float | None]:
        """The threshold."""
        return {"threshold": rule}
