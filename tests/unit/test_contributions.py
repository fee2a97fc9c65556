from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.contributions import explain
from driftline.dataset import draft_contract
from tests.support import MOODS, make_problem

CONTRACT = replace(draft_contract(make_problem()), typical=(("age", 40), ("level", 0.0)))


def lines(*weights: float):  # noqa: ANN201 - a model of straight lines
    def score(matrix: np.ndarray) -> list[list[float]]:
        filled = np.nan_to_num(matrix.astype(np.float64))
        risk = np.clip(0.5 + filled @ np.array(weights), 0, 1)
        return np.column_stack([1 - risk, risk]).tolist()

    return score


@given(age=st.integers(30, 50), level=st.floats(-1, 1))
def test_a_field_moves_the_risk_by_its_weight_times_its_distance_from_typical(
    age: int, level: float
) -> None:
    record = {"age": age, "level": level, "sex": "F"}

    found = explain(CONTRACT, record, lines(0.002, 0.1, 0.0, 0.0))

    moved = {one.field: one.difference for one in found.contributions}
    assert moved["age"] == pytest.approx(0.002 * (age - 40), abs=1e-6)
    assert moved["level"] == pytest.approx(0.1 * level, abs=1e-6)
    assert moved["sex"] == 0
    assert found.classes == ("ill",)
    assert found.typical_figure == pytest.approx(0.58)
    sizes = [abs(one.difference) for one in found.contributions]
    assert sizes == sorted(sizes, reverse=True)


def test_a_category_is_replaced_as_a_whole_and_a_missing_value_by_a_typical_one() -> None:
    asked: list[np.ndarray] = []

    def score(matrix: np.ndarray) -> list[list[float]]:
        asked.append(matrix)
        return lines(0.0, 0.0, 0.0, 0.2)(matrix)

    found = explain(CONTRACT, {"age": 40, "level": None, "sex": "M"}, score)

    (matrix,) = asked
    assert matrix[:, 2:].tolist() == [[0, 1], [1, 0], [0, 1], [0, 1], [1, 0]]
    assert np.isnan(matrix[:, 1]).tolist() == [True, False, True, False, True]
    assert found.contributions[0].field == "sex"
    assert found.contributions[0].typical == "F"
    assert found.contributions[0].difference == pytest.approx(0.2)


def test_without_positive_classes_the_class_decided_for_is_explained() -> None:
    contract = replace(draft_contract(make_problem(MOODS)), positive=())

    def score(matrix: np.ndarray) -> list[list[float]]:
        return [[0.2, 0.7, 0.1]] * len(matrix)

    found = explain(contract, contract.typical_record, score)

    assert (found.classes, found.figure) == (("even",), 0.7)
