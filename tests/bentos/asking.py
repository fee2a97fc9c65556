"""Asking the API as a client does, and reading what it answers."""

import json
from typing import Any

from bentos.api import Api
from bentos.replies import Reply


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
