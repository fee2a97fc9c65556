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

RING_SECONDS = 3.0


def ring(event: str, problem: str, payload: Mapping[str, Any]) -> None:
    """Emit an event in the background; whether it arrives does not matter."""
    threading.Thread(target=ring_and_wait, args=(event, problem, payload), daemon=True).start()


def ring_and_wait(event: str, problem: str, payload: Mapping[str, Any]) -> None:
    """The same for a place that is put to sleep once it has answered; waits a moment at most."""
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
        urllib.request.urlopen(request, timeout=RING_SECONDS).close()  # noqa: S310 - as above
