"""What environments are sent."""

import json
from dataclasses import replace

import numpy as np
import pytest

from driftline.contract import Contract
from driftline.dataset import draft_contract
from driftline.questions import (
    bad_requests,
    edge_records,
    plain_records,
    records_of_vectors,
    resample_records,
)
from tests.support import STAY, make_problem, tiny_rows

TYPICAL = {"age": 61, "level": 1.25, "sex": "F"}


@pytest.fixture
def contract() -> Contract:
    return replace(draft_contract(make_problem()), threshold=0.5)


def test_resampled_and_edge_records_all_keep_the_contract(contract: Contract) -> None:
    real = plain_records(tiny_rows(), contract)

    made = resample_records(real, contract, count=500, seed=3)
    edges = edge_records(TYPICAL, contract)

    contract.encode_table([*made, *edges])
    assert made == resample_records(real, contract, count=500, seed=3)
    for value in (-10, 10, -9.0, None):
        assert TYPICAL | {"level": value} in edges
    json.dumps([*real, *made, *edges], allow_nan=False)


def test_vectors_are_told_as_the_records_they_came_from(contract: Contract) -> None:
    real = plain_records(tiny_rows(), contract)
    matrix = contract.encode_table(real)

    told = records_of_vectors(matrix, contract)

    assert np.array_equal(contract.encode_table(told), matrix, equal_nan=True)


def test_a_vector_that_no_record_can_say_is_left_out(contract: Contract) -> None:
    impossible = contract.encode_table([TYPICAL])
    impossible[0, 0] = 61.5  # an age in half years

    assert records_of_vectors(impossible, contract) == []


def test_each_bad_request_has_a_name_of_its_own(contract: Contract) -> None:
    names = [request.name for request in bad_requests(TYPICAL, contract)]

    assert len(set(names)) == len(names)
    assert {"age: text", "age: missing", "level: too large", "sex: unknown category"} <= set(names)


def test_what_counts_as_another_category_is_asked_and_not_refused() -> None:
    sex = {"kind": "category", "categories": ["F", "other"], "unseen": "other"}
    contract = draft_contract(make_problem(columns={"sex": sex}))

    edges = edge_records({"sex": "F"}, contract)
    refused = [request.name for request in bad_requests({"sex": "F"}, contract)]

    assert {"sex": "no such category"} in edges
    assert "sex: an object" in refused
    assert not {"sex: unknown category", "sex: true"} & set(refused)


def test_a_label_that_could_be_right_is_sent_for_an_id_that_nobody_knows() -> None:
    contract = draft_contract(make_problem(STAY))

    requests = {one.name: one for one in bad_requests(TYPICAL, contract)}

    assert json.loads(requests["unknown id"].body)["label"] == 0.0
    assert contract.labels.find(0.0) == "0"
