"""The predictor: a contract and an ONNX session, needing numpy and onnxruntime only.

The one piece of code behind HTTP, Lambda and batch scoring. It never unpickles, and refuses an ONNX
file whose SHA-256 is not the contract's, and files that are not those of the list beside them.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bentos.takeover.content import ContentError
from bentos.takeover.trust import check_model_folder, read_trust
from driftline.contract import Contract, parse_contract
from driftline.numbers import NumberSpec, spell_number

if TYPE_CHECKING:
    import onnxruntime

VALUE = "value"  # what the log's one figure of a number's answer is called
NUMBER_FIGURES = ("prediction", "interval_low", "interval_high")


class ModelRefusedError(RuntimeError):
    """The files beside the service are not a model that may serve."""


class Answer(NamedTuple):
    """One record's outcome."""

    prediction: int
    label: str
    probability: dict[str, float]
    confidence: float
    risk_level: str | None

    @property
    def figures(self) -> dict[str, float]:
        """Its numbers as a table of scores names them."""
        return {f"probability_{name}": p for name, p in self.probability.items()}

    def to_json(self, *, model_version: str, prediction_id: str) -> dict[str, Any]:
        """The body of an answer."""
        return {
            "prediction": self.prediction,
            "label": self.label,
            "probability": self.probability,
            "confidence": self.confidence,
            "risk_level": self.risk_level,
            "model_version": model_version,
            "prediction_id": prediction_id,
        }


class NumberAnswer(NamedTuple):
    """One record's outcome where a number is predicted.

    In the log it stands as any answer does: its label is the number as text, its probabilities are
    the number alone, of which it is the first, and its confidence is the interval's coverage.
    """

    value: float
    interval: tuple[float, float]
    coverage: float
    risk_level: str | None
    prediction: int = 0

    @property
    def label(self) -> str:
        """The number as text, in its one spelling."""
        return spell_number(self.value)

    @property
    def probability(self) -> dict[str, float]:
        """The figures of the answer by name: the number."""
        return {VALUE: self.value}

    @property
    def figures(self) -> dict[str, float]:
        """Its numbers as a table of scores names them."""
        low, high = self.interval
        return dict(zip(NUMBER_FIGURES, (self.value, low, high), strict=True))

    @property
    def confidence(self) -> float:
        """The chance that the interval holds the truth."""
        return self.coverage

    def to_json(self, *, model_version: str, prediction_id: str) -> dict[str, Any]:
        """The body of an answer; `risk_level` only where the problem bands the number."""
        band = {} if self.risk_level is None else {"risk_level": self.risk_level}
        return {
            "prediction": self.value,
            "interval": list(self.interval),
            "coverage": self.coverage,
            **band,
            "model_version": model_version,
            "prediction_id": prediction_id,
        }


AnyAnswer = Answer | NumberAnswer
Describe = Callable[[list[float]], AnyAnswer]


def figure_names(contract: Contract) -> tuple[str, ...]:
    """The names of every answer's `figures`."""
    if contract.number is not None:
        return NUMBER_FIGURES
    return tuple(f"probability_{name}" for name in contract.classes)


def _describe_class(contract: Contract, probabilities: list[float]) -> Answer:
    index = contract.decide(probabilities)
    return Answer(
        prediction=index,
        label=contract.classes[index],
        probability=dict(zip(contract.classes, probabilities, strict=True)),
        confidence=probabilities[index],
        risk_level=contract.risk(probabilities),
    )


def _describe_number(contract: Contract, spec: NumberSpec, answers: list[float]) -> NumberAnswer:
    low, high = spec.ends
    value = min(max(answers[0], low), high)
    return NumberAnswer(value, spec.interval(value), spec.coverage, contract.estimate_risk(value))


def _describer(contract: Contract) -> Describe:
    """What makes an answer of a model's figures."""
    if contract.number is None:
        return partial(_describe_class, contract)
    return partial(_describe_number, contract, contract.number)


class Predictor:
    """Answers records by one model.

    `listed` are the digests of the files beside it, where a list was verified with it.
    """

    def __init__(
        self, contract: Contract, onnx: bytes, *, listed: Mapping[str, str] | None = None
    ) -> None:
        """Open a session of one thread.

        `ModelRefusedError` for a wrong digest, and for a graph that ONNX Runtime does not take.
        """
        found = hashlib.sha256(onnx).hexdigest()
        if found != contract.onnx_sha256:
            message = (
                f"model.onnx: got SHA-256 {found[:16]}..., wanted {contract.onnx_sha256[:16]}... "
                "(contract.json); refusing to serve"
            )
            raise ModelRefusedError(message)
        self.contract = contract
        self.listed = listed
        self._describe = _describer(contract)
        try:
            self._session = _open_session(onnx)
            self._warm_up()
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises a dozen kinds
            message = f"model.onnx: ONNX Runtime refuses it ({type(error).__name__})"
            raise ModelRefusedError(message) from None

    def _warm_up(self) -> None:
        """Answer once, since the first run is slow, and may be the first to fail."""
        (row,) = self.score(np.zeros((1, len(self.contract.feature_names)), np.float32))
        if len(row) != self.contract.width:
            message = f"got {len(row)} figures of an answer, wanted {self.contract.width}"
            raise ValueError(message)

    def score(self, matrix: NDArray[np.float32]) -> list[list[float]]:
        """Probabilities per row, as lists in class order; or the number of each row."""
        rows: list[list[float]] = self.score_matrix(matrix).tolist()
        return rows

    def score_matrix(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same as a matrix (rows, figures)."""
        answers: NDArray[np.float32]
        (answers,) = self._session.run(None, {"features": matrix})  # it has one output
        return answers

    def predict(self, records: Sequence[Mapping[str, Any]]) -> list[AnyAnswer]:
        """Answer records in order; the first that breaks the contract is an error."""
        return self.answer(self.contract.encode_table(records))

    def answer(self, matrix: NDArray[np.float32]) -> list[AnyAnswer]:
        """Answer records that are encoded already, shape (records, features)."""
        return [self._describe(p) for p in self.score(matrix)] if len(matrix) else []


def load_predictor(folder: Path) -> Predictor:
    """The predictor of `contract.json` and `model.onnx` in a folder, verified first.

    Where `SHA256SUMS` lists the folder's files they have to be those; with a key (see
    `bentos.takeover.trust`) that list has to be there and signed.
    """
    try:
        listed = check_model_folder(folder, read_trust())
    except (ContentError, OSError) as error:
        message = f"{folder}: {error}; refusing to serve"
        raise ModelRefusedError(message) from None
    try:
        contract = parse_contract((folder / "contract.json").read_text(encoding="utf-8"))
        onnx = (folder / "model.onnx").read_bytes()
    except (OSError, ValueError) as error:
        message = f"{folder}: {error}; wanted contract.json and model.onnx"
        raise ModelRefusedError(message) from None
    return Predictor(contract, onnx, listed=listed)


def _open_session(onnx: bytes) -> "onnxruntime.InferenceSession":
    # Read while it is imported; unless it is set, what is done here is told to its makers.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
