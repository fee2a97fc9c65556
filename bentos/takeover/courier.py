"""Brings the champion's bento here where the store is elsewhere (`DRIFTLINE_STORE_URL`).

Runs beside the service in a process of its own, which keeps the store's libraries away from
requests. While the store does not answer, the model that is here goes on serving.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from bentos.health.parts import LONGEST_PAUSE_SECONDS, MOST_DOUBLINGS
from bentos.sidecar import Told, become_sidecar, service_is_gone, tell_service
from bentos.takeover.shelf import (
    archive_in_store,
    place_of,
    pointer_in_store,
    read_pointer,
    unpack,
    write_pointer,
)

POLL_SECONDS = 3.0
S3_OPTIONS = {
    "use_listings_cache": False,
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}},
}

log = logging.getLogger("driftline.courier")


def store_elsewhere() -> str | None:
    """The store's root, where it is not just the state folder of this machine."""
    return os.environ.get("DRIFTLINE_STORE_URL", "").rstrip("/") or None


def fetch(store: str, problem: str) -> str | None:
    """Have the bento here that the store's pointer names, and point at it; its tag, if any."""
    try:
        tag = str(json.loads(_read(store, pointer_in_store(problem)))["tag"])
    except FileNotFoundError:
        return None
    if not place_of(tag).is_dir():
        unpack(_read(store, archive_in_store(tag)), place_of(tag))
    if read_pointer(problem) != tag:
        write_pointer(problem, tag)
    return tag


def run(
    store: str,
    problem: str,
    *,
    is_over: Callable[[float], bool],
    tell: Callable[[Told, str], None] = tell_service,
) -> None:
    """Fetch until `is_over(seconds)`, which waits that long, says so; tells how it goes."""
    failures = 0
    while not is_over(min(POLL_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS)):
        try:
            fetch(store, problem)
        except Exception as error:  # noqa: BLE001 - the store's libraries raise a dozen kinds
            failures = min(failures + 1, MOST_DOUBLINGS)
            if failures == 1:
                log.warning("no word from the store (%s); the model stays", type(error).__name__)
                tell("degraded", type(error).__name__)
        else:
            if failures:
                tell("up", "")
            failures = 0


def _read(store: str, name: str) -> bytes:
    import fsspec

    protocol = store.split("://", maxsplit=1)[0] if "://" in store else "file"
    options: dict[str, Any] = S3_OPTIONS if protocol == "s3" else {}
    content: bytes = fsspec.filesystem(protocol, **options).cat_file(f"{store}/{name}")
    return content


def main() -> None:
    """`python -m bentos.takeover.courier PROBLEM`, with the service on standard input."""
    logging.basicConfig(format="%(message)s")
    become_sidecar()
    store = store_elsewhere()
    if store is not None:
        run(store, sys.argv[1], is_over=service_is_gone)


if __name__ == "__main__":
    main()
