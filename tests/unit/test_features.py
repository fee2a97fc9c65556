"""Computed features of a problem: declared, encoded alike everywhere, and seen by all that asks."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.candidates import CANDIDATES
from driftline.cleaning import clean, faults_of_values
from driftline.contract import Contract, parse_contract
from driftline.contributions import explain
from driftline.dataset import draft_contract, encode_rows
from driftline.errors import ProblemError
from driftline.export import check_parity, edge_cases, export_onnx
from driftline.fields import InvalidRecordError
from driftline.form import read_computed, tell_computed
from driftline.importance import measure_use
from driftline.problem import Problem
from driftline.questions import (
    bad_requests,
    edge_records,
    plain_records,
    records_of_vectors,
    resample_records,
)
from driftline.typical import find_typical
from tests.support import make_problem

DATE = {"kind": "date", "range": ["2000-01-01", "2030-12-31"], "missing": "allow"}
COLUMNS: dict[str, Any] = {
    "weight [kg]": {"range": [0, 300]},
    "height": {"range": [0, 2.5], "missing": "allow"},
    "sex": {"kind": "category", "categories": ["F", "M"]},
    "came": DATE | {"parts": ["month"], "format": "day_first"},
    "left": DATE,
}
FEATURES: dict[str, Any] = {
    "heavy": "bins(bmi, [18.5, 25, 30])",
    "bmi": "'weight [kg]' / height ** 2",
    "stay": {"formula": "days(came, left)"},
    "speed": {"formula": "1 / (stay - 3)", "undefined": "refuse"},
}
RECORD = {
    "weight [kg]": 70, "height": 1.75, "sex": "M", "came": "2024-02-28", "left": "2024-03-02",
}  # fmt: skip


def make(**changes: Any) -> Problem:
    return make_problem(**({"columns": COLUMNS, "features": FEATURES} | changes))


def contract_of(problem: Problem) -> Contract:
    return parse_contract(draft_contract(problem).to_json())


def encode(**changes: Any) -> dict[str, float]:
    contract = contract_of(make())
    vector = contract.encode(RECORD | {"left": "2024-03-05"} | changes)
    return dict(zip(contract.feature_names, vector, strict=True))


def rows(count: int = 60, seed: int = 0) -> pd.DataFrame:
    """A file's rows: every feature tells of the outcome, and some heights are missing or 0."""
    rng = np.random.default_rng(seed)
    came = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, count), unit="D")
    left = came + pd.to_timedelta(rng.integers(4, 30, count), unit="D")
    height = np.round(rng.uniform(1.4, 2.0, count), 2)
    height[::9], height[4::9] = np.nan, 0
    weight = np.round(rng.uniform(40, 150, count), 1)
    return pd.DataFrame(
        {
            "weight [kg]": weight,
            "height": height,
            "sex": rng.choice(["F", "M"], count),
            "came": came.strftime("%d.%m.%Y"),
            "left": left.strftime("%Y-%m-%d"),
            "outcome": (weight > 80).astype(int),
        }
    )


def cleaned(problem: Problem, raw: pd.DataFrame) -> pd.DataFrame:
    return clean(raw, problem, source="rows.csv", with_target=True).table


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


def test_the_contract_asks_for_the_columns_and_holds_the_formulas() -> None:
    contract = contract_of(make())

    assert [field.name for field in contract.fields] == list(COLUMNS)
    assert contract.feature_names[-4:] == ("bmi", "stay", "heavy", "speed")
    assert contract == draft_contract(make())
    assert "features" not in draft_contract(make(features={})).to_json()


def test_a_record_of_columns_becomes_the_vector_with_its_features() -> None:
    found = encode()

    assert found["bmi"] == pytest.approx(70 / 1.75**2)
    assert (found["heavy"], found["stay"], found["came.month"]) == (1, 6, 2)
    assert found["speed"] == pytest.approx(1 / 3)


def test_what_is_missing_or_undefined_is_missing_in_the_features_that_rest_on_it() -> None:
    missing, undefined = encode(height=None), encode(height=0)

    for found in (missing, undefined):
        assert math.isnan(found["bmi"])
        assert math.isnan(found["heavy"])
        assert found["stay"] == 6
    assert math.isnan(encode(left=None)["speed"])


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({}, ("came", "leaves speed undefined (1 / (stay - 3))")),
        ({"bmi": 20}, ("bmi", "is computed here; leave it out")),
    ],
)
def test_what_a_record_may_not_hold_is_said_with_its_field(
    record: dict[str, Any], fault: tuple[str, str]
) -> None:
    with pytest.raises(InvalidRecordError) as refused:
        contract_of(make()).encode(RECORD | record)

    assert refused.value.fields == (fault,)


def test_rows_that_the_contract_refuses_are_set_aside_with_the_same_words() -> None:
    raw = rows(12)
    raw.loc[3, ["came", "left"]] = ["28.02.2024", "2024-03-02"]
    raw.loc[5, "left"] = None

    found = faults_of_values(clean(raw, make(), source="rows.csv", with_target=True), make())

    assert found == {3: ("came: leaves speed undefined (1 / (stay - 3))",)}


def test_rows_of_a_file_and_records_of_json_give_the_same_bits() -> None:
    problem = make()
    table = cleaned(problem, rows())
    contract = contract_of(problem)

    trained = encode_rows(table, problem)
    served = [contract.encode(record) for record in plain_records(table, contract)]

    assert np.array(served, dtype=np.float32).tobytes() == trained.tobytes()
    assert np.isnan(trained[:, -4]).sum() > 5


PLAIN = make_problem(
    columns={"a": {}, "b": {"kind": "integer"}},
    features={"x": "log(abs(a)) / b", "y": "x ** 2 - a", "z": "sqrt(b) * 0.1"},
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "a": st.floats(-9e15, 9e15) | st.integers(-5, 5),
                "b": st.integers(-(10**6), 10**6),
            }
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_batch_is_encoded_as_each_of_its_records(records: list[dict[str, Any]]) -> None:
    contract = draft_contract(PLAIN)

    quick = contract.encode_quickly(records)

    assert quick is not None
    assert np.array_equal(quick, contract.encode_table(records), equal_nan=True)


def test_a_batch_with_an_undefined_record_is_left_to_be_judged_one_by_one() -> None:
    features = {"x": {"formula": "a / b", "undefined": "refuse"}}
    contract = draft_contract(make_problem(columns={"a": {}, "b": {}}, features=features))

    assert contract.encode_quickly([{"a": 1, "b": 1}, {"a": 1, "b": 0}]) is None
    assert contract.encode_quickly([{"a": 1, "b": 1}]) is not None


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ({"x": "nothing + 1"}, "features: x: got 'nothing', which is no column; wanted a number"),
        ({"x": "outcome * 2"}, "features: x: got 'outcome', which is the target"),
        ({"x": "truth * 2"}, "features: x: got 'truth', which is the target"),
        ({"x": "id * 2"}, "features: x: got 'id', which is ignored"),
        ({"x": "sex + 1"}, "features: x: got 'sex' of kind 'category'; + wants a number"),
        ({"x": "left"}, "features: x: got 'left' of kind 'date'; a formula wants a number"),
        ({"x": "days(left, height)"}, "got 'height' of kind 'number'; days wants a date"),
        ({"x": "y", "y": "x + height"}, "features: x: rests on itself (x, y)"),
        ({"height": "1 / height"}, "features: height: the name is taken by the column 'height'"),
        ({"sex=F": "height"}, "features: sex=F: the name is taken by the column 'sex'"),
        ({"came.month": "height"}, "the name is taken by the column 'came'"),
        ({"outcome": "height"}, "features: outcome: the name is taken by the target"),
        ({"id": "height"}, "features: id: the name is taken by ignored"),
        ({"x": "eval(height)"}, "features.x.formula: got 'eval(height)', wanted numbers"),
        ({"x": 7}, "features.x.formula: got '7', which names no column"),
        ({"x": {"formula": "height", "undefined": "drop"}}, "features.x.undefined: got 'drop'"),
    ],
)
def test_a_feature_that_does_not_fit_is_one_sentence_with_its_key(
    features: dict[str, Any], said: str
) -> None:
    target = {"name": "outcome", "aliases": ["truth"], "classes": {"well": [0], "ill": [1]}}

    with pytest.raises(ProblemError) as refused:
        make(features=features, ignored=["id"], target=target | {"positive": "ill"})

    assert said in str(refused.value)
    assert str(refused.value).count("tiny.yaml") == 1


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


def test_what_is_computed_is_told_and_read_back() -> None:
    contract = contract_of(make())

    assert tuple(map(read_computed, tell_computed(contract))) == contract.features
