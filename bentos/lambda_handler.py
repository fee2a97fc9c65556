"""The same API behind AWS Lambda: API Gateway REST (v1) and HTTP (v2) events.

`python -m bentos.lambda_handler event.json` runs it on this machine.
"""

import base64
import binascii
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bentos.http.door import Headers
from bentos.replies import Reply, RequestError, error_reply
from bentos.sandbox import all_headers, answer, raw_headers

BAD_EVENT = RequestError(400, "malformed", "not an event of API Gateway with a readable body")


def handler(event: Any, _context: Any = None) -> dict[str, Any]:
    """Answer one event."""
    try:
        method, path, body, headers = _read(event)
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error):
        return _reply(error_reply(BAD_EVENT))
    return _reply(answer(method, path, body, headers))


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
    headers = raw_headers((str(name), str(value)) for name, value in given)
    return str(method), str(path), content, headers


def _reply(reply: Reply) -> dict[str, Any]:
    return {
        "statusCode": reply.status,
        "headers": all_headers(reply),
        "body": reply.body.decode(),
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
