"""What a Lambda tells CloudWatch of its answers: lines as AWS's format has them, and no value."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bentos import lambda_handler
from bentos.http.emf import MOST_VALUES, NAMESPACE
from tests.bentos.models import MARKER, RECORD, tiny_records

ALLOWED_UNITS = {"Count", "None"}


@pytest.fixture(autouse=True)
def sandbox(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Lambda that has just started."""
    monkeypatch.setenv("DRIFTLINE_MODEL_DIR", str(model_folder))
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"sqlite:///{tmp_path / 'log.db'}")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "predict")
    monkeypatch.setattr("bentos.sandbox._API", None)
    yield
    monkeypatch.setattr("bentos.sandbox._API", None)


def post(path: str, document: Any) -> int:
    event = {"httpMethod": "POST", "path": path, "headers": {}, "body": json.dumps(document)}
    status: int = lambda_handler.handler(event)["statusCode"]
    return status


def lines(printed: str) -> list[dict[str, Any]]:
    """The lines, each held to the format: every metric and dimension it names is there."""
    found = [json.loads(line) for line in printed.splitlines()]
    for line in found:
        (described,) = line["_aws"]["CloudWatchMetrics"]
        assert isinstance(line["_aws"]["Timestamp"], int)
        assert described["Namespace"] == NAMESPACE
        assert all(isinstance(line[name], str) for each in described["Dimensions"] for name in each)
        for metric in described["Metrics"]:
            value = line[metric["Name"]]
            values = value if isinstance(value, list) else [value]
            assert metric["Unit"] in ALLOWED_UNITS
            assert 1 <= len(values) <= MOST_VALUES
            assert all(isinstance(each, int | float) for each in values)
    return found


def test_an_answer_is_told_with_how_sure_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert post("/predict", RECORD) == 200

    (line,) = lines(capsys.readouterr().out)
    assert (line["problem"], line["model_version"], line["Predictions"]) == ("tiny", "7", 1)
    assert 0.5 <= line["Confidence"][0] <= 1


def test_a_batch_is_told_in_lines_that_cloudwatch_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert post("/predict_batch", {"records": list(tiny_records(250))}) == 200

    told = lines(capsys.readouterr().out)
    assert [line["Predictions"] for line in told] == [100, 100, 50]
    assert [len(line["Confidence"]) for line in told] == [100, 100, 50]


def test_refusals_are_told_by_field_and_never_by_value(capsys: pytest.CaptureFixture[str]) -> None:
    bad = [RECORD | {"age": 5_000_001}, RECORD | {"sex": MARKER}, RECORD | {MARKER: 1}]

    assert post("/predict_batch", {"records": bad}) == 422

    printed = capsys.readouterr().out
    (line,) = lines(printed)
    assert line["Refusals"] == 3
    assert line["at_fault"] == {
        "age out_of_range": 1, "sex not_a_category": 1, "unknown_field": 1
    }  # fmt: skip
    assert MARKER not in printed
    assert "5000001" not in printed


def test_elsewhere_nothing_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")

    assert post("/predict", RECORD) == 200
    assert capsys.readouterr().out == ""
