"""Computed features in a model: exported, asked of, measured and explained."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from driftline.candidates import CANDIDATES
from driftline.contract import Contract
from driftline.contributions import explain
from driftline.dataset import draft_contract, encode_rows
from driftline.export import check_parity, edge_cases, export_onnx
from driftline.importance import measure_use
from driftline.questions import (
    bad_requests,
    edge_records,
    plain_records,
    records_of_vectors,
    resample_records,
)
from driftline.typical import find_typical
from tests.support import make_problem
from tests.unit.featured import COLUMNS, RECORD, cleaned, contract_of, make, rows


def fit(name: str, matrix: np.ndarray, y: np.ndarray) -> Any:
    candidate = CANDIDATES[name]
    return candidate.build(candidate.defaults, 0).fit(matrix, y)


@pytest.fixture(scope="module", params=["logistic_regression", "hist_gradient_boosting"])
def fitted(request: pytest.FixtureRequest) -> tuple[Contract, Any, np.ndarray, np.ndarray]:
    """A model on rows with features."""
    problem = make()
    table = cleaned(problem, rows(200))
    matrix, y = encode_rows(table, problem), (table["outcome"] == "ill").to_numpy().astype(int)
    contract = replace(contract_of(problem), threshold=0.5)
    contract = replace(contract, typical=find_typical(matrix, contract))
    return contract, fit(request.param, matrix, y), matrix, y


def test_onnx_answers_as_the_model_where_features_are_missing(fitted: Any) -> None:
    contract, model, matrix, _ = fitted

    edges = edge_cases(model, matrix, contract)
    parity = check_parity(
        model, export_onnx(model, matrix.shape[1]), np.vstack([matrix, edges]), contract
    )

    alone = edges[np.isnan(edges).sum(axis=1) == 1]
    assert np.isnan(alone[:, -4:]).any(axis=0).tolist() == [True] * 4
    assert parity.is_kept


def test_questions_are_records_that_are_taken_and_refused_ones(fitted: Any) -> None:
    contract, model, matrix, _ = fitted
    real = plain_records(cleaned(make(), rows()), contract)
    real += [RECORD | {"left": "2024-03-05"}, RECORD | {"came": "2024-03-02", "left": "2024-03-10"}]

    asked = resample_records(real, contract, count=300, seed=0)
    asked += resample_records(real[-2:], contract, count=300, seed=0)  # some stay for 3 days
    asked += edge_records(RECORD | {"left": "2024-03-05"}, contract)
    asked += records_of_vectors(edge_cases(model, matrix, contract), contract)
    refused = [request.name for request in bad_requests(real[1], contract)]

    assert len(contract.encode_table(asked)) > 300
    assert "bmi, computed" in refused


def test_a_column_is_used_as_much_as_what_is_computed_of_it() -> None:
    """The model goes by the product alone: both columns count, and the third does not."""
    problem = make_problem(
        columns={"a": {}, "b": {}, "c": {}}, features={"x": "a * b", "y": "x + 1"}
    )
    rng = np.random.default_rng(0)
    records = [dict(zip("abc", row, strict=True)) for row in rng.normal(size=(400, 3)).tolist()]
    contract = draft_contract(problem)
    matrix = contract.encode_table(records)
    matrix_seen = np.where(np.arange(5) >= 3, matrix, 0).astype(np.float32)
    y = (matrix[:, 3] > 0).astype(int)
    model = fit("decision_tree", matrix_seen, y)

    use = measure_use(model, matrix, y, contract, seed=0)

    assert min(use["a"], use["b"]) > 0.4
    assert use["c"] == 0


def test_an_explanation_moves_what_is_computed_of_a_field(fitted: Any) -> None:
    contract, model, _, _ = fitted
    record = RECORD | {"weight [kg]": 140, "left": "2024-03-05"}
    typical = contract.typical_record
    asked: list[np.ndarray] = []

    def score(matrix: np.ndarray) -> list[list[float]]:
        asked.append(matrix)
        return model.predict_proba(matrix).tolist()  # type: ignore[no-any-return]

    found = explain(contract, record, score)

    lighter = record | {"weight [kg]": typical["weight [kg]"]}
    wanted = np.array(contract.encode(lighter), dtype=np.float32)
    assert np.array_equal(asked[0][2], wanted, equal_nan=True)
    assert {one.field for one in found.contributions} == set(COLUMNS)


def test_an_explanation_is_given_though_the_typical_record_is_undefined() -> None:
    contract = replace(contract_of(make()), typical=tuple(RECORD.items()))
    record = RECORD | {"left": "2024-03-05"}

    found = explain(contract, record, lambda rows: [[0.5, 0.5]] * len(rows))

    assert len(found.contributions) == len(COLUMNS)
