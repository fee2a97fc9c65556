"""What a prediction problem is: the strict model of `data/problems/<name>.yaml`.

Owns the meaning of every key. Reads no file; `parse_problem` takes the text.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from driftline.candidates import CANDIDATES
from driftline.conditions import parse_conditions
from driftline.documents import parse_document
from driftline.errors import ProblemError
from driftline.metrics import BINARY_METRICS, DECISION_METRICS, METRICS
from driftline.spelling import MISSING, Spellings, declare, declare_categories, read_number, spell

LARGEST = 3.4028234663852886e38  # of float32, in which models are fitted
NAME_PATTERN = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _as_text(value: object) -> object:
    """A code or a name in its normal form; one that is given as a number is compared as text."""
    return spell(value) if isinstance(value, str | int | float) else value


Text = Annotated[str, BeforeValidator(_as_text)]

# Where a file's own text counts, and not what YAML makes of it: 007, 1.50, 8:30, yes
WRITTEN = (
    "columns.*.categories",
    "columns.*.category_aliases",
    "columns.*.missing_codes",
    "columns.*.aliases",
    "example.*",
    "ignored",
    "target.aliases",
    "target.classes",
    "target.name",
    "target.positive",
)


class SklearnSource(_Strict):
    """A table that scikit-learn ships, by its loader's name without `load_`."""

    kind: Literal["sklearn"]
    name: str


class PackageSource(_Strict):
    """A CSV or Parquet file that an installed package ships, by its path inside the package."""

    kind: Literal["package"]
    package: str
    path: str


class FileSource(_Strict):
    """A CSV or Parquet file, or a folder of them: a path or an `s3://` URL."""

    kind: Literal["file"]
    location: str


Source = Annotated[SklearnSource | PackageSource | FileSource, Field(discriminator="kind")]


class Column(_Strict):
    """One input: what it is, what it may be, and what to do when it is missing."""

    kind: Literal["number", "integer", "category"] = "number"
    unit: str | None = None
    description: str | None = None
    range: tuple[float, float] | None = None
    categories: tuple[Text, ...] = ()
    category_aliases: dict[Text, tuple[Text, ...]] = {}
    ordered: bool = False
    missing: Literal["forbid", "allow"] = "forbid"
    missing_codes: tuple[Text, ...] = ()
    aliases: tuple[Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _aliases_beside(cls, content: Any) -> Any:
        """Categories as a mapping hold each one's other spellings."""
        given = content.get("categories") if isinstance(content, dict) else None
        if not isinstance(given, dict):
            return content
        if "category_aliases" in content:
            message = "category_aliases: stands in `categories` already; wanted one of the two"
            raise ValueError(message)
        aliases = {name: others for name, others in given.items() if others is not None}
        return content | {"categories": list(given), "category_aliases": aliases}

    @field_validator("range")
    @classmethod
    def _low_below_high(cls, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        if bounds is not None and max(map(abs, bounds)) > LARGEST:
            message = f"got [{bounds[0]:g}, {bounds[1]:g}], wanted ends within {LARGEST:.4g}"
            raise ValueError(message)
        if bounds is not None and not bounds[0] < bounds[1]:
            message = f"got [{bounds[0]:g}, {bounds[1]:g}], wanted the low end below the high end"
            raise ValueError(message)
        return bounds

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.kind == "category":
            if len(self.categories) < 2:  # noqa: PLR2004 - one category tells nothing apart
                message = f"got {len(self.categories)} categories, wanted at least 2"
                raise ValueError(message)
            if len(set(self.categories)) != len(self.categories):
                message = "categories: a category is given twice"
                raise ValueError(message)
            if self.range is not None:
                message = "range: a category has none; wanted `categories` only"
                raise ValueError(message)
            self._check_aliases()
        elif self.categories or self.category_aliases or self.ordered:
            message = f"categories and ordered: got them on kind {self.kind!r}, wanted 'category'"
            raise ValueError(message)
        return self

    def _check_aliases(self) -> None:
        owners = {category: category for category in self.categories}
        for name, others in self.category_aliases.items():
            if name not in self.categories:
                message = f"category_aliases: got {name!r}, wanted one of the categories"
                raise ValueError(message)
            for alias in others:
                if owners.setdefault(alias, name) != name:
                    message = f"categories: {alias!r} means {owners[alias]!r} and {name!r}"
                    raise ValueError(message + "; wanted one")

    @cached_property
    def spellings(self) -> Spellings[str]:
        """Which category a value means; a missing code means `MISSING`."""
        return declare_categories(self.categories, self.category_aliases, self.missing_codes)


class Target(_Strict):
    """The column to predict. The order of `classes` is the order of the class indices."""

    name: Text
    classes: dict[Text, tuple[Text, ...]] = Field(min_length=2)
    positive: tuple[Text, ...] = ()
    aliases: tuple[Text, ...] = ()

    @field_validator("positive", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str | int) else value

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        for name in self.positive:
            if name not in self.classes:
                message = f"positive: got {name!r}, wanted one of {', '.join(self.classes)}"
                raise ValueError(message)
        if len(self.classes) == 2 and len(self.positive) != 1:  # noqa: PLR2004 - binary
            message = f"positive: got {len(self.positive)} classes, wanted exactly one of two"
            raise ValueError(message)
        values = list(chain.from_iterable(self.values_of(name) for name in self.classes))
        if len(set(values)) != len(values):
            message = "classes: a source value belongs to two classes; wanted one"
            raise ValueError(message)
        return self

    def values_of(self, name: str) -> tuple[str, ...]:
        """The source values that mean this class; its own name always does."""
        return tuple(dict.fromkeys((*self.classes[name], name)))

    @cached_property
    def spellings(self) -> Spellings[str]:
        """Which class a source value means."""
        return declare({value: name for name in self.classes for value in self.values_of(name)})


class Goal(_Strict):
    """What the decision threshold and the choice among candidates aim for."""

    maximise: str
    subject_to: dict[str, float] = {}
    confidence: float = Field(default=0.9, gt=0.5, lt=1)

    @model_validator(mode="after")
    def _known_metrics(self) -> Self:
        if self.maximise not in METRICS:
            message = f"maximise: got {self.maximise!r}, wanted one of {', '.join(METRICS)}"
            raise ValueError(message)
        _check_floors(self.subject_to)
        return self


def _check_floors(floors: Mapping[str, float]) -> None:
    for name, floor in floors.items():
        if name not in DECISION_METRICS:
            wanted = ", ".join(DECISION_METRICS)
            message = f"subject_to: got {name!r}, wanted one of {wanted}"
            raise ValueError(message)
        if not 0 < floor < 1:
            message = f"subject_to.{name}: got {floor:g}, wanted a share between 0 and 1"
            raise ValueError(message)


GATE_METRICS = tuple(
    name
    for metric in METRICS
    for name in (
        f"test_{metric}",
        f"cv_{metric}_mean",
        f"cv_{metric}_std",
        f"cv_{metric}_excess_std",
    )
)


class Gate(_Strict):
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
                f"with <m> one of {', '.join(METRICS)}"
            )
            raise ValueError(message)
        return metric

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            message = f"{self.metric}: wanted exactly one of at_least and at_most"
            raise ValueError(message)
        return self


ROW_LOSSES: Final = ("brier", "log_loss", "error")
_COMPARED_AS = {"accuracy": "error", "ece": "brier"}  # what tells the same, or tells it properly
ComparisonMetric = Literal[
    "brier",
    "log_loss",
    "error",
    "accuracy",
    "roc_auc",
    "pr_auc",
    "f1",
    "recall",
    "precision",
    "specificity",
    "net_benefit",
]


class Comparison(_Strict):
    """How a challenger has to beat the champion on rows that neither was trained on.

    Without a metric it is the goal's, with the goal's conditions (see `Problem.judged_by`).
    `margin` is in the metric's units; without one it is a tenth of the champion's own skill.
    An equal challenger passes by luck in 1 - `confidence` of cases: 4 %, so that a thousand trials
    show at most 5 %.
    """

    metric: ComparisonMetric | None = None
    subject_to: dict[str, float] = {}
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


class RiskBands(_Strict):
    """Risk above which a record counts as medium, and as high."""

    medium: float = Field(default=0.3, gt=0, lt=1)
    high: float = Field(default=0.7, gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.medium < self.high:
            message = f"got medium {self.medium:g} and high {self.high:g}, wanted medium below high"
            raise ValueError(message)
        return self


class DriftPolicy(_Strict):
    """What counts as a change and as harm, what a retraining costs, and what calls for what.

    `cost` and `harm` are shares of the champion's skill, which is what it saves per answer over
    guessing the base rates. A retraining costs `cost` times what the champion saves on the answers
    of one look; where each look would pay for one, the price settles where the share `pace` of them
    does. `harm` is the loss of skill per answer that calls for a retraining at any price.
    """

    numeric_effect: float = Field(default=0.3, gt=0)
    category_effect: float = Field(default=0.15, gt=0, lt=1)
    missing_effect: float = Field(default=0.1, gt=0, lt=1)
    relation_effect: float = Field(default=0.5, gt=0)
    joint_effect: float = Field(default=0.15, gt=0, lt=0.5)
    retrain_share: float = Field(default=0.3, gt=0, le=1)
    min_rows: int = Field(default=100, ge=10)
    false_alarms: float = Field(default=0.01, gt=0, lt=0.5)
    loss: Literal["log_loss", "brier", "error"] = "log_loss"
    cost: float = Field(default=0.03, gt=0)
    pace: float = Field(default=0.7, gt=0, lt=1)
    false_retrains: float = Field(default=0.05, gt=0, lt=0.5)
    harm: float = Field(default=0.5, gt=0)
    min_labels: int = Field(default=50, ge=20)
    labels_per_check: int = Field(default=100, ge=1)
    label_horizon_days: float = Field(default=0, ge=0)
    without_labels: Literal["ask", "retrain"] = "ask"
    confirm: tuple[int, int] = (1, 1)
    cooldown_rows: int = Field(default=0, ge=0)
    shadow_labels: int = Field(default=2000, ge=0)

    @field_validator("confirm")
    @classmethod
    def _some_of_many(cls, confirm: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= confirm[0] <= confirm[1]:
            message = f"got {list(confirm)}, wanted [k, n]: k of the newest n windows, k at most n"
            raise ValueError(message)
        return confirm


class Search(_Strict):
    """How hard hyperparameters are searched; 0 trials keeps each candidate's defaults."""

    trials: int = Field(default=12, ge=0, le=1000)
    folds: int = Field(default=4, ge=2, le=20)


class Problem(_Strict):
    """One prediction job, wholly described."""

    name: str
    title: str
    source: Source
    columns: dict[Text, Column] = Field(min_length=1)
    target: Target
    ignored: tuple[Text, ...] = ()
    candidates: tuple[str, ...] = tuple(CANDIDATES)
    goal: Goal
    gates: tuple[Gate, ...] = ()
    comparison: Comparison = Comparison()
    subgroups: tuple[Text, ...] = ()
    risk_bands: RiskBands = RiskBands()
    max_quarantined_share: float = Field(default=0.05, ge=0, lt=1)
    search: Search = Search()
    drift: DriftPolicy = DriftPolicy()
    example: dict[Text, float | str | None] = {}

    @field_validator("example")
    @classmethod
    def _example_fits(
        cls, record: dict[str, float | str | None], info: ValidationInfo
    ) -> dict[str, float | str | None]:
        columns: dict[str, Column] = info.data.get("columns", {})
        return {name: _example_value(value, columns.get(name)) for name, value in record.items()}

    @field_validator("candidates")
    @classmethod
    def _known_candidates(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in CANDIDATES]
        if unknown or not names:
            message = f"got {', '.join(unknown) or 'none'}, wanted some of {', '.join(CANDIDATES)}"
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
    def _subgroups_apply(self) -> Self:
        for place, text in enumerate(self.subgroups):
            try:
                parse_conditions([text], self.columns)
            except ValueError as error:
                message = f"subgroups.{place}: {error}"
                raise ValueError(message) from None
        return self

    @model_validator(mode="after")
    def _metrics_apply(self) -> Self:
        if self.is_binary:
            return self
        wanted = [self.goal.maximise, *self.goal.subject_to]
        wanted += [_bare_metric(gate.metric) for gate in self.gates]
        for metric in wanted:
            if metric in BINARY_METRICS:
                message = f"{metric} needs two classes; this target has {len(self.classes)}"
                raise ValueError(message)
        if self.comparison.metric in BINARY_METRICS:
            message = (
                f"comparison.metric: {self.comparison.metric} needs two classes; "
                f"this target has {len(self.classes)}"
            )
            raise ValueError(message)
        if self.goal.subject_to:
            message = "goal.subject_to sets a threshold; wanted it with two classes only"
            raise ValueError(message)
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by class index."""
        return tuple(self.target.classes)

    @property
    def is_binary(self) -> bool:
        """Whether a decision threshold applies."""
        return len(self.target.classes) == 2  # noqa: PLR2004 - binary

    @property
    def judged_by(self) -> Comparison:
        """The comparison with its metric settled: the goal's own where the file names none.

        Accuracy is compared as error. Calibration error as Brier score: the former is no proper
        score, and an answer that is always the base rate would win by it. The goal's conditions
        hold wherever decisions are compared, unless the comparison has its own.
        """
        metric = self.comparison.metric or _COMPARED_AS.get(self.goal.maximise, self.goal.maximise)
        floors = self.comparison.subject_to
        if metric == "error" and self.goal.subject_to and self.comparison.metric is None:
            metric = "accuracy"
        if metric in DECISION_METRICS and not floors:
            floors = self.goal.subject_to
        return self.comparison.model_copy(update={"metric": metric, "subject_to": dict(floors)})

    @property
    def positive_indices(self) -> tuple[int, ...]:
        """Class indices whose summed probability is the risk."""
        return tuple(self.classes.index(name) for name in self.target.positive)

    @property
    def slug(self) -> str:
        """The name as it stands in deployments and URLs."""
        return self.name.replace("_", "-")


def _example_value(value: float | str | None, column: Column | None) -> float | str | None:
    """An example's value as a record has it: a category by its name, a number as one."""
    if value is None or column is None:
        return value
    if column.kind == "category":
        found = column.spellings.find(value)
        return spell(value) if found in {None, MISSING} else found
    number = read_number(value) if isinstance(value, str) else None
    return value if number is None else number


def _bare_metric(gate_metric: str) -> str:
    return re.sub(r"^(test|cv)_|(_excess)?(_std|_mean)$", "", gate_metric)


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
