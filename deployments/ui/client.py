"""Asks over HTTP, and says in a sentence what was refused or is away.

What is sent is kept nowhere, and no answer is either.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from driftline.errors import DriftlineError, UnavailableError

SECONDS = 30.0
KEY_WANTED = 401
NOT_FOUND = 404
SERVER_FAULT = 500


class RefusedError(DriftlineError):
    """An answer that is an error: its status, and which fields are at fault."""

    def __init__(self, status: int, message: str, fields: tuple[tuple[str, str], ...] = ()) -> None:
        """Keep them."""
        super().__init__(message)
        self.status, self.fields = status, fields


def ask(
    url: str,
    document: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Any:
    """The JSON of a GET, or of a POST where there is a document.

    `RefusedError` for an error's answer, `UnavailableError` where there is none.
    """
    body = None if document is None else json.dumps(document, allow_nan=False).encode()
    sent = {"content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data=body, headers=sent)  # noqa: S310 - checked in settings
    try:
        with urllib.request.urlopen(request, timeout=seconds) as reply:  # noqa: S310 - the same
            return json.loads(reply.read())
    except urllib.error.HTTPError as error:
        raise _refusal(error.code, error.read()) from None
    except (OSError, ValueError):
        raise UnavailableError("there is no answer just now") from None


def with_key(key: str) -> dict[str, str]:
    """The header that carries the service's key."""
    return {"x-api-key": key} if key else {}


def _refusal(status: int, body: bytes) -> RefusedError:
    """The service's own words where it has some; a plain sentence else."""
    try:
        error = json.loads(body)["error"]
        fields = tuple((str(each["field"]), str(each["problem"])) for each in error["fields"])
        message = str(error["message"])
    except (ValueError, KeyError, TypeError):
        fields, message = (), f"it was refused with the status {status}"
    if status == KEY_WANTED:
        message = "it wants a key; set DRIFTLINE_API_KEY for this page"
    return RefusedError(status, message, fields)
