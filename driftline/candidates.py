"""The kinds of model that are compared: how each is built, and the space its search may roam.

Every candidate is a scikit-learn pipeline over the contract's float32 matrix; missing is nan.
scikit-learn is imported when a pipeline is built, since problem files are read without it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from driftline.boosting import build_lightgbm, build_xgboost
from driftline.work import Work, boosting_work, forest_work, linear_work, no_work, tree_work

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from driftline.answers import Build, Ints

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Range:
    """A numeric search range; `log` searches it by order of magnitude."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


Space = Mapping[str, Range | tuple[Any, ...]]


@dataclass(frozen=True)
class Candidate:
    """A kind of model, listed from the simplest to the most complex; `work` is what a fit takes."""

    name: str
    build: Callable[[Params, int], "Pipeline"]
    defaults: Params = field(default_factory=dict)
    space: Space = field(default_factory=dict)
    is_optional: bool = False
    work: Work = no_work

    def building(self, params: Params, seed: int) -> "Build":
        """What builds it with these settings, whatever rows it is for; another process can too."""
        return partial(_build, self, params, seed)


def _build(candidate: Candidate, params: Params, seed: int, _rows: "Ints") -> "Pipeline":
    return candidate.build(params, seed)


def impute() -> Any:
    """The step that puts a column's median where a value is missing."""
    from sklearn.impute import SimpleImputer

    return SimpleImputer(strategy="median", keep_empty_features=True)


def _dummy(params: Params, seed: int) -> "Pipeline":
    from sklearn.dummy import DummyClassifier
    from sklearn.pipeline import Pipeline

    classifier = DummyClassifier(strategy="prior", random_state=seed, **params)
    return Pipeline([("impute", impute()), ("classify", classifier)])


def _logistic_regression(params: Params, seed: int) -> "Pipeline":
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = LogisticRegression(max_iter=2000, random_state=seed, **params)
    steps = [("impute", impute()), ("scale", StandardScaler()), ("classify", classifier)]
    return Pipeline(steps)


def _decision_tree(params: Params, seed: int) -> "Pipeline":
    from sklearn.pipeline import Pipeline
    from sklearn.tree import DecisionTreeClassifier

    classifier = DecisionTreeClassifier(random_state=seed, **params)
    return Pipeline([("impute", impute()), ("classify", classifier)])


def _random_forest(params: Params, seed: int) -> "Pipeline":
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import Pipeline

    classifier = RandomForestClassifier(random_state=seed, **params)
    return Pipeline([("impute", impute()), ("classify", classifier)])


def _gradient_boosting(params: Params, seed: int) -> "Pipeline":
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    classifier = HistGradientBoostingClassifier(random_state=seed, early_stopping=False, **params)
    return Pipeline([("classify", classifier)])


CALIBRATION_FOLDS: Final = 3  # each of them needs a row of every class

# Forests and trees are bounded in depth: a serving image must stay small.
CANDIDATES: Final[Mapping[str, Candidate]] = {
    candidate.name: candidate
    for candidate in (
        Candidate(name="dummy", build=_dummy),
        Candidate(
            name="logistic_regression",
            build=_logistic_regression,
            work=linear_work,
            defaults={"C": 1.0},
            space={"C": Range(1e-3, 1e2, log=True)},
        ),
        Candidate(
            name="decision_tree",
            build=_decision_tree,
            work=tree_work,
            defaults={"max_depth": 5, "min_samples_leaf": 5},
            space={
                "max_depth": Range(2, 12, whole=True),
                "min_samples_leaf": Range(1, 60, log=True, whole=True),
            },
        ),
        Candidate(
            name="random_forest",
            build=_random_forest,
            work=forest_work,
            defaults={
                "n_estimators": 100,
                "max_depth": 12,
                "min_samples_leaf": 2,
                "max_features": "sqrt",
            },
            space={
                "n_estimators": (100,),
                "max_depth": Range(4, 16, whole=True),
                "min_samples_leaf": Range(1, 20, log=True, whole=True),
                "max_features": ("sqrt", 0.3, 0.6),
            },
        ),
        Candidate(
            name="hist_gradient_boosting",
            build=_gradient_boosting,
            work=boosting_work("max_iter", "max_leaf_nodes"),
            defaults={
                "learning_rate": 0.1,
                "max_iter": 100,
                "max_leaf_nodes": 31,
                "min_samples_leaf": 20,
                "l2_regularization": 0.001,
            },
            space={
                "learning_rate": Range(0.02, 0.2, log=True),
                "max_iter": Range(60, 400, log=True, whole=True),
                "max_leaf_nodes": Range(4, 40, log=True, whole=True),
                "min_samples_leaf": Range(5, 60, log=True, whole=True),
                "l2_regularization": Range(1e-3, 10.0, log=True),
            },
        ),
        Candidate(
            name="xgboost",
            build=build_xgboost,
            work=boosting_work("n_estimators", "max_depth"),
            is_optional=True,
            defaults={
                "n_estimators": 100,
                "learning_rate": 0.1,
                "max_depth": 5,
                "min_child_weight": 1.0,
                "reg_lambda": 1.0,
            },
            space={
                "n_estimators": Range(60, 150, log=True, whole=True),  # float32 sums of more differ
                "learning_rate": Range(0.02, 0.3, log=True),
                "max_depth": Range(2, 8, whole=True),
                "min_child_weight": Range(0.5, 20.0, log=True),
                "reg_lambda": Range(1e-2, 10.0, log=True),
            },
        ),
        Candidate(
            name="lightgbm",
            build=build_lightgbm,
            work=boosting_work("n_estimators", "num_leaves"),
            is_optional=True,
            defaults={
                "n_estimators": 100,
                "learning_rate": 0.1,
                "num_leaves": 31,
                "min_child_samples": 20,
                "reg_lambda": 0.001,
            },
            space={
                "n_estimators": Range(60, 400, log=True, whole=True),
                "learning_rate": Range(0.02, 0.2, log=True),
                "num_leaves": Range(4, 40, log=True, whole=True),
                "min_child_samples": Range(5, 60, log=True, whole=True),
                "reg_lambda": Range(1e-3, 10.0, log=True),
            },
        ),
    )
}
USUAL: Final = tuple(one.name for one in CANDIDATES.values() if not one.is_optional)


def build_calibrated(
    candidate: Candidate, params: Params, seed: int, folds: Any = None
) -> "Pipeline":
    """The candidate with its classifier wrapped in cross-fitted sigmoid calibration.

    It learns from the `folds` of scikit-learn's kind that are given, by default stratified ones.
    Source: Platt, Advances in Large Margin Classifiers (1999) 61-74.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import Pipeline

    plain = candidate.build(params, seed)
    if folds is None:
        folds = StratifiedKFold(n_splits=CALIBRATION_FOLDS, shuffle=True, random_state=seed)
    name, classifier = plain.steps[-1]
    calibrated = CalibratedClassifierCV(classifier, method="sigmoid", cv=folds, ensemble=False)
    return Pipeline([*plain.steps[:-1], (name, calibrated)])
