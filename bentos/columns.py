"""Many records' outcomes as columns: what `Predictor.answer` says of each, said of all at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bentos.predictor import (
    NUMBER_FIGURES,
    Answer,
    AnyAnswer,
    NumberAnswer,
    Predictor,
    figure_names,
)
from driftline.contract import Contract
from driftline.deciding import TIE
from driftline.numbers import NumberSpec, spell_number

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]
FEW = 50  # records, below which each by itself is as fast
BANDS = np.array(["low", "medium", "high"], dtype=object)


@dataclass(frozen=True)
class AnswerColumns:
    """The outcomes of records in order; `figures` are those of `Answer.figures` by name.

    `probabilities` has a row of figures for each record, as the log keeps them.
    """

    prediction: NDArray[np.int64]
    label: Objects
    probabilities: Floats
    confidence: Floats
    risk_level: Objects
    figures: Mapping[str, Floats]

    def __len__(self) -> int:
        """How many records were answered."""
        return len(self.prediction)


def describe_columns(contract: Contract, scores: NDArray[np.float32]) -> AnswerColumns:
    """What a model's figures, shape (records, figures), mean by its contract."""
    figures = scores.astype(np.float64)
    if contract.number is not None:
        return _describe_numbers(contract, contract.number, figures)
    prediction = _decide(contract, figures)
    return AnswerColumns(
        prediction=prediction,
        label=np.array(contract.classes, dtype=object)[prediction],
        probabilities=figures,
        confidence=figures[np.arange(len(figures)), prediction],
        risk_level=_band_classes(contract, figures),
        figures=dict(zip(figure_names(contract), figures.T, strict=True)),
    )


def answer_records(predictor: Predictor, matrix: NDArray[np.float32]) -> list[AnyAnswer]:
    """What `Predictor.answer` says of encoded records, found by columns where they are many."""
    if len(matrix) < FEW:
        return predictor.answer(matrix)
    contract = predictor.contract
    columns = describe_columns(contract, predictor.score_matrix(matrix))
    bands = columns.risk_level.tolist()
    if contract.number is not None:
        value, *ends = (columns.figures[name].tolist() for name in NUMBER_FIGURES)
        coverage = contract.number.coverage
        return [
            NumberAnswer(one, interval, coverage, band)
            for one, interval, band in zip(value, zip(*ends, strict=True), bands, strict=True)
        ]
    told = (
        columns.prediction.tolist(),
        columns.label.tolist(),
        columns.probabilities.tolist(),
        columns.confidence.tolist(),
        bands,
    )
    classes = contract.classes
    return [
        Answer(prediction, label, dict(zip(classes, figures, strict=True)), confidence, band)
        for prediction, label, figures, confidence, band in zip(*told, strict=True)
    ]


def _decide(contract: Contract, probabilities: Floats) -> NDArray[np.int64]:
    """Class indices, as `Contract.decide` has each."""
    if contract.threshold is not None:
        positive = contract.positive[0]
        is_positive = probabilities[:, positive] >= contract.threshold
        return np.where(is_positive, positive, 1 - positive).astype(np.int64)
    scores = probabilities * np.array(contract.costs) if contract.costs else probabilities
    is_high = scores >= scores.max(axis=1, keepdims=True, initial=-np.inf) - TIE
    highest: NDArray[np.int64] = is_high.argmax(axis=1).astype(np.int64)
    return highest


def _band_classes(contract: Contract, probabilities: Floats) -> Objects:
    if not contract.positive:
        return np.full(len(probabilities), None, dtype=object)
    wanted = probabilities[:, list(contract.positive)]
    if wanted.shape[1] == 1:
        return _band(contract, wanted[:, 0])
    # Python's own sum, whose last digit NumPy's need not have
    return _band(contract, np.array([sum(row) for row in wanted.tolist()], dtype=np.float64))


def _band(contract: Contract, risk: Floats) -> Objects:
    above = np.where(risk > contract.medium_risk, 1, 0)
    return BANDS[np.where(risk > contract.high_risk, 2, above)]


def _describe_numbers(contract: Contract, spec: NumberSpec, figures: Floats) -> AnswerColumns:
    low, high = spec.ends
    value = np.minimum(np.maximum(figures[:, 0], low), high)
    ends = np.maximum(low, value - spec.reach), np.minimum(high, value + spec.reach)
    none: Any = np.full(len(value), None, dtype=object)
    return AnswerColumns(
        prediction=np.zeros(len(value), dtype=np.int64),
        label=np.array([spell_number(each) for each in value.tolist()], dtype=object),
        probabilities=value[:, np.newaxis],
        confidence=np.full(len(value), spec.coverage),
        risk_level=_band(contract, value) if spec.is_banded else none,
        figures=dict(zip(NUMBER_FIGURES, (value, *ends), strict=True)),
    )
