"""API Gateway's events are answered as the service answers the same requests."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bentos import lambda_handler
from bentos.api import Api
from bentos.http.hotpath import HotPath
from bentos.predictor import Predictor
from tests.bentos.asking import BODY, KEY, ORIGIN, REQUESTS, ask_over_http, without_id
from tests.bentos.models import KeptLog


@pytest.fixture(autouse=True)
def sandbox(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Lambda that has just started, with a key and an origin."""
    monkeypatch.setenv("DRIFTLINE_MODEL_DIR", str(model_folder))
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"sqlite:///{tmp_path / 'log.db'}")
    monkeypatch.setenv("DRIFTLINE_API_KEYS", "right, other")
    monkeypatch.setenv("DRIFTLINE_CORS_ORIGINS", ORIGIN)
    monkeypatch.setattr("bentos.sandbox._API", None)
    yield
    monkeypatch.setattr("bentos.sandbox._API", None)


def invoke(method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    event = {
        "httpMethod": method,
        "path": path,
        "headers": headers,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    return lambda_handler.handler(event)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    REQUESTS,
    ids=range(len(REQUESTS)),
)
def test_lambda_answers_as_http_does(
    predictor: Predictor,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    app = HotPath()
    app.api = Api(predictor, KeptLog(), keys=["right", "other"], origins=[ORIGIN])

    answer = invoke(method, path, body, headers)
    http_status, http_headers, http_body = ask_over_http(app, method, path, body, headers)

    del http_headers["content-length" if status != 204 else "vary"]
    assert answer["statusCode"] == http_status == status
    assert http_headers.items() <= answer["headers"].items()
    if method != "HEAD":
        assert without_id(answer["body"]) == without_id(http_body)


def test_head_is_answered_without_a_body() -> None:
    for path in ("/model", "/livez", "/readyz"):
        answer = invoke("HEAD", path, b"", KEY)

        assert (answer["statusCode"], answer["body"]) == (200, "")


def test_a_lambda_whose_keys_are_none_is_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_API_KEYS", ",")

    answer = invoke("POST", "/predict", BODY, {})

    assert answer["statusCode"] == 503
