"""From a fitted pipeline to an ONNX graph, and the proof that both answer alike."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftline.answers import answers_of
from driftline.boosting import floor32, register_converter, splits_of
from driftline.contract import Contract
from driftline.fields import FieldSpec
from driftline.forests import centre_forest
from driftline.number_parity import NumberParity, compare_numbers
from driftline.promise import OutOfFold, Promise

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Matrix = NDArray[np.float32]
INPUT_NAME = "features"
OUTPUT_NAMES = {"classifier": "probabilities", "regressor": "variable"}
TOLERANCE = 1e-6
_MOST_THRESHOLDS = 2000
_ML_OPSET = 3  # the newest that skl2onnx writes


@dataclass(frozen=True)
class Parity:
    """How the ONNX graph compares with the pipeline over `rows` rows."""

    rows: int
    labels_equal: bool
    max_probability_difference: float

    @property
    def is_kept(self) -> bool:
        """Whether serving may stand in for the pipeline."""
        return self.labels_equal and self.max_probability_difference <= TOLERANCE

    @property
    def gap(self) -> str:
        """The largest difference, in words."""
        return f"largest difference {self.max_probability_difference:.1e}"


@dataclass(frozen=True)
class Exported:
    """A trained model ready to serve: its ONNX file, its contract and their proof of parity."""

    onnx: bytes
    contract: Contract
    parity: Parity | NumberParity
    promise: Promise
    out_of_fold: OutOfFold


def export_onnx(model: "Pipeline", features: int) -> bytes:
    """The pipeline as an ONNX file: float32 (rows, features) in, (rows, figures) out.

    The figures of an answer are the probability of each class, or one number.
    """
    from skl2onnx import get_latest_tested_opset_version, to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs

    _snap_thresholds(model)
    register_converter(classifier_of(model))
    is_classifier = hasattr(model, "predict_proba")
    graph = to_onnx(
        model,
        initial_types=[(INPUT_NAME, FloatTensorType([None, features]))],
        options={id(model): {"zipmap": False}} if is_classifier else None,
        target_opset={"": get_latest_tested_opset_version(), "ai.onnx.ml": _ML_OPSET},
    )
    centre_forest(graph, classifier_of(model))
    output = OUTPUT_NAMES["classifier" if is_classifier else "regressor"]
    graph = select_model_inputs_outputs(graph, outputs=[output])
    content: bytes = graph.SerializeToString()
    return content


def _snap_thresholds(model: "Pipeline") -> None:
    """Round gradient boosting's split thresholds down to float32, in place.

    For a float32 value x, x <= t and x <= floor32(t) are the same, so the model answers as before;
    but the graph holds thresholds in float32, and rounding t *up* there would send the value just
    above it the other way.
    """
    classifier = classifier_of(model)
    for stage in getattr(classifier, "_predictors", []):
        for predictor in stage:
            predictor.nodes["num_threshold"] = floor32(predictor.nodes["num_threshold"])
    if hasattr(classifier, "snap_thresholds"):
        classifier.snap_thresholds()


def classifier_of(model: "Pipeline") -> Any:
    """The estimator at the end of the pipeline, inside its calibration if it has one."""
    estimator: Any = model.steps[-1][1]
    for wrapped in getattr(estimator, "calibrated_classifiers_", []):
        estimator = wrapped.estimator
    return estimator


def score_onnx(onnx: bytes, X: Matrix) -> NDArray[np.float64]:  # noqa: N803
    """The answers of an ONNX file to a float32 matrix, shape (rows, figures)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {INPUT_NAME: X})  # it has one output
    return np.asarray(answers, dtype=np.float64)


def check_parity(
    model: "Pipeline",
    onnx: bytes,
    X: Matrix,  # noqa: N803
    contract: Contract,
) -> Parity | NumberParity:
    """Compare labels (at the contract's threshold) and probabilities on every row of `X`.

    Of a number the answers are compared, see `driftline.number_parity`.
    """
    fitted, exported = answers_of(model, X), score_onnx(onnx, X)
    if contract.number is not None:
        return compare_numbers(fitted, exported)
    labels = [contract.decide(row) for row in fitted.tolist()]
    others = [contract.decide(row) for row in exported.tolist()]
    return Parity(
        rows=len(X),
        labels_equal=labels == others,
        max_probability_difference=float(np.abs(fitted - exported).max(initial=0.0)),
    )


def edge_cases(model: "Pipeline", X: Matrix, contract: Contract) -> Matrix:  # noqa: N803
    """Rows at the places where two implementations are likeliest to part.

    Range ends and missing values of each field alone and of all at once, and values just below, at
    and just above the thresholds of trees.
    """
    middle = np.nanmedian(X, axis=0).astype(np.float32)
    middle = np.where(np.isnan(middle), np.float32(0), middle)
    rows = [middle]
    start = 0
    for field in contract.fields:
        width = len(field.feature_names)
        for value in _ends(field.low, field.high, allow_missing=field.allow_missing):
            row = middle.copy()
            row[start : start + width] = _elements(field, value, middle[start : start + width])
            rows.append(row)
        start += width
    nullable = [
        np.nan if f.allow_missing else 0.0 for f in contract.fields for _ in f.feature_names
    ]
    nullable += [
        np.nan if contract.computed.may_lack(feature) else 0.0 for feature in contract.features
    ]
    rows.append(np.where(np.isnan(nullable), np.float32(np.nan), middle).astype(np.float32))
    rows += _undefined(contract, middle)
    rows += _beside_thresholds(_tree_thresholds(model), middle)
    return np.array(rows, dtype=np.float32)


def _undefined(contract: Contract, middle: Matrix) -> list[Matrix]:
    """The middle without each computed feature that a record may leave undefined."""
    rows = []
    for place, feature in enumerate(contract.features, start=len(middle) - len(contract.features)):
        if contract.computed.may_lack(feature):
            row = middle.copy()
            row[place] = np.nan
            rows.append(row)
    return rows


def _elements(field: FieldSpec, value: float, middle: Matrix) -> Any:
    """What a value of a field is in the vector: of categories none, of a date its parts.

    An age as of another field keeps its middle, as that field does.
    """
    if field.parts:
        parts = np.array(field.part(value), dtype=np.float32)
        return np.where(np.isnan(parts) & (not np.isnan(value)), middle, parts)
    return 0 if len(middle) > 1 else value


def _ends(low: float | None, high: float | None, *, allow_missing: bool) -> list[float]:
    ends = [end for end in (low, high) if end is not None]
    return [*ends, np.nan] if allow_missing else ends


def _beside_thresholds(thresholds: list[tuple[int, float]], middle: Matrix) -> list[Matrix]:
    step = max(1, len(thresholds) // _MOST_THRESHOLDS)
    rows = []
    for feature, threshold in thresholds[::step]:
        at = np.float32(threshold)
        for value in (
            np.nextafter(at, np.float32(-np.inf)),
            at,
            np.nextafter(at, np.float32(np.inf)),
        ):
            row = middle.copy()
            row[feature] = value
            rows.append(row)
    return rows


def _tree_thresholds(model: "Pipeline") -> list[tuple[int, float]]:
    """(feature, threshold) of every split in the model's trees, whatever wraps them."""
    estimator = classifier_of(model)
    found = splits_of(estimator)
    for tree in [estimator, *getattr(estimator, "estimators_", [])]:
        if hasattr(tree, "tree_"):
            inner = tree.tree_.children_left >= 0
            found |= set(zip(tree.tree_.feature[inner], tree.tree_.threshold[inner], strict=True))
    for stage in getattr(estimator, "_predictors", []):
        for predictor in stage:
            nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            found |= set(zip(nodes["feature_idx"], nodes["num_threshold"], strict=True))
    return sorted((int(feature), float(threshold)) for feature, threshold in found)
