"""Asking the API as a client does, and reading what it answers."""

import asyncio
import gzip
import json
from typing import Any

from bentos.api import Api
from bentos.http.hotpath import HotPath, Message
from bentos.replies import Reply
from tests.bentos.models import RECORD

BODY = json.dumps(RECORD).encode()
ORIGIN = "https://pages.example"
KEY = {"x-api-key": "right"}
# method, path, body and headers, and the status of the answer where keys are `right` and `other`
REQUESTS: list[tuple[str, str, bytes, dict[str, str], int]] = [
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
]


def ask(api: Api, path: str, document: Any, key: bytes | None = None) -> Reply:
    """POST a document as JSON."""
    return api.respond("POST", path, json.dumps(document).encode(), key)


def read(reply: Reply) -> Any:
    """The body of a reply."""
    return json.loads(reply.body)


def fields_at_fault(reply: Reply) -> dict[str, str]:
    """Field and problem of a 422."""
    error = read(reply)["error"]
    assert set(error) == {"code", "message", "fields"}
    assert (reply.status, error["code"]) == (422, "invalid")
    return {each["field"]: each["problem"] for each in error["fields"]}


def code(reply: Reply) -> tuple[int, str]:
    """Status and code of an error."""
    return reply.status, read(reply)["error"]["code"]


def ask_over_http(
    app: HotPath, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what HTTP answers."""
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


def without_id(body: str | bytes) -> Any:
    """An answer without what is new in each."""
    document = json.loads(body or "{}")
    document.pop("prediction_id", None)
    return document
