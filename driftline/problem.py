"""What a prediction problem is: the strict model of `data/problems/<name>.yaml`.

Owns the file as a whole; each section is declared in a module of its own and may be imported from
here. What keys have to agree on stands in `consistency`. Reads no file; `parse_problem` takes the
text.
"""

import re
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from driftline.alerts import Alerts
from driftline.candidates import USUAL
from driftline.columns import LARGEST, Column, find_as_of
from driftline.computed import FeatureSpec
from driftline.consistency import (
    check_candidates,
    check_costs,
    check_ignored,
    check_kinds,
    check_names,
    check_subgroups,
    check_title,
    settle_example,
)
from driftline.deciding import Costs
from driftline.declared import Strict, Text
from driftline.documents import parse_document
from driftline.drift_policy import DriftPolicy
from driftline.errors import ProblemError
from driftline.features import Feature, order_features
from driftline.goal import (
    ROW_LOSSES,
    Comparison,
    Gate,
    Goal,
    Intervals,
    RiskBands,
    settle_comparison,
)
from driftline.joins import Join, check_joins
from driftline.judging import check_metrics
from driftline.loop import Loop
from driftline.losses import NUMBER_LOSSES
from driftline.reading import PLAIN, Reading
from driftline.regressors import REGRESSORS
from driftline.sources import FileSource, PackageSource, SklearnSource, Source, SyntheticSource
from driftline.stated import Card, Changes
from driftline.target import AnyTarget, NumberTarget, Target

__all__ = [
    "LARGEST",
    "ROW_LOSSES",
    "Alerts",
    "Column",
    "Comparison",
    "DriftPolicy",
    "FileSource",
    "Gate",
    "Goal",
    "Intervals",
    "Loop",
    "NumberTarget",
    "PackageSource",
    "Problem",
    "Reading",
    "RiskBands",
    "Search",
    "SklearnSource",
    "SyntheticSource",
    "Target",
    "check_name",
    "parse_problem",
]

NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,62}")

# Where a file's own text counts, and not what YAML makes of it: 007, 1.50, 8:30, yes
WRITTEN = (
    "columns.*.categories",
    "columns.*.category_aliases",
    "columns.*.missing_codes",
    "columns.*.aliases",
    "columns.*.as_of",
    "columns.*.description",
    "columns.*.unit",
    "columns.*.unseen",
    "example.*",
    "group",
    "ignored",
    "joins.*.as_of",
    "joins.*.at",
    "joins.*.fields",
    "joins.*.key",
    "target.aliases",
    "target.classes",
    "target.name",
    "target.positive",
    "goal.cost_matrix",
    "goal.miss_costs",
    "title",
)


class Search(Strict):
    """How hard hyperparameters are searched; 0 trials keeps each candidate's defaults.

    With more training rows than `rows` each trial is fitted once, on at most so many. `work` bounds
    what a candidate may take, in seconds of a core by the formula of `driftline.work`.
    """

    trials: int = Field(default=12, ge=0, le=1000)
    folds: int = Field(default=4, ge=2, le=20)
    rows: int = Field(default=5000, ge=1000)
    work: float = Field(default=200, gt=0)


class Problem(Strict):
    """One prediction job, wholly described."""

    name: str
    title: str
    source: Source
    reading: Reading = PLAIN
    columns: dict[Text, Column] = Field(min_length=1)
    target: AnyTarget
    ignored: tuple[Text, ...] = ()
    features: dict[Text, Feature] = Field(default_factory=dict)
    joins: dict[Text, Join] = Field(default_factory=dict)
    group: Text | None = None
    weight: Text | None = None
    candidates: tuple[str, ...] = USUAL
    goal: Goal
    gates: tuple[Gate, ...] = ()
    comparison: Comparison = Comparison()
    subgroups: tuple[Text, ...] = ()
    risk_bands: RiskBands = RiskBands()
    intervals: Intervals = Intervals()
    max_quarantined_share: float = Field(default=0.05, ge=0, lt=1)
    max_training_rows: int | None = Field(default=None, ge=100)
    search: Search = Search()
    drift: DriftPolicy = DriftPolicy()
    loop: Loop = Loop()
    changes: Changes = Changes()
    card: Card = Card()
    alerts: Alerts = Alerts()
    example: dict[Text, float | str | None] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_a_number(cls, document: Any) -> Any:
        """What is left out is what fits a number, where one is to be predicted."""
        if not isinstance(document, dict) or not _predicts_number(document.get("target")):
            return document
        drift = document.get("drift", {})
        loss = {"loss": NUMBER_LOSSES[0]}
        return {
            "candidates": tuple(REGRESSORS),
            **document,
            "drift": loss | drift if isinstance(drift, dict) else drift,
        }

    @field_validator("columns")
    @classmethod
    def _ages_count_to_dates(cls, columns: dict[str, Column]) -> dict[str, Column]:
        for name in columns:
            find_as_of(name, columns)
        return columns

    @field_validator("features")
    @classmethod
    def _features_can_be_computed(
        cls, features: dict[str, Feature], info: ValidationInfo
    ) -> dict[str, Feature]:
        if {"columns", "target", "ignored"} <= info.data.keys():
            order_features(features, **info.data)
        return features

    @field_validator("joins")
    @classmethod
    def _joins_fit(cls, joins: dict[str, Join], info: ValidationInfo) -> dict[str, Join]:
        if {"columns", "ignored"} <= info.data.keys():
            check_joins(joins, **info.data)
        return joins

    @field_validator("example")
    @classmethod
    def _example_fits(
        cls, record: dict[str, float | str | None], info: ValidationInfo
    ) -> dict[str, float | str | None]:
        columns: dict[str, Column] = info.data.get("columns", {})
        return {name: settle_example(value, columns.get(name)) for name, value in record.items()}

    @field_validator("candidates")
    @classmethod
    def _known_candidates(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        check_candidates(names, info.data.get("target"))
        return names

    @model_validator(mode="after")
    def _keys_agree(self) -> Self:
        check_names(self.columns, self.target, self.ignored)
        check_ignored("group", self.group, self.ignored)
        check_ignored("weight", self.weight, self.ignored)
        check_title(self.title, self.source)
        check_subgroups(self.subgroups, self.columns)
        check_costs(self.goal, self.classes)
        check_kinds(self.risk_bands, self.target, self.model_fields_set)
        check_metrics(self.target, self.goal, self.gates, self.comparison, self.drift.loss)
        return self

    @property
    def predicts_number(self) -> bool:
        """Whether the target is a number."""
        return self.target.kind == "number"

    @property
    def has_value_bands(self) -> bool:
        """Whether the file bounds the risk of a number; there are no bounds that fit them all."""
        return self.predicts_number and "risk_bands" in self.model_fields_set

    @property
    def width(self) -> int:
        """How many figures an answer has: a probability for each class, or one number."""
        return self.target.width

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by class index."""
        return tuple(self.target.classes)

    @property
    def has_ordered_classes(self) -> bool:
        """Whether an answer can be more than one class off."""
        return isinstance(self.target, Target) and self.target.ordered

    @property
    def is_binary(self) -> bool:
        """Whether a decision threshold applies."""
        return len(self.target.classes) == 2  # noqa: PLR2004 - binary

    @property
    def costs(self) -> Costs:
        """Of missing each class, or of each answer, by class index; () where all cost alike."""
        return self.goal.costs(self.classes)

    @property
    def judged_by(self) -> Comparison:
        """The comparison with its metric settled: the goal's own where the file names none."""
        return settle_comparison(self.comparison, self.goal)

    @property
    def positive_indices(self) -> tuple[int, ...]:
        """Class indices whose summed probability is the risk."""
        return tuple(self.classes.index(name) for name in self.target.positive)

    @property
    def computed(self) -> tuple[FeatureSpec, ...]:
        """The features that are computed of columns, each after those that it names."""
        return order_features(
            self.features, columns=self.columns, target=self.target, ignored=self.ignored
        )

    @property
    def slug(self) -> str:
        """The name as it stands in deployments and URLs."""
        return self.name.replace("_", "-")


def _predicts_number(target: Any) -> bool:
    return isinstance(target, dict) and target.get("kind") == "number"


def check_name(name: str) -> str:
    """Refuse a problem name that could not be a file, a bento and a deployment."""
    if not NAME_PATTERN.fullmatch(name):
        message = f"problem: got {name!r}, wanted a name of lower-case letters, digits and _"
        raise ProblemError(message)
    return name


def parse_problem(text: str, *, name: str, file: str) -> Problem:
    """Read a problem file's text; every mistake is a `ProblemError` line with file and key."""
    given = {"name": check_name(name)}
    return parse_document(text, file=file, model=Problem, given=given, written=WRITTEN)
