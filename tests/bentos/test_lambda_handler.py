"""API Gateway's events are answered as the service answers the same requests."""

import asyncio
import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bentos import lambda_handler
from bentos.api import Api
from bentos.http.hotpath import HotPath, Message
from bentos.predictor import Predictor
from tests.bentos.models import RECORD, KeptLog

BODY = json.dumps(RECORD).encode()
ORIGIN = "https://pages.example"
KEY = {"x-api-key": "right"}


@pytest.fixture(autouse=True)
def sandbox(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Lambda that has just started, with a key and an origin."""
    monkeypatch.setenv("DRIFTLINE_MODEL_DIR", str(model_folder))
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"sqlite:///{tmp_path / 'log.db'}")
    monkeypatch.setenv("DRIFTLINE_API_KEYS", "right, other")
    monkeypatch.setenv("DRIFTLINE_CORS_ORIGINS", ORIGIN)
    monkeypatch.setattr(lambda_handler, "_API", None)
    yield
    monkeypatch.setattr(lambda_handler, "_API", None)


def invoke(method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    event = {
        "httpMethod": method,
        "path": path,
        "headers": headers,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    return lambda_handler.handler(event)


def ask_over_http(
    app: HotPath, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        messages.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asyncio.run(app(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    return messages[0]["status"], told, messages[1]["body"]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/predict", BODY, KEY, 200),
        ("POST", "/explain", BODY, KEY, 200),
        ("POST", "/predict", gzip.compress(BODY), KEY | {"Content-Encoding": "gzip"}, 200),
        ("POST", "/predict", BODY, KEY | {"Content-Encoding": "br"}, 415),
        ("POST", "/predict", b"\xef\xbb\xbf" + BODY, KEY, 200),
        ("POST", "/predict", BODY, {"Authorization": "Bearer other"}, 200),
        ("POST", "/predict", BODY, {"X-API-Key": "wrong"}, 401),
        ("POST", "/predict", b'{"age": -1}', KEY, 422),
        ("POST", "/predict", BODY, KEY | {"Origin": ORIGIN}, 200),
        ("POST", "/predict", BODY, KEY | {"Origin": "https://evil.example"}, 200),
        ("POST", "/predict/", BODY, KEY, 404),
        ("GET", "/predict", b"", KEY, 405),
        ("GET", "/model", b"", KEY, 200),
        ("HEAD", "/model", b"", KEY, 200),
        ("GET", "/openapi.json", b"", {}, 200),
        ("OPTIONS", "/predict", b"", {"Origin": ORIGIN}, 204),
        ("OPTIONS", "/model", b"", {}, 204),
        ("OPTIONS", "/nothing", b"", {}, 404),
    ],
    ids=range(18),
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


def without_id(body: str | bytes) -> Any:
    """An answer without what is new in each."""
    document = json.loads(body or "{}")
    document.pop("prediction_id", None)
    return document


def test_head_is_answered_without_a_body() -> None:
    for path in ("/model", "/livez", "/readyz"):
        answer = invoke("HEAD", path, b"", KEY)

        assert (answer["statusCode"], answer["body"]) == (200, "")


def test_a_lambda_whose_keys_are_none_is_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_API_KEYS", ",")

    answer = invoke("POST", "/predict", BODY, {})

    assert answer["statusCode"] == 503
