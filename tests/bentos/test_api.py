import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.api import MAX_BATCH, Api, new_ids
from bentos.predictor import Predictor
from bentos.replies import MAX_FIELDS_NAMED
from tests.bentos.asking import ask, code, fields_at_fault, read
from tests.bentos.models import RECORD, FullLog, KeptLog, tiny_records

UNKNOWN_ID = "0" * 32
ANSWER_KEYS = {
    "prediction",
    "label",
    "probability",
    "confidence",
    "risk_level",
    "model_version",
    "prediction_id",
}


def test_an_answer_has_the_keys_of_the_design_and_is_logged_as_it_was_given(
    api: Api, log: KeptLog
) -> None:
    reply = ask(api, "/predict", RECORD)

    answer, (entry,) = read(reply), log.entries
    (logged,) = entry["predictions"]
    assert reply.status == 200
    assert set(answer) == ANSWER_KEYS
    assert sum(answer["probability"].values()) == pytest.approx(1)
    assert answer["confidence"] == answer["probability"][answer["label"]]
    assert logged["id"] == answer["prediction_id"]
    assert logged["inputs"] == RECORD
    assert logged["probabilities"] == list(answer["probability"].values())
    assert (
        (entry["version"], entry["problem"]) == (answer["model_version"], "tiny") == ("7", "tiny")
    )


def test_named_fields_and_features_in_order_are_answered_alike(api: Api) -> None:
    values = [40, 0.5, "F", None]

    named = read(ask(api, "/predict", RECORD))
    listed = read(ask(api, "/predict", {"features": values}))
    batch = read(ask(api, "/predict_batch", {"records": [RECORD, {"features": values}]}))

    every = [named, listed, *batch["predictions"]]
    assert len({each["prediction_id"] for each in every}) == 4
    assert len({json.dumps(each["probability"]) for each in every}) == 1


@pytest.mark.parametrize("absent", [{}, {"level": None}, {"level": -9}, {"level": -9.0}])
def test_missing_values_follow_the_contract(api: Api, absent: dict[str, Any]) -> None:
    """Absent, null and a missing code mean the same where the contract allows it."""
    without = {name: value for name, value in RECORD.items() if name != "level"}

    given_so = read(ask(api, "/predict", without | absent))
    as_nothing = read(ask(api, "/predict", without))

    assert given_so["probability"] == as_nothing["probability"]


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"age": None}, "age", "is required"),
        ({"age": "40"}, "age", "must be a number"),
        ({"age": True}, "age", "must be a number"),
        ({"age": [40]}, "age", "must be a number"),
        ({"age": 40.5}, "age", "must be a whole number"),
        ({"age": 121}, "age", "must be between 0 and 120"),
        ({"age": 10**19}, "age", "must be between 0 and 120"),
        ({"level": -10.01}, "level", "must be between -10 and 10"),
        ({"level": 1e308}, "level", "must be between -10 and 10"),
        ({"sex": "X"}, "sex", "must be one of: F, M"),
        ({"sex": 1}, "sex", "must be one of: F, M"),
        ({"sex": {}}, "sex", "must be one of its categories"),
        ({"height": 2}, "height", "is not a field of this problem"),
        ({"4111-1111": 2}, "(unprintable name)", "is not a field of this problem"),
        ({"features": [1]}, "features", "must be a list of values, and the only key"),
    ],
)
def test_what_is_wrong_is_said_of_each_field(
    api: Api, log: KeptLog, change: dict[str, Any], field: str, problem: str
) -> None:
    record = RECORD | change

    alone = ask(api, "/predict", record)
    within = ask(api, "/predict_batch", {"records": [RECORD, record]})

    assert fields_at_fault(alone) == {field: problem}
    assert fields_at_fault(within) == {f"records[1].{field}": problem}
    assert not log.entries


def test_every_field_at_fault_is_named(api: Api) -> None:
    reply = ask(api, "/predict", {"age": -1, "level": "x", "sex": "?", "height": 1})

    assert set(fields_at_fault(reply)) == {"age", "level", "sex", "height"}


@pytest.mark.parametrize("values", [[], [1, 2, "F"], [1] * 5, "F", None, {"0": 1}])
def test_features_of_another_length_or_kind_are_refused(api: Api, values: Any) -> None:
    reply = ask(api, "/predict", {"features": values})

    assert set(fields_at_fault(reply)) == {"features"}


@pytest.mark.parametrize("record", [None, 3, "age", [40, 0.5, "F", None], True])
def test_a_record_in_a_batch_must_be_an_object(api: Api, record: Any) -> None:
    reply = ask(api, "/predict_batch", {"records": [RECORD, record]})

    assert fields_at_fault(reply) == {"records[1]": "must be an object"}


def test_few_of_many_faults_are_named(api: Api) -> None:
    reply = ask(api, "/predict_batch", {"records": [{"age": -1, "sex": "F"}] * 1000})

    assert len(fields_at_fault(reply)) == MAX_FIELDS_NAMED


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_a_batch_is_answered_in_order(api: Api, log: KeptLog, count: int) -> None:
    records = list(tiny_records(count))

    answers = read(ask(api, "/predict_batch", {"records": records}))["predictions"]

    alone = [read(ask(api, "/predict", record)) for record in records]
    assert [each["probability"] for each in answers] == [each["probability"] for each in alone]
    logged = [one["id"] for one in log.predictions]
    assert logged == [each["prediction_id"] for each in answers + alone]


def test_a_batch_of_plain_numbers_is_answered_like_its_records(wide_predictor: Predictor) -> None:
    log = KeptLog()
    api = Api(wide_predictor, log)
    record = dict(wide_predictor.contract.example)
    records = [record | {name: value * 1.01} for name, value in record.items()]

    answers = read(ask(api, "/predict_batch", {"records": records}))["predictions"]

    alone = [read(ask(api, "/predict", each)) for each in records]
    assert [each["probability"] for each in answers] == [each["probability"] for each in alone]
    assert [one["inputs"] for one in log.predictions] == records * 2


def test_ten_thousand_records_are_taken_and_one_more_is_too_many(api: Api) -> None:
    records = list(tiny_records(MAX_BATCH + 1))

    most = ask(api, "/predict_batch", {"records": records[:-1]})
    too_many = ask(api, "/predict_batch", {"records": records})

    assert len(read(most)["predictions"]) == MAX_BATCH
    assert code(too_many) == (413, "batch_too_large")


@pytest.mark.parametrize(
    "document", [{}, {"records": {}}, {"records": None}, {"records": [], "x": 1}, {"x": []}]
)
def test_a_batch_that_is_no_batch_is_refused(api: Api, document: Any) -> None:
    assert code(ask(api, "/predict_batch", document)) == (422, "invalid_batch")


def test_a_label_is_kept_once(api: Api, log: KeptLog) -> None:
    prediction_id = read(ask(api, "/predict", RECORD))["prediction_id"]

    first = ask(api, "/feedback", {"prediction_id": prediction_id, "label": "ill"})
    again = ask(api, "/feedback", {"prediction_id": prediction_id, "label": "ill"})
    other = ask(api, "/feedback", {"prediction_id": prediction_id, "label": "well"})
    unknown = ask(api, "/feedback", {"prediction_id": UNKNOWN_ID, "label": "ill"})

    assert (first.status, read(first)) == (200, {"status": "added"})
    assert (again.status, read(again)) == (200, {"status": "same"})
    assert code(other) == (409, "label_differs")
    assert code(unknown) == (404, "unknown_prediction")
    assert log.labels == {prediction_id: "ill"}


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({}, {"prediction_id", "label"}),
        ({"prediction_id": UNKNOWN_ID, "label": "dead"}, {"label"}),
        ({"prediction_id": UNKNOWN_ID, "label": 1}, {"label"}),
        ({"prediction_id": UNKNOWN_ID, "label": ["ill"]}, {"label"}),
        ({"prediction_id": 7, "label": "ill"}, {"prediction_id"}),
        ({"prediction_id": "x'; --", "label": "ill"}, {"prediction_id"}),
        ({"prediction_id": UNKNOWN_ID + "\n", "label": "ill"}, {"prediction_id"}),
        ({"prediction_id": "a" * 65, "label": "ill"}, {"prediction_id"}),
        ({"prediction_id": UNKNOWN_ID, "label": "ill", "why": 1}, {"why"}),
    ],
)
def test_feedback_that_is_not_as_it_should_be_is_refused(
    api: Api, document: dict[str, Any], fields: set[str]
) -> None:
    assert set(fields_at_fault(ask(api, "/feedback", document))) == fields


def test_the_model_tells_where_it_comes_from(api: Api, predictor: Predictor) -> None:
    told = read(api.respond("GET", "/model", b""))

    contract = predictor.contract
    assert (told["name"], told["version"], told["snapshot"]) == ("tiny", "7", "0" * 64)
    assert told["metrics"] == {"test_recall": 0.9}
    assert told["threshold"] == 0.4
    assert told["miss_costs"] == {}
    assert told["promoted_at"] == contract.promoted_at
    assert told["onnx_sha256"] == contract.onnx_sha256


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/predict", RECORD),
        ("/predict_batch", {"records": [RECORD]}),
        ("/feedback", {"prediction_id": UNKNOWN_ID, "label": "ill"}),
    ],
)
def test_what_cannot_be_logged_is_not_answered_and_not_counted(
    predictor: Predictor, path: str, document: Any
) -> None:
    api = Api(predictor, FullLog())

    reply = ask(api, path, document)

    assert code(reply) == (503, "log_unavailable")
    assert set(read(reply)) == {"error"}
    assert set(api.ledger.by_class.values()) == {0}
    assert not api.ledger.labels
    assert api.ledger.rejected == {"log_unavailable": 1}


class Replaced:
    """A predictor that another replaces while it answers."""

    def __init__(self, predictor: Predictor, api: Api, successor: Predictor) -> None:
        """Say by whom."""
        self.contract = predictor.contract
        self._predictor, self._api, self._successor = predictor, api, successor

    def answer(self, matrix: Any) -> Any:
        answers = self._predictor.answer(matrix)
        self._api.take_over(self._successor)
        return answers


@pytest.mark.parametrize(
    ("path", "document"), [("/predict", RECORD), ("/predict_batch", {"records": [RECORD]})]
)
def test_a_request_is_answered_by_the_one_model_that_read_it(
    predictor: Predictor, wide_predictor: Predictor, path: str, document: Any
) -> None:
    log = KeptLog()
    api = Api(predictor, log)
    before = ask(api, path, document)
    api.predictor = Replaced(predictor, api, wide_predictor)  # type: ignore[assignment]

    during = ask(api, path, document)

    assert during.status == before.status == 200
    assert [entry["problem"] for entry in log.entries] == ["tiny", "tiny"]
    assert api.predictor is wide_predictor
    assert "driftline_input_value" in api.ledger.expose()


def test_counts_go_on_when_a_model_of_the_same_fields_takes_over(api: Api) -> None:
    ask(api, "/predict", RECORD)
    old = api.predictor
    new = Predictor.__new__(Predictor)
    new.__dict__ |= vars(old) | {"contract": replace(old.contract, model_version="8")}

    api.take_over(new)

    assert read(ask(api, "/predict", RECORD))["model_version"] == "8"
    assert sum(api.ledger.by_class.values()) == 2
    assert 'version="8"' in api.ledger.expose()


@given(count=st.integers(0, 50))
def test_ids_are_fresh_and_harmless(count: int) -> None:
    ids = new_ids(count) + new_ids(count)

    assert len(set(ids)) == 2 * count
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in ids)
