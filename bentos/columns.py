"""Many records' outcomes as columns: what `Predictor.answer` says of each, said of all at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson
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
from driftline.deciding import decide_by_costs
from driftline.numbers import NumberSpec, spell_number

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]
FEW = 50  # records, below which each by itself is as fast
HOLE = "\0"  # in a pattern; no JSON text has it
BAND_TEXTS = {None: "null"} | {band: f'"{band}"' for band in ("low", "medium", "high")}
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


Answers = AnswerColumns | Sequence[AnyAnswer]


def list_outcomes(answers: Answers) -> tuple[list[str], list[str | None], list[float]]:
    """The labels, the risk levels and the confidences of answers."""
    if isinstance(answers, AnswerColumns):
        return answers.label.tolist(), answers.risk_level.tolist(), answers.confidence.tolist()
    return (
        [answer.label for answer in answers],
        [answer.risk_level for answer in answers],
        [answer.confidence for answer in answers],
    )


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


def answer_records(predictor: Predictor, matrix: NDArray[np.float32]) -> Answers:
    """What `Predictor.answer` says of encoded records, as columns where they are many."""
    if len(matrix) < FEW:
        return predictor.answer(matrix)
    return describe_columns(predictor.contract, predictor.score_matrix(matrix))


def tell_answers(contract: Contract, answers: Answers, ids: Sequence[str]) -> list[Any]:
    """The body of each answer, as its own `to_json` has it: a mapping, or JSON text of it."""
    version = contract.model_version
    if not isinstance(answers, AnswerColumns):
        return [
            answer.to_json(model_version=version, prediction_id=name)
            for answer, name in zip(answers, ids, strict=True)
        ]
    if contract.number is not None:
        return _tell_numbers(contract.number, answers, version, ids)
    pattern = _make_pattern(contract)
    return [orjson.Fragment(pattern % one) for one in _fillings(contract, answers, ids)]


def tell_list(contract: Contract, answers: Answers, ids: Sequence[str]) -> Any:
    """The list of what `tell_answers` gives, as JSON has it: a list, or its text at once."""
    if not isinstance(answers, AnswerColumns) or contract.number is not None or not ids:
        return tell_answers(contract, answers, ids)
    pattern = ",".join([_make_pattern(contract)] * len(ids))
    filled = pattern % tuple(chain.from_iterable(_fillings(contract, answers, ids)))
    return orjson.Fragment(f"[{filled}]")


def _fillings(
    contract: Contract, answers: AnswerColumns, ids: Sequence[str]
) -> Iterable[tuple[Any, ...]]:
    """What stands in the holes of each answer's pattern."""
    labels = [orjson.dumps(name).decode() for name in contract.classes]
    places = answers.prediction.tolist()
    bands = [BAND_TEXTS[band] for band in answers.risk_level.tolist()]
    figures = (_spell_all(each) for each in (*answers.probabilities.T, answers.confidence))
    return zip(places, [labels[place] for place in places], *figures, bands, ids, strict=True)


def _make_pattern(contract: Contract) -> str:
    """The JSON text of an answer: `%s` for class, label, each figure, the band and the id."""
    hole: Any = orjson.Fragment(HOLE)
    quoted: Any = orjson.Fragment(f'"{HOLE}"')
    body = Answer(hole, hole, dict.fromkeys(contract.classes, hole), hole, hole).to_json(
        model_version=contract.model_version, prediction_id=quoted
    )
    return orjson.dumps(body).decode().replace("%", "%%").replace(HOLE, "%s")


def _spell_all(numbers: Floats) -> list[str]:
    """Each number as JSON has it."""
    text = orjson.dumps(numbers.tolist()).decode()
    return text[1:-1].split(",")


def _tell_numbers(
    spec: NumberSpec, answers: AnswerColumns, version: str, ids: Sequence[str]
) -> list[dict[str, Any]]:
    figures = (answers.figures[name].tolist() for name in NUMBER_FIGURES)
    told = zip(*figures, answers.risk_level.tolist(), ids, strict=True)
    return [
        NumberAnswer(value, (low, high), spec.coverage, band).to_json(
            model_version=version, prediction_id=name
        )
        for value, low, high, band, name in told
    ]


def _decide(contract: Contract, probabilities: Floats) -> NDArray[np.int64]:
    """Class indices, as `Contract.decide` has each."""
    if contract.threshold is not None:
        positive = contract.positive[0]
        is_positive = probabilities[:, positive] >= contract.threshold
        return np.where(is_positive, positive, 1 - positive).astype(np.int64)
    return decide_by_costs(probabilities, contract.costs)


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
