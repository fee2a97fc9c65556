"""XGBoost and LightGBM as candidates: how each is built, exported to ONNX and looked into.

Both are optional (the extra `boosting`) and imported only where a problem names them.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.errors import ProblemError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Split = tuple[int, float]


def build_xgboost(params: Mapping[str, Any], seed: int) -> "Pipeline":
    """XGBoost's trees, each of which learns which way missing values go."""
    _demand("xgboost")
    from sklearn.pipeline import Pipeline
    from xgboost import XGBClassifier

    classifier = XGBClassifier(random_state=seed, n_jobs=1, **params)
    return Pipeline([("classify", classifier)])


def build_lightgbm(params: Mapping[str, Any], seed: int) -> "Pipeline":
    """LightGBM's trees on imputed values: its graph would treat missing ones otherwise."""
    _demand("lightgbm")
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

    from driftline.lightgbm import LightGBM

    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    repeatable = {"n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}
    classifier = LightGBM(random_state=seed, **repeatable, **params)
    return Pipeline([("impute", impute), ("classify", classifier)])


def has_library(library: str) -> bool:
    """Whether an optional library is installed here."""
    return find_spec(library) is not None


def _demand(library: str) -> None:
    if not has_library(library):
        message = (
            f"candidates: got {library!r}, whose library is not installed here; "
            "wanted the extra `boosting` (make installs it), or other candidates"
        )
        raise ProblemError(message)


def register_converter(estimator: Any) -> None:
    """Teach skl2onnx this estimator, if it is one of these; others it knows."""
    convert, alias = _converter(estimator)
    if convert is None:
        return
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    update_registered_converter(
        type(estimator),
        alias,
        calculate_linear_classifier_output_shapes,
        convert,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )


def _converter(estimator: Any) -> tuple[Any, str]:
    if hasattr(estimator, "get_booster"):
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost

        return convert_xgboost, "XGBoostXGBClassifier"
    if hasattr(estimator, "booster_"):
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm

        return convert_lightgbm, "LightGbmLGBMClassifier"
    return None, ""


def splits_of(estimator: Any) -> set[Split]:
    """(feature, threshold) of every split in the trees of one of these; of others none."""
    if hasattr(estimator, "get_booster"):
        booster, feature, threshold = estimator.get_booster(), "Feature", "Split"
    elif hasattr(estimator, "booster_"):
        booster, feature, threshold = estimator.booster_, "split_feature", "threshold"
    else:
        return set()
    table = booster.trees_to_dataframe()
    table = table[table[threshold].notna()]
    numbers = table[feature].str.extract(r"(\d+)$", expand=False).astype(int)
    return set(zip(numbers, table[threshold].astype(float), strict=True))


def floor32(values: Any) -> Any:
    """Each value, or the float32 just below it: x <= value is the same for any float32 x."""
    exact = np.asarray(values, dtype=np.float64)
    nearest = exact.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > exact, below, nearest).astype(np.float64)
