"""What a model of a number answers, logs and takes as a label, by HTTP and by Lambda alike."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bentos import lambda_handler
from bentos.api import Api
from bentos.http.openapi import describe
from bentos.http.page import render
from bentos.log.rows import PREDICTION, check_types, prediction_rows
from bentos.predictor import ModelRefusedError, Predictor
from driftline.contract import parse_contract
from driftline.served import ServedModel
from tasks.log.scoring import Scorer, score_part
from tests.bentos.asking import ask, code, fields_at_fault, read
from tests.bentos.models import RECORD, KeptLog, number_problem, write_number_model

BANDS = {"medium": 20, "high": 30}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that predicts days in hospital."""
    return write_number_model(tmp_path_factory.mktemp("number"))


@pytest.fixture
def served(folder: Path) -> Predictor:
    contract = parse_contract((folder / "contract.json").read_text("utf-8"))
    return Predictor(contract, (folder / "model.onnx").read_bytes())


@pytest.fixture
def number_api(served: Predictor, log: KeptLog) -> Api:
    return Api(served, log)


def test_an_answer_is_a_number_with_the_interval_around_it(number_api: Api, log: KeptLog) -> None:
    answer = read(ask(number_api, "/predict", RECORD))

    assert set(answer) == {"prediction", "interval", "coverage", "model_version", "prediction_id"}
    assert answer["interval"] == pytest.approx([answer["prediction"] - 4, answer["prediction"] + 4])
    assert (answer["coverage"], answer["model_version"]) == (0.9, "7")
    (logged,) = log.predictions
    assert logged["probabilities"] == [answer["prediction"]]
    assert float(logged["label"]) == answer["prediction"]
    assert (logged["prediction"], logged["confidence"], logged["risk"]) == (0, 0.9, None)


def test_what_is_logged_fits_the_columns_of_every_database(number_api: Api, log: KeptLog) -> None:
    ask(number_api, "/predict", RECORD)

    (row,) = prediction_rows(log.entries[0])

    check_types([row], PREDICTION)
    assert json.loads(row["probabilities"]) == [float(row["label"])]


def test_a_batch_is_answered_as_its_records_are(number_api: Api) -> None:
    records = [RECORD, RECORD | {"level": 9}, RECORD | {"level": None}]

    batch = read(ask(number_api, "/predict_batch", {"records": records}))["predictions"]

    alone = [read(ask(number_api, "/predict", record)) for record in records]
    assert [one["prediction"] for one in batch] == [one["prediction"] for one in alone]
    assert len({one["prediction"] for one in batch}) > 1


def test_an_answer_and_its_interval_end_where_the_range_does(
    folder: Path, served: Predictor, log: KeptLog
) -> None:
    number = served.contract.number
    assert number is not None
    narrow = replace(served.contract, number=replace(number, low=0.0, high=5.0))
    api = Api(Predictor(narrow, (folder / "model.onnx").read_bytes()), log)

    answer = read(ask(api, "/predict", RECORD | {"level": 9}))

    assert answer["prediction"] == 5.0
    assert answer["interval"] == [1.0, 5.0]


@pytest.mark.parametrize(("level", "band"), [(-5, "low"), (1.5, "medium"), (9, "high")])
def test_a_risk_level_is_told_where_the_number_is_banded(
    tmp_path: Path, log: KeptLog, level: float, band: str
) -> None:
    folder = write_number_model(tmp_path, risk_bands=BANDS)
    contract = parse_contract((folder / "contract.json").read_text("utf-8"))
    api = Api(Predictor(contract, (folder / "model.onnx").read_bytes()), log)

    answer = read(ask(api, "/predict", RECORD | {"level": level}))

    assert answer["risk_level"] == band
    assert read(api.respond("GET", "/model", b""))["risk_bands"] == BANDS


def test_a_number_is_taken_as_a_label_and_one_number_has_one_spelling(
    number_api: Api, log: KeptLog
) -> None:
    given = read(ask(number_api, "/predict", RECORD))["prediction_id"]

    def tell(label: Any) -> Any:
        return ask(number_api, "/feedback", {"prediction_id": given, "label": label})

    assert read(tell(4)) == {"status": "added"}
    assert read(tell(4.0)) == {"status": "same"}
    assert code(tell(4.5)) == (409, "label_differs")
    assert log.labels == {given: "4"}


@pytest.mark.parametrize(
    ("label", "kept"), [(1e-300, "1e-300"), (-0.0, "0"), (59.999999999999993, "59.99999999999999")]
)
def test_a_label_is_kept_as_a_text_that_its_column_holds(
    number_api: Api, log: KeptLog, label: float, kept: str
) -> None:
    given = read(ask(number_api, "/predict", RECORD))["prediction_id"]

    assert ask(number_api, "/feedback", {"prediction_id": given, "label": label}).status == 200
    assert log.labels == {given: kept}
    assert number_problem().target.find(kept) == kept


@pytest.mark.parametrize("label", ["4", None, True, [4], -1, 61, 1e300])
def test_a_label_that_is_no_number_of_the_range_is_refused(number_api: Api, label: Any) -> None:
    reply = ask(number_api, "/feedback", {"prediction_id": "a" * 32, "label": label})

    assert fields_at_fault(reply) == {"label": "must be a number from 0 to 60"}


def test_the_model_tells_what_it_predicts(number_api: Api) -> None:
    model = read(number_api.respond("GET", "/model", b""))

    assert model["number"] == {
        "unit": "days",
        "range": [0.0, 60.0],
        "interval": {"coverage": 0.9, "reach": 4.0},
    }
    assert not {"classes", "threshold", "miss_costs", "risk_bands"} & model.keys()


def test_the_description_promises_what_is_answered(number_api: Api, served: Predictor) -> None:
    import schemathesis
    from jsonschema import Draft202012Validator

    document = json.loads(json.dumps(describe(served.contract)))
    answer = read(ask(number_api, "/predict", RECORD))

    schemathesis.openapi.from_dict(document).validate()
    schema = document["components"]["schemas"]["Prediction"]
    Draft202012Validator(schema).validate(answer)
    label = document["paths"]["/feedback"]["post"]["requestBody"]["content"]["application/json"]
    assert label["schema"]["properties"]["label"] == {
        "type": "number",
        "description": "unit: days",
        "minimum": 0.0,
        "maximum": 60.0,
    }


def test_answers_are_counted_without_classes(number_api: Api) -> None:
    for _ in range(25):
        ask(number_api, "/predict", RECORD)

    text = number_api.ledger.expose()

    assert "driftline_answered_records_total 25" in text
    assert "driftline_predictions_total{" not in text


def test_a_graph_that_answers_with_more_figures_is_refused(folder: Path, served: Predictor) -> None:
    wider = replace(served.contract, number=None, classes=("a", "b"))

    with pytest.raises(ModelRefusedError):
        Predictor(wider, (folder / "model.onnx").read_bytes())


def test_a_contract_of_a_number_is_read_as_it_was_written(served: Predictor) -> None:
    assert parse_contract(served.contract.to_json()) == served.contract


@pytest.fixture
def sandbox(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Lambda that has just started, with the model of a number."""
    monkeypatch.setenv("DRIFTLINE_MODEL_DIR", str(folder))
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"sqlite:///{tmp_path / 'log.db'}")
    monkeypatch.setattr("bentos.sandbox._API", None)
    yield
    monkeypatch.setattr("bentos.sandbox._API", None)


@pytest.mark.usefixtures("sandbox")
def test_a_lambda_answers_the_same_and_keeps_the_label(number_api: Api) -> None:
    def invoke(path: str, document: Any) -> Any:
        event = {"httpMethod": "POST", "path": path, "body": json.dumps(document)}
        return json.loads(lambda_handler.handler(event)["body"])

    answer = invoke("/predict", RECORD)
    kept = invoke("/feedback", {"prediction_id": answer["prediction_id"], "label": 12.5})

    here = read(ask(number_api, "/predict", RECORD))
    assert answer | {"prediction_id": ""} == here | {"prediction_id": ""}
    assert kept == {"status": "added"}


def test_a_table_is_scored_with_numbers_and_their_intervals(home: Path, folder: Path) -> None:
    contract = parse_contract((folder / "contract.json").read_text("utf-8"))
    model = ServedModel("7", (folder / "model.onnx").read_bytes(), contract, frozenset())
    scorer = Scorer(
        number_problem(), model, source="r.csv", sha256="ab" * 32, output=str(home / "s")
    )
    rows = pd.DataFrame({"age": [40, 50, 999], "level": [0.5, np.nan, 1.0], "sex": ["F", "M", "F"]})

    assert score_part.fn(scorer, 0, rows, start=0) == 2

    scores = pd.read_parquet(scorer.part(0))
    assert {"prediction", "interval_low", "interval_high", "label"} <= set(scores)
    assert scores["interval_high"].tolist() == pytest.approx((scores["prediction"] + 4).tolist())
    assert scores["label"].astype(float).tolist() == scores["prediction"].tolist()


def test_what_moved_a_number_is_told_in_its_unit(number_api: Api) -> None:
    answer = read(ask(number_api, "/predict", RECORD))

    told = read(ask(number_api, "/explain", RECORD))

    assert told["prediction"] == pytest.approx(answer["prediction"])
    assert "classes" not in told
    assert {each["field"] for each in told["contributions"]} == {"age", "level", "sex"}


def test_the_page_for_people_tells_of_a_number(served: Predictor) -> None:
    page = render(served.contract, demands_key=False)

    assert "It answers a number (days), from 3 fields." in page
