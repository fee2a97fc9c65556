"""Tells a Prefect server, if one is named by `PREFECT_API_URL`, that something was decided.

Only a doorbell: the decision is a row in the database already, and who finds no server here is
found by the sweep there. Needs no Prefect installed.
"""

import json
import os
import threading
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from uuid import uuid4

RING_SECONDS = 30.0  # in the background, where nobody waits for a busy server
MOMENT_SECONDS = 3.0


def ring(event: str, problem: str, payload: Mapping[str, Any]) -> None:
    """Emit an event in the background; whether it arrives does not matter."""
    words = (event, problem, payload, RING_SECONDS)
    threading.Thread(target=_send, args=words, daemon=True).start()


def ring_and_wait(event: str, problem: str, payload: Mapping[str, Any]) -> None:
    """The same for a place that is put to sleep once it has answered; waits a moment at most."""
    _send(event, problem, payload, MOMENT_SECONDS)


def _send(event: str, problem: str, payload: Mapping[str, Any], seconds: float) -> None:
    url = os.environ.get("PREFECT_API_URL", "")
    if not url.startswith(("http://", "https://")):
        return
    body = [
        {
            "id": str(uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": event,
            "resource": {
                "prefect.resource.id": f"driftline.problem.{problem}",
                "prefect.resource.name": problem,
            },
            "payload": dict(payload),
        }
    ]
    request = urllib.request.Request(  # noqa: S310 - http or https, checked above
        f"{url.rstrip('/')}/events",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with suppress(OSError, HTTPException, ValueError):
        urllib.request.urlopen(request, timeout=seconds).close()  # noqa: S310 - as above
