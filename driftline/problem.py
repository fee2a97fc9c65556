"""What a prediction problem is: the strict model of `data/problems/<name>.yaml`.

Owns the file as a whole; each section is declared in a module of its own and may be imported from
here. Reads no file; `parse_problem` takes the text.
"""

import re
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from driftline.alerts import Alerts
from driftline.candidates import CANDIDATES, USUAL
from driftline.columns import LARGEST, Column, find_as_of
from driftline.computed import FeatureSpec
from driftline.conditions import parse_conditions
from driftline.dates import read_date, spell_date
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
from driftline.judging import check_metrics
from driftline.loop import Loop
from driftline.losses import NUMBER_LOSSES
from driftline.reading import PLAIN, Reading
from driftline.regressors import REGRESSORS
from driftline.sources import FileSource, PackageSource, SklearnSource, Source, SyntheticSource
from driftline.spelling import MISSING, read_number, spell
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

NAME_PATTERN = re.compile(r"^[a-z][a-z0-9_]{0,62}$")

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
    "target.aliases",
    "target.classes",
    "target.name",
    "target.positive",
    "goal.miss_costs",
    "title",
)


class Search(Strict):
    """How hard hyperparameters are searched; 0 trials keeps each candidate's defaults.

    With more training rows than `rows` each trial is fitted once, on at most so many.
    """

    trials: int = Field(default=12, ge=0, le=1000)
    folds: int = Field(default=4, ge=2, le=20)
    rows: int = Field(default=5000, ge=1000)


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

    @field_validator("example")
    @classmethod
    def _example_fits(
        cls, record: dict[str, float | str | None], info: ValidationInfo
    ) -> dict[str, float | str | None]:
        columns: dict[str, Column] = info.data.get("columns", {})
        return {name: _example_value(value, columns.get(name)) for name, value in record.items()}

    @field_validator("candidates")
    @classmethod
    def _known_candidates(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        target = info.data.get("target")
        known = REGRESSORS if isinstance(target, NumberTarget) else CANDIDATES
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            message = f"got {', '.join(unknown) or 'none'}, wanted some of {', '.join(known)}"
            raise ValueError(message)
        if set(names) == {"dummy"}:
            message = "got the dummy baseline alone, wanted a candidate that could serve"
            raise ValueError(message)
        return names

    @model_validator(mode="after")
    def _names_apart(self) -> Self:
        owners: dict[str, str] = {}
        named = {name: (name, *column.aliases) for name, column in self.columns.items()}
        named[self.target.name] = (self.target.name, *self.target.aliases)
        named |= {name: (name,) for name in self.ignored}
        if len(named) != len(self.columns) + 1 + len(self.ignored):
            message = "columns, target and ignored share a name; wanted each column once"
            raise ValueError(message)
        for owner, name in ((owner, name) for owner, names in named.items() for name in names):
            if name in owners and owners[name] != owner:
                message = f"{owner} and {owners[name]} both answer to {name!r}; wanted one"
                raise ValueError(message)
            owners[name] = owner
        return self

    @model_validator(mode="after")
    def _group_is_ignored(self) -> Self:
        if self.group is not None and self.group not in self.ignored:
            message = f"group: got {self.group!r}, wanted one of `ignored`: no model learns from it"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _weight_is_ignored(self) -> Self:
        if self.weight is not None and self.weight not in self.ignored:
            message = (
                f"weight: got {self.weight!r}, wanted one of `ignored`: no model learns from it"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _made_up_rows_are_told(self) -> Self:
        if isinstance(self.source, SyntheticSource) and "synthetic" not in self.title.casefold():
            message = (
                f"title: got {self.title!r}, wanted the word synthetic in it, as the rows of its "
                "source are made up"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _subgroups_apply(self) -> Self:
        for place, text in enumerate(self.subgroups):
            try:
                parse_conditions([text], self.columns)
            except ValueError as error:
                message = f"subgroups.{place}: {error}"
                raise ValueError(message) from None
        return self

    @model_validator(mode="after")
    def _costs_name_classes(self) -> Self:
        costs = self.goal.miss_costs
        if costs and self.is_binary:
            message = "goal.miss_costs: got it with two classes, whose threshold the goal sets; "
            raise ValueError(message + "wanted it with more")
        if costs and set(costs) != set(self.classes):
            message = f"goal.miss_costs: got {', '.join(costs)}, wanted each class: "
            raise ValueError(message + ", ".join(self.classes))
        return self

    @model_validator(mode="after")
    def _bands_fit(self) -> Self:
        bands = self.risk_bands
        if not self.predicts_number and not 0 < bands.medium < bands.high < 1:
            message = (
                f"risk_bands: got {bands.medium:g} and {bands.high:g}, wanted bounds of a "
                "probability, between 0 and 1"
            )
            raise ValueError(message)
        if not self.predicts_number and "intervals" in self.model_fields_set:
            message = "intervals: got it with classes, wanted it with target.kind number"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _metrics_apply(self) -> Self:
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
    def is_binary(self) -> bool:
        """Whether a decision threshold applies."""
        return len(self.target.classes) == 2  # noqa: PLR2004 - binary

    @property
    def costs(self) -> tuple[float, ...]:
        """The cost of missing each class, by class index, the highest being 1; () of equal ones."""
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


def _example_value(value: float | str | None, column: Column | None) -> float | str | None:
    """An example's value as a record has it: a category by its name, a number as one."""
    if value is None or column is None:
        return value
    if column.kind == "date":
        days = read_date(str(value), column.order)
        return str(value) if days is None else spell_date(days)
    if column.kind == "category":
        found = column.spellings.find(value)
        return spell(value) if found in {None, MISSING} else found
    number = read_number(value) if isinstance(value, str) else None
    return value if number is None else number


def check_name(name: str) -> str:
    """Refuse a problem name that could not be a file, a bento and a deployment."""
    if not NAME_PATTERN.match(name):
        message = f"problem: got {name!r}, wanted a name of lower-case letters, digits and _"
        raise ProblemError(message)
    return name


def parse_problem(text: str, *, name: str, file: str) -> Problem:
    """Read a problem file's text; every mistake is a `ProblemError` line with file and key."""
    given = {"name": check_name(name)}
    return parse_document(text, file=file, model=Problem, given=given, written=WRITTEN)
