"""The kinds of model that predict a number: how each is built, and the space its search may roam.

As in `driftline.candidates`, every one is a pipeline over the contract's float32 matrix.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from driftline.candidates import CANDIDATES, Candidate, Params, Range, impute
from driftline.work import linear_work

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def _pipeline(regressor: Any, *steps: tuple[str, Any]) -> "Pipeline":
    from sklearn.pipeline import Pipeline

    return Pipeline([*steps, ("predict", regressor)])


def _dummy(params: Params, seed: int) -> "Pipeline":  # noqa: ARG001 - nothing in it is random
    from sklearn.dummy import DummyRegressor

    return _pipeline(DummyRegressor(**params), ("impute", impute()))


def _ridge(params: Params, seed: int) -> "Pipeline":
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    regressor = Ridge(random_state=seed, **params)
    return _pipeline(regressor, ("impute", impute()), ("scale", StandardScaler()))


def _decision_tree(params: Params, seed: int) -> "Pipeline":
    from sklearn.tree import DecisionTreeRegressor

    return _pipeline(DecisionTreeRegressor(random_state=seed, **params), ("impute", impute()))


def _random_forest(params: Params, seed: int) -> "Pipeline":
    from sklearn.ensemble import RandomForestRegressor

    return _pipeline(RandomForestRegressor(random_state=seed, **params), ("impute", impute()))


def _gradient_boosting(params: Params, seed: int) -> "Pipeline":
    from sklearn.ensemble import HistGradientBoostingRegressor

    return _pipeline(
        HistGradientBoostingRegressor(random_state=seed, early_stopping=False, **params)
    )


def _as_candidate(name: str) -> Mapping[str, Any]:
    """The defaults, the space and the work of the same kind of model for classes."""
    known = CANDIDATES[name]
    fields = ("name", "defaults", "space", "work")
    return {field: getattr(known, field) for field in fields}


REGRESSORS: Final[Mapping[str, Candidate]] = {
    candidate.name: candidate
    for candidate in (
        Candidate(
            name="dummy",
            build=_dummy,
            defaults={"strategy": "median"},
            space={"strategy": ("median", "mean")},
        ),
        Candidate(
            name="ridge",
            build=_ridge,
            work=linear_work,
            defaults={"alpha": 1.0},
            space={"alpha": Range(1e-3, 1e3, log=True)},
        ),
        Candidate(build=_decision_tree, **_as_candidate("decision_tree")),
        Candidate(build=_random_forest, **_as_candidate("random_forest")),
        Candidate(build=_gradient_boosting, **_as_candidate("hist_gradient_boosting")),
    )
}
