"""What the service tells of itself and of an answer, and that it keeps nothing of who asked why."""

from dataclasses import replace
from typing import Any

import pytest

from bentos.api import Api
from bentos.http.about import tell_model
from bentos.predictor import Predictor
from driftline.dataset import draft_contract
from tests.bentos.asking import ask, fields_at_fault, read
from tests.bentos.models import MARKER, RECORD, KeptLog
from tests.support import MOODS, make_problem


def test_an_explanation_has_the_probability_of_the_answer_and_every_field(api: Api) -> None:
    answer = read(ask(api, "/predict", RECORD))

    told = read(ask(api, "/explain", RECORD))

    assert told["classes"] == ["ill"]
    assert told["probability"] == pytest.approx(answer["probability"]["ill"])
    assert {each["field"] for each in told["contributions"]} == {"age", "level", "sex", "ward"}
    assert told["model_version"] == "7"
    assert "not what causes the outcome" in told["meaning"]


def test_a_field_that_is_typical_moves_nothing(api: Api, predictor: Predictor) -> None:
    usual = predictor.contract.typical_record

    told = read(ask(api, "/explain", usual))

    assert {each["difference"] for each in told["contributions"]} == {0}
    assert told["probability"] == told["typical_probability"]


def test_each_difference_is_that_of_two_predictions(api: Api, predictor: Predictor) -> None:
    usual = predictor.contract.typical_record

    told = read(ask(api, "/explain", RECORD))

    own = read(ask(api, "/predict", RECORD))["probability"]["ill"]
    for each in told["contributions"]:
        other = read(ask(api, "/predict", RECORD | {each["field"]: usual[each["field"]]}))
        assert each["difference"] == pytest.approx(own - other["probability"]["ill"], abs=1e-6)
    assert any(each["difference"] for each in told["contributions"])


@pytest.mark.parametrize("record", [RECORD, {"features": [40, 0.5, "F", None]}, {"age": MARKER}])
def test_who_asks_why_leaves_nothing_behind(api: Api, log: KeptLog, record: Any) -> None:
    before = api.ledger.answered

    reply = ask(api, "/explain", record)

    assert not log.entries
    assert not log.refused
    assert api.ledger.answered == before
    assert MARKER not in reply.body.decode()


def test_what_is_wrong_is_said_as_for_a_prediction(api: Api) -> None:
    reply = ask(api, "/explain", RECORD | {"age": 121})

    assert fields_at_fault(reply) == {"age": "must be between 0 and 120"}


def test_the_model_tells_what_a_form_needs(predictor: Predictor) -> None:
    contract = replace(
        predictor.contract, intervals=(("recall", 0.8, 0.95),), typical=(("age", 41),)
    )
    changed = Predictor.__new__(Predictor)
    changed.__dict__ |= vars(predictor) | {"contract": contract}

    told = read(Api(changed, KeptLog()).respond("GET", "/model", b""))

    assert told["positive"] == ["ill"]
    assert told["intervals"] == {"test_recall": [0.8, 0.95]}
    assert [each["name"] for each in told["fields"]] == ["age", "level", "sex", "ward"]
    age, level = told["fields"][:2]
    assert (age["typical"], age["unit"], age["range"]) == (41, "years", [0, 120])
    assert (level["missing"], level["missing_codes"]) == ("allow", ["-9"])
    assert told["fields"][2]["categories"] == ["F", "M"]


def test_the_model_tells_what_it_costs_to_answer_otherwise() -> None:
    contract = draft_contract(make_problem(MOODS))
    matrix = ((0.0, 0.2, 1.0), (0.2, 0.0, 0.2), (1.0, 0.2, 0.0))

    plain, missed, each = (
        tell_model(replace(contract, costs=costs)) for costs in ((), (1.0, 0.5, 0.1), matrix)
    )

    assert (plain["miss_costs"], plain["cost_matrix"]) == ({}, {})
    assert missed["miss_costs"] == {"low": 1.0, "even": 0.5, "high": 0.1}
    assert each["miss_costs"] == {}
    assert each["cost_matrix"]["low"] == {"low": 0.0, "even": 0.2, "high": 1.0}
