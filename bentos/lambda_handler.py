"""The same API behind AWS Lambda: API Gateway REST (v1) and HTTP (v2) events.

`python -m bentos.lambda_handler event.json` runs it on this machine. Predictions are in the
database before they are answered, since a Lambda's disk may be gone afterwards.
"""

import base64
import binascii
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from bentos.api import Api
from bentos.http.door import HEALTH, Headers, find_header, find_key
from bentos.log.direct import DirectLog
from bentos.log.writers import LogUnavailableError
from bentos.predictor import ModelRefusedError, load_predictor
from bentos.replies import FAILED, NOT_READY, Reply, RequestError, error_reply
from bentos.settings import SettingError, api_keys, cors_origins
from driftline.contract import Contract

_API: Api | None = None
BAD_EVENT = RequestError(400, "malformed", "not an event of API Gateway with a readable body")


def handler(event: Any, _context: Any = None) -> dict[str, Any]:
    """Answer one event."""
    try:
        method, path, body, headers = _read(event)
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error):
        return _reply(error_reply(BAD_EVENT))
    try:
        return _reply(_respond(_open(), method, path, body, headers), method)
    except (ModelRefusedError, SettingError) as error:
        sys.stderr.write(f"not ready: {error}\n")
        return _reply(error_reply(NOT_READY))
    except Exception as error:  # noqa: BLE001 - a request must never end in a trace
        sys.stderr.write(f"{method} failed: {type(error).__name__}\n")
        return _reply(error_reply(FAILED))


def _respond(api: Api, method: str, path: str, body: bytes, headers: Headers) -> Reply:
    key, coding = find_key(headers), find_header(headers, b"content-encoding")
    if path in HEALTH and method in {"GET", "HEAD"}:
        reply = Reply(200, b'{"status":"ok"}')
    elif method == "OPTIONS" and path in api.routes:
        reply = api.door.options(path, headers)
    else:
        reply = api.respond(method, path, body, key, coding)
    return reply.having(api.door.cors(headers))


def _open() -> Api:
    global _API  # noqa: PLW0603 - one model per sandbox, loaded when the first event comes
    if _API is None:
        beside_code = Path(__file__).resolve().parent.parent
        folder = Path(os.environ.get("DRIFTLINE_MODEL_DIR", beside_code))
        keys, origins = api_keys(), cors_origins()
        log = DirectLog(_database_url())
        on_label = partial(_order_checks, log)
        _API = Api(load_predictor(folder), log, keys=keys, origins=origins, on_label=on_label)
    return _API


def _order_checks(log: DirectLog, contract: Contract) -> None:
    """Order a check where enough labels have come; what fails here the sweep makes up for."""
    with suppress(LogUnavailableError):
        placed = log.order_checks(contract.problem, every=contract.labels_per_check)
        if placed and os.environ.get("PREFECT_API_URL"):
            from bentos import doorbell  # its imports are not for the first answer

            oldest = log.oldest_open_check(contract.problem)
            doorbell.ring_and_wait(
                [
                    doorbell.counted(contract.problem, key, starts_run=key == oldest)
                    for key in placed
                ]
            )


def _database_url() -> str:
    """The configured database; without one a file that lives as long as the sandbox."""
    scratch = Path(tempfile.gettempdir()) / "driftline-predictions.db"
    return os.environ.get("DRIFTLINE_DATABASE_URL") or f"sqlite:///{scratch}"


def _read(event: Mapping[str, Any]) -> tuple[str, str, bytes, Headers]:
    """Method, path, body and headers of an event of either version."""
    if "requestContext" in event and "http" in (event["requestContext"] or {}):
        http = event["requestContext"]["http"]
        method, path = http["method"], event["rawPath"]
        stage = event["requestContext"].get("stage", "$default")
        if stage != "$default":
            path = path.removeprefix(f"/{stage}") or "/"
    else:
        method, path = event["httpMethod"], event["path"]
    body = event.get("body") or ""
    content = (
        base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    )
    given = (event.get("headers") or {}).items()
    headers = [(str(name).lower().encode(), str(value).encode()) for name, value in given]
    return str(method), str(path), content, headers


def _reply(reply: Reply, method: str = "") -> dict[str, Any]:
    return {
        "statusCode": reply.status,
        "headers": {"content-type": reply.content_type, **dict(reply.headers)},
        "body": "" if method == "HEAD" else reply.body.decode(),
        "isBase64Encoded": False,
    }


def main() -> int:
    """Run one event file and print its answer; exit 1 where the file cannot be read."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.stderr.write("error: wanted one argument, the path of an event's JSON file\n")
        return 1
    try:
        event = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"error: {sys.argv[1]}: {error}; wanted an event as JSON\n")
        return 1
    sys.stdout.write(json.dumps(handler(event), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
