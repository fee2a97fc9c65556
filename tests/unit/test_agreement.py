"""What counts as a difference between environments."""

from dataclasses import replace

import numpy as np
import pytest

from driftline.agreement import (
    Answers,
    Response,
    Wanted,
    compare,
    differing_metrics,
    differing_parameters,
    largest_difference,
)
from driftline.contract import Contract
from driftline.dataset import draft_contract
from driftline.numbers import NumberSpec
from driftline.questions import Request
from tests.support import STAY, make_problem

TYPICAL = {"age": 61, "level": 1.25, "sex": "F"}
REFUSED = Response(422, b"{}")
FITTED = Answers(("well", "ill"), ("low", "high"), np.array([[0.9, 0.1], [0.2, 0.8]]))
WANTED = Wanted(
    fitted=FITTED,
    requests=(Request("bad", "POST", "/predict"),),
    errors=(REFUSED,),
    about=Response(200, b"{}"),
    y=np.array([0, 1]),
)


@pytest.fixture
def contract() -> Contract:
    return replace(draft_contract(make_problem()), threshold=0.5)


def test_equal_answers_agree(contract: Contract) -> None:
    found = replace(FITTED, errors=(REFUSED,), about=Response(200, b"{}"))

    agreement = compare("here", found, WANTED, contract)

    assert (agreement.state, agreement.why, agreement.rows) == ("equal", "", 2)
    assert agreement.metrics["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"labels": ("well", "well")}, "1 labels differ; metrics differ"),
        ({"labels": ("well",)}, "1 labels differ"),
        ({"risks": ("low", "low")}, "1 risk levels differ"),
        ({"probabilities": FITTED.probabilities + 2e-6}, "probabilities differ by 2.0e-06"),
        ({"probabilities": np.full((2, 2), np.nan)}, "probabilities differ by inf"),
        ({"errors": (Response(400, b"{}"),)}, "errors differ for: bad"),
        ({"errors": (Response(422, b"{ }"),)}, "errors differ for: bad"),
        ({"about": Response(200, b'{"version": "2"}')}, "its /model differs"),
    ],
)
def test_every_difference_is_named(contract: Contract, change: dict, why: str) -> None:
    agreement = compare("there", replace(FITTED, **change), WANTED, contract)

    assert agreement.state == "different"
    assert why in agreement.why


def test_matrices_of_other_shapes_are_infinitely_far_apart() -> None:
    assert largest_difference(np.zeros((2, 2)), np.zeros((3, 2))) == np.inf


def test_a_metric_of_decisions_may_not_move_at_all() -> None:
    found = {"accuracy": 0.9, "ece": 0.1, "roc_auc": np.nan}

    assert differing_metrics(found, found | {"ece": 0.1 + 1e-9}) == []
    assert differing_metrics(found, found | {"accuracy": 0.9 + 1e-9}) == ["accuracy"]
    assert differing_metrics(found, found | {"f1": 0.5}) == ["f1"]


def test_a_hyperparameter_that_was_logged_otherwise_is_named() -> None:
    logged = {"model__C": "0.5", "model__penalty": "l2", "folds": "10"}

    assert differing_parameters(logged, {"C": 0.5, "penalty": "l2"}) == []
    assert differing_parameters(logged, {"C": 0.25}) == [
        "C: logged 0.5, fitted 0.25",
        "penalty: logged l2, fitted none",
    ]


def numbers(*values: float) -> Answers:
    figures = np.array([[value, value - 2, value + 2] for value in values])
    return Answers(("",) * len(values), (None,) * len(values), figures)


def test_numbers_agree_while_they_differ_by_rounding_alone() -> None:
    """1e-5 of the spread: 40 days beside 4 may be answered as 40.0003, and not as 40.001."""
    problem = make_problem(STAY)
    contract = replace(draft_contract(problem), number=NumberSpec("days", 0.0, 60.0, 0.9, 2.0))
    wanted = replace(WANTED, fitted=numbers(4.0, 40.0), y=np.array([5.0, 30.0]))

    alike = compare("here", numbers(4.0, 40.0003), wanted, contract)
    apart = compare("here", numbers(4.0, 40.001), wanted, contract)

    told = "numbers differ by 2.8e-05 of the answers' spread, wanted at most 1.0e-05"
    assert (alike.state, alike.rows) == ("equal", 2)
    assert alike.metrics["interval_coverage"] == 0.5
    assert (apart.state, apart.why) == ("different", told)
