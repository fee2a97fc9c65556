"""Answers as columns say of each record what its own answer says."""

from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest

from bentos.columns import (
    FEW,
    Answers,
    answer_records,
    describe_columns,
    list_outcomes,
    tell_answers,
    tell_list,
)
from bentos.predictor import Predictor, _describer
from driftline.contract import Contract
from driftline.dataset import draft_contract
from tests.bentos.models import number_problem, tiny_problem
from tests.support import MOODS, make_problem


def contracts() -> list[Contract]:
    """Two classes, three with and without costs and several positive ones, and a number."""
    two = replace(draft_contract(tiny_problem()), threshold=0.5)
    three = draft_contract(make_problem(MOODS))
    odd = replace(three, classes=('50 %s, "quoted"', "a\x7f\x7fb", "zw\u00f6lf"))
    return [
        two,
        three,
        replace(odd, positive=(1,)),
        replace(three, positive=(0, 2), costs=(1.0, 0.4, 0.7)),
        replace(three, costs=((0.0, 0.2, 1.0), (0.2, 0.0, 0.2), (1.0, 0.2, 0.0))),
        draft_contract(number_problem()),
    ]


@pytest.mark.parametrize("contract", contracts())
def test_columns_say_what_each_answer_says(contract: Contract) -> None:
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(contract.width), 500).astype(np.float32)
    if contract.number is not None:
        scores = rng.normal(30, 30, (500, 1)).astype(np.float32)
    scores[:4] = scores[0].mean()  # ties

    columns = describe_columns(contract, scores)

    answers: list[Any] = [_describer(contract)(row) for row in scores.tolist()]
    assert columns.prediction.tolist() == [answer.prediction for answer in answers]
    assert columns.label.tolist() == [answer.label for answer in answers]
    assert columns.confidence.tolist() == [answer.confidence for answer in answers]
    assert columns.risk_level.tolist() == [answer.risk_level for answer in answers]
    assert columns.probabilities.tolist() == [list(a.probability.values()) for a in answers]
    for name, values in columns.figures.items():
        assert values.tolist() == [answer.figures[name] for answer in answers]


@pytest.mark.parametrize("contract", contracts())
@pytest.mark.parametrize("rows", [0, 1, FEW - 1, FEW, 300])
def test_many_records_are_answered_as_each_by_itself(contract: Contract, rows: int) -> None:
    rng = np.random.default_rng(rows)
    scores = rng.dirichlet(np.ones(contract.width), rows).astype(np.float32)
    if contract.number is not None:
        scores = rng.normal(30, 30, (rows, 1)).astype(np.float32)
    predictor = Scored(contract, scores)

    many = answer_records(predictor, np.zeros((rows, 1), np.float32))

    each = predictor.answer(np.zeros((rows, 1), np.float32))
    ids = [str(row) for row in range(rows)]
    assert told(contract, many, ids) == told(contract, each, ids)
    assert list_outcomes(many) == list_outcomes(each)


class Scored(Predictor):
    """A predictor whose model gives these figures."""

    def __init__(self, contract: Contract, scores: np.ndarray) -> None:
        """Stand in for a session."""
        self.contract, self.scores = contract, scores
        self._describe = _describer(contract)

    def score_matrix(self, _matrix: np.ndarray) -> np.ndarray:
        return self.scores


def told(contract: Contract, answers: Answers, ids: list[str]) -> bytes:
    """The answers' bodies to the byte, in which 1 and 1.0 differ; one by one and all at once."""
    each = orjson.dumps(list(tell_answers(contract, answers, ids)))
    assert orjson.dumps(tell_list(contract, answers, ids)) == each
    return each


def test_no_rows_have_no_answers(predictor: Predictor) -> None:
    contract = predictor.contract

    assert len(describe_columns(contract, np.empty((0, contract.width), np.float32))) == 0
