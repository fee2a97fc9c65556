"""Who is answered by which model of a trial: sticky by a key, in the declared share, and logged."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from bentos.api import Api
from bentos.arms import Arms, answers_alike, is_contenders
from bentos.http.hotpath import HotPath
from bentos.predictor import Predictor
from driftline.computed import FeatureSpec
from tests.bentos.asking import read
from tests.bentos.clients import Client, call
from tests.bentos.models import RECORD, KeptLog, list_predictions, tiny_records
from tests.bentos.takeover.shelving import tiny_model

SALT = "5a" * 16


@pytest.fixture
def contender() -> Predictor:
    """Another version of the model that the API has, which asks and answers the same."""
    contract, onnx = tiny_model()
    return Predictor(replace(contract, model_version="8"), onnx)


def arms(contender: Predictor, share: float = 0.3, field: str = "", champion: str = "7") -> Arms:
    return Arms(contender, champion, share, SALT, field)


def predict(api: Api, subject: bytes = b"", record: dict[str, Any] | None = None) -> str:
    """Who answers."""
    body = json.dumps(record or RECORD).encode()
    return str(read(api.respond("POST", "/predict", body, subject=subject))["model_version"])


def test_a_subject_is_answered_by_one_model_and_shares_are_as_declared(
    api: Api, contender: Predictor
) -> None:
    api.split(arms(contender))
    subjects = [f"patient-{i}".encode() for i in range(1000)]

    first = [predict(api, subject) for subject in subjects]
    again = [predict(api, subject) for subject in reversed(subjects)]

    assert first == list(reversed(again))
    assert 250 < first.count("8") < 350


def test_another_process_decides_alike() -> None:
    """Whatever seeds Python's own hashes: workers, restarts and replicas agree."""
    program = (
        "import sys; from bentos.arms import is_contenders\n"
        "print([is_contenders(sys.argv[1], b'p%d' % i, 0.5) for i in range(50)])"
    )
    words = [sys.executable, "-c", program, SALT]

    done = subprocess.run(words, capture_output=True, text=True, check=True)

    mine = [is_contenders(SALT, b"p%d" % i, 0.5) for i in range(50)]
    assert done.stdout.strip() == str(mine)
    assert len(set(mine)) == 2


def test_a_larger_share_takes_nobody_back() -> None:
    subjects = [b"p%d" % i for i in range(500)]
    small = {one for one in subjects if is_contenders(SALT, one, 0.1)}
    large = {one for one in subjects if is_contenders(SALT, one, 0.4)}

    assert small < large


def test_a_declared_field_names_the_subject_however_it_is_spelt(
    api: Api, contender: Predictor
) -> None:
    api.split(arms(contender, share=0.5, field="age"))

    whole = [predict(api, b"one caller", RECORD | {"age": age}) for age in range(60)]
    floats = [predict(api, b"another", RECORD | {"age": float(age)}) for age in range(60)]

    assert whole == floats
    assert set(whole) == {"7", "8"}


def test_without_a_key_answers_are_parted_by_their_ids(api: Api, contender: Predictor) -> None:
    api.split(arms(contender, share=0.5))

    assert {predict(api) for _ in range(100)} == {"7", "8"}


def test_a_batch_is_answered_in_its_order_and_logged_by_version(
    api: Api, log: KeptLog, contender: Predictor
) -> None:
    records = list(tiny_records(200))
    body = json.dumps({"records": records}).encode()
    alone = read(api.respond("POST", "/predict_batch", body))["predictions"]
    log.entries.clear()
    api.split(arms(contender, share=0.5, field="age"))

    parted = read(api.respond("POST", "/predict_batch", body))["predictions"]

    logged = {
        one["id"]: (entry["version"], one["inputs"])
        for entry in log.entries
        for one in list_predictions(entry)
    }
    assert [each["probability"] for each in parted] == [each["probability"] for each in alone]
    assert [logged[each["prediction_id"]] for each in parted] == [
        (each["model_version"], record) for each, record in zip(parted, records, strict=True)
    ]
    assert {version for version, _ in logged.values()} == {"7", "8"}
    assert dict(api.ledger.by_version) == {
        version: sum(each["model_version"] == version for each in parted) + 200 * (version == "7")
        for version in ("7", "8")
    }


def test_where_one_model_fails_nothing_of_the_batch_is_logged(
    api: Api, log: KeptLog, contender: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asked was given no answer, so none may count."""

    def fail(_matrix: object) -> None:
        raise RuntimeError

    body = json.dumps({"records": list(tiny_records(50))}).encode()
    api.split(arms(contender, share=0.5, field="age"))
    monkeypatch.setattr(contender, "answer", fail)

    with pytest.raises(RuntimeError):
        api.respond("POST", "/predict_batch", body)

    assert log.entries == []
    assert sum(api.ledger.by_version.values()) == 0


@pytest.mark.parametrize("field", ["", "age"])
def test_an_answer_is_explained_by_the_model_that_gave_it(
    api: Api, contender: Predictor, field: str
) -> None:
    api.split(arms(contender, share=0.5, field=field))
    seen = set()
    for number in range(40):
        subject, record = b"p%d" % number, RECORD | {"age": 20 + number}
        reply = api.respond("POST", "/explain", json.dumps(record).encode(), subject=subject)
        explained = read(reply)["model_version"]
        assert explained == predict(api, subject, record)
        seen.add(explained)

    assert seen == {"7", "8"}


def test_without_a_subject_the_champion_is_explained(api: Api, contender: Predictor) -> None:
    api.split(arms(contender, share=0.9))
    body = json.dumps(RECORD).encode()

    told = {read(api.respond("POST", "/explain", body))["model_version"] for _ in range(30)}

    assert told == {"7"}


def test_beside_another_champion_than_the_trials_the_champion_answers_all(
    api: Api, contender: Predictor
) -> None:
    api.split(arms(contender, share=0.99, champion="6"))

    assert {predict(api) for _ in range(30)} == {"7"}


def test_a_contender_that_asks_something_else_is_not_asked(api: Api, contender: Predictor) -> None:
    fields = contender.contract.fields[:-1]
    contender.contract = replace(contender.contract, fields=fields)
    api.split(arms(contender, share=0.99))

    assert {predict(api) for _ in range(30)} == {"7"}


def test_the_header_reaches_the_choice_and_no_log(
    api: Api, log: KeptLog, contender: Predictor
) -> None:
    api.split(arms(contender, share=0.5))
    hot_path = HotPath()
    hot_path.api = api
    body = json.dumps(RECORD).encode()

    seen = [
        {
            json.loads(call(hot_path, Client([body]), x_driftline_key=name).body)["model_version"]
            for _ in range(2)
        }
        for name in (f"secret-{i}" for i in range(40))
    ]

    assert all(len(answers) == 1 for answers in seen)
    assert set.union(*seen) == {"7", "8"}
    assert "secret-" not in json.dumps(log.entries)


def test_a_contender_that_computes_otherwise_is_no_match(contender: Predictor) -> None:
    ours = contender.contract
    feature = FeatureSpec("ratio", "age / level")

    assert answers_alike(ours, replace(ours, model_version="9"))
    assert not answers_alike(ours, replace(ours, features=(feature,)))
