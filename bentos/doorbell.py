"""Tells a Prefect server, if one is named by `PREFECT_API_URL`, that something was decided.

Only a doorbell: the decision is a row in the database already, and who finds no server here is
found by the sweep there. Needs no Prefect installed.
"""

import json
import os
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from uuid import uuid4

RING_SECONDS = 30.0  # in the background, where nobody waits for a busy server
MOMENT_SECONDS = 3.0

Event = Mapping[str, Any]


def counted(problem: str, order: str, *, starts_run: bool) -> Event:
    """So many labels have come that a check is ordered.

    It starts a run unless another order waits already: the run that carries that one out takes
    this one too. `prefect.yaml` looks at the label.
    """
    return {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "driftline.labels.counted",
        "resource": {
            "prefect.resource.id": f"driftline.problem.{problem}",
            "prefect.resource.name": problem,
            "driftline.starts-run": "true" if starts_run else "false",
        },
        "payload": {"order": order},
    }


def ring(events: Sequence[Event]) -> None:
    """Emit events in the background; whether they arrive does not matter."""
    threading.Thread(target=_send, args=(events, RING_SECONDS), daemon=True).start()


def ring_and_wait(events: Sequence[Event]) -> None:
    """The same for a place that is put to sleep once it has answered; waits a moment at most."""
    _send(events, MOMENT_SECONDS)


def _send(events: Sequence[Event], seconds: float) -> None:
    url = os.environ.get("PREFECT_API_URL", "")
    if not events or not url.startswith(("http://", "https://")):
        return
    request = urllib.request.Request(  # noqa: S310 - http or https, checked above
        f"{url.rstrip('/')}/events",
        data=json.dumps(events).encode(),
        headers={"content-type": "application/json"},
    )
    with suppress(OSError, HTTPException, ValueError):
        urllib.request.urlopen(request, timeout=seconds).close()  # noqa: S310 - as above
