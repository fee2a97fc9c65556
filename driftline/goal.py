"""What a problem's models aim for, which bounds they keep, and how they are compared."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from driftline.deciding import Costs
from driftline.declared import Strict, Text
from driftline.losses import NUMBER_LOSSES
from driftline.measured import HIGHER_IS_BETTER, NUMBER_METRICS
from driftline.metrics import COST, DECISION_METRICS, LOWER_IS_BETTER, METRICS

KNOWN_METRICS: Final = (*METRICS, *NUMBER_METRICS)
LOW_METRICS: Final = (
    *sorted(LOWER_IS_BETTER),
    *(name for name in NUMBER_METRICS if name not in HIGHER_IS_BETTER),
)


class Goal(Strict):
    """What the decision threshold and the choice among candidates aim for.

    One of `maximise` and `minimise` names the metric. A metric whose lowest value is the best is
    aimed for either way; one whose highest is, by `maximise` alone.
    """

    maximise: str = ""
    minimise: str = ""
    subject_to: dict[str, float] = Field(default_factory=dict)
    confidence: float = Field(default=0.9, gt=0.5, lt=1)
    miss_costs: dict[Text, float] = Field(default_factory=dict)
    cost_matrix: dict[Text, dict[Text, float]] = Field(default_factory=dict)  # truth by answer

    @model_validator(mode="after")
    def _known_metrics(self) -> Self:
        if bool(self.maximise) == bool(self.minimise):
            message = f"got {'both' if self.maximise else 'none'}, wanted maximise or minimise"
            raise ValueError(message)
        key = "maximise" if self.maximise else "minimise"
        wanted = KNOWN_METRICS if self.maximise else LOW_METRICS
        if self.metric not in wanted:
            message = f"{key}: got {self.metric!r}, wanted one of {', '.join(wanted)}"
            raise ValueError(message)
        _check_floors(self.subject_to)
        for name, cost in self.miss_costs.items():
            if not 0 < cost < math.inf:
                message = f"miss_costs.{name}: got {cost:g}, wanted more than 0"
                raise ValueError(message)
        for truth, answers in self.cost_matrix.items():
            _check_answers(truth, answers)
        return self

    @property
    def metric(self) -> str:
        """What is aimed for."""
        return self.maximise or self.minimise

    @property
    def is_low_best(self) -> bool:
        """Whether the lowest value of the metric is the best."""
        return self.metric in LOW_METRICS

    def costs(self, classes: Sequence[str]) -> Costs:
        """Of missing each class, or of each answer, the highest being 1; none of equal ones."""
        if self.cost_matrix:
            rows = [
                [self.cost_matrix[truth].get(name, 0.0) for name in classes] for truth in classes
            ]
            highest = max(map(max, rows))
            return tuple(tuple(cost / highest for cost in row) for row in rows)
        if not self.miss_costs:
            return ()
        highest = max(self.miss_costs.values())
        return tuple(self.miss_costs[name] / highest for name in classes)


def _check_answers(truth: str, answers: Mapping[str, float]) -> None:
    for name, cost in answers.items():
        if not 0 <= cost < math.inf:
            message = f"cost_matrix.{truth}.{name}: got {cost:g}, wanted 0 or more"
            raise ValueError(message)
    if not any(answers.values()):
        message = f"cost_matrix.{truth}: got no cost, wanted one above 0"
        raise ValueError(message)


def _check_floors(floors: Mapping[str, float]) -> None:
    for name, floor in floors.items():
        if name not in DECISION_METRICS:
            wanted = ", ".join(DECISION_METRICS)
            message = f"subject_to: got {name!r}, wanted one of {wanted}"
            raise ValueError(message)
        if not 0 < floor < 1:
            message = f"subject_to.{name}: got {floor:g}, wanted a share between 0 and 1"
            raise ValueError(message)


def _figures_of(metrics: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        name
        for metric in metrics
        for name in (
            f"test_{metric}",
            f"cv_{metric}_mean",
            f"cv_{metric}_std",
            f"cv_{metric}_excess_std",
        )
    )


GATE_METRICS = _figures_of(KNOWN_METRICS)
_AT_MOST_ONE: Final = frozenset(_figures_of((*METRICS, "r2", "interval_coverage")))


class Gate(Strict):
    """A bound that a model has to keep before anyone may be served by it."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in GATE_METRICS:
            message = (
                f"got {metric!r}, wanted test_<m>, cv_<m>_mean, cv_<m>_std or cv_<m>_excess_std "
                f"with <m> one of {', '.join(KNOWN_METRICS)}"
            )
            raise ValueError(message)
        return metric

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            message = f"{self.metric}: wanted exactly one of at_least and at_most"
            raise ValueError(message)
        if self.at_least is not None and self.at_least > 1 and self.metric in _AT_MOST_ONE:
            message = (
                f"{self.metric}: at_least: got {self.at_least:g}, wanted at most 1: it is no "
                "percentage"
            )
            raise ValueError(message)
        return self


ROW_LOSSES: Final = ("brier", "log_loss", "error", COST, *NUMBER_LOSSES)
_COMPARED_AS = {  # what tells the same, or tells it properly
    "accuracy": "error",
    "ece": "brier",
    "rmse": "squared_error",
    "r2": "squared_error",
    **{name: "absolute_error" for name in NUMBER_METRICS if name not in {"rmse", "r2"}},
}
ComparisonMetric = Literal[
    "brier",
    "log_loss",
    "error",
    "cost",
    "accuracy",
    "roc_auc",
    "pr_auc",
    "f1",
    "recall",
    "precision",
    "specificity",
    "balanced_accuracy",
    "lowest_recall",
    "net_benefit",
    "absolute_error",
    "squared_error",
]


class Comparison(Strict):
    """How a challenger has to beat the champion on rows that neither was trained on.

    Without a metric it is the goal's, with the goal's conditions (see `Problem.judged_by`).
    `margin` is in the metric's units; without one it is a tenth of the champion's own skill.
    An equal challenger passes by luck in 1 - `confidence` of cases: 4 %, so that a thousand trials
    show at most 5 %.
    """

    metric: ComparisonMetric | None = None
    subject_to: dict[str, float] = Field(default_factory=dict)
    confidence: float = Field(default=0.96, gt=0.5, lt=1)
    margin: float | None = Field(default=None, ge=0)
    min_rows: int = Field(default=30, ge=2)

    @model_validator(mode="after")
    def _conditions_fit(self) -> Self:
        if self.subject_to and self.metric not in DECISION_METRICS:
            wanted = ", ".join(DECISION_METRICS)
            got = "no metric" if self.metric is None else repr(self.metric)
            message = f"subject_to: got it with {got}, wanted metric one of {wanted}"
            raise ValueError(message)
        _check_floors(self.subject_to)
        return self


def settle_comparison(comparison: Comparison, goal: Goal) -> Comparison:
    """The comparison with its metric: the goal's own where it names none.

    Accuracy is compared as error. Calibration error as Brier score: the former is no proper
    score, and an answer that is always the base rate would win by it. The goal's conditions
    hold wherever decisions are compared, unless the comparison has its own.
    """
    metric = comparison.metric or _COMPARED_AS.get(goal.metric, goal.metric)
    floors = comparison.subject_to
    if metric == "error" and goal.subject_to and comparison.metric is None:
        metric = "accuracy"
    if metric in DECISION_METRICS and not floors:
        floors = goal.subject_to
    return comparison.model_copy(update={"metric": metric, "subject_to": dict(floors)})


def bare_metric(gate_metric: str) -> str:
    """The metric that a gate's figure is of: `recall` of `cv_recall_excess_std`."""
    return re.sub(r"^(test|cv)_|(_excess)?(_std|_mean)$", "", gate_metric)


class RiskBands(Strict):
    """Risk above which a record counts as medium, and as high; or the number predicted."""

    medium: float = 0.3
    high: float = 0.7

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.medium < self.high:
            message = f"got medium {self.medium:g} and high {self.high:g}, wanted medium below high"
            raise ValueError(message)
        return self


class Intervals(Strict):
    """With which chance the interval around a predicted number holds the truth."""

    coverage: float = Field(default=0.9, ge=0.5, lt=1)
