"""Ids tell when they were made, and nothing else."""

import time

import pytest

from bentos.api import NOT_YET_SECONDS, Api
from bentos.ids import TIME_DIGITS, fold_id, is_recent, new_ids
from tests.bentos.asking import ask, code, read
from tests.bentos.models import RECORD, KeptLog


def made_at(seconds: float) -> str:
    """An id that another replica made then."""
    return f"{int(seconds * 1000):0{TIME_DIGITS}x}" + new_ids(1)[0][TIME_DIGITS:]


def test_ids_are_many_and_differ() -> None:
    ids = new_ids(10_000)

    assert len(set(ids)) == 10_000
    assert {len(each) for each in ids} == {32}
    assert len({each[TIME_DIGITS:] for each in ids}) == 10_000
    assert new_ids(0) == []


def test_later_ids_come_after_earlier_ones() -> None:
    (first,) = new_ids(1)
    time.sleep(0.002)

    assert first < new_ids(1)[0]


@pytest.mark.parametrize(
    "other", ["", "a", "f" * 32, "0" * 32, "z" * 32, "-1" * 16, "a" * 64, " " * 32]
)
def test_what_is_made_otherwise_is_not_recent(other: str) -> None:
    assert is_recent(new_ids(1)[0], 60.0)
    assert not is_recent(other, NOT_YET_SECONDS)


def test_a_label_of_another_replicas_answer_is_not_yet_known(api: Api) -> None:
    """Right after the answer, before it is shipped; its clock may be somewhat ahead."""
    for prediction_id in (new_ids(1)[0], made_at(time.time() + 5)):
        reply = ask(api, "/feedback", {"prediction_id": prediction_id, "label": "ill"})

        assert code(reply) == (503, "not_yet")
        assert dict(reply.headers)["retry-after"] == "1"
    assert api.ledger.labels == {"not_yet": 2}


@pytest.mark.parametrize("age_seconds", [NOT_YET_SECONDS + 1, -NOT_YET_SECONDS - 1, 1e6])
def test_an_old_id_that_nobody_knows_is_unknown(api: Api, age_seconds: float) -> None:
    prediction_id = made_at(time.time() - age_seconds)

    reply = ask(api, "/feedback", {"prediction_id": prediction_id, "label": "ill"})

    assert code(reply) == (404, "unknown_prediction")


def test_answers_carry_such_ids(api: Api, log: KeptLog) -> None:
    answer = read(ask(api, "/predict", RECORD))

    assert is_recent(answer["prediction_id"], 60.0)
    assert log.predictions[0]["id"] == answer["prediction_id"]


@pytest.mark.parametrize(
    "kept",
    [
        "01A227B00B98D82DF39B6FD577D01FE0",
        "01a227b0-0b98-d82d-f39b-6fd577d01fe0",
        "{01A227B0-0B98-D82D-F39B-6FD577D01FE0}",
    ],
)
def test_an_id_is_one_in_capitals_and_as_a_uuid(kept: str) -> None:
    """As a database's own type for such ids, or another language's, gives it back."""
    assert fold_id(kept) == "01a227b00b98d82df39b6fd577d01fe0"
    assert fold_id(kept + "-12").endswith("-12")


@pytest.mark.parametrize("other", ["Visit-7", "A" * 31, "G" * 32, "a" * 32 + "-x", ""])
def test_another_id_stays_as_it_is(other: str) -> None:
    assert fold_id(other) == other


def test_a_label_finds_its_prediction_by_an_id_in_capitals(api: Api) -> None:
    prediction_id = read(ask(api, "/predict", RECORD))["prediction_id"]

    reply = ask(api, "/feedback", {"prediction_id": prediction_id.upper(), "label": "ill"})

    assert read(reply) == {"status": "added"}
