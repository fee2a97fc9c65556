"""One `make up` for a state folder: two would share Prefect's database, and each other's runs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployments.local.parts import PartError

LOCK = "up.lock"


@contextmanager
def alone_on(home: Path) -> Iterator[None]:
    """Keep the state folder for this process, however it ends; `PartError` names who has it."""
    with (home / LOCK).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            message = (
                f"{home}: make up runs on this state folder already (process {lock.read().strip()})"
                "; wanted that one stopped, or another folder (DRIFTLINE_HOME)"
            )
            raise PartError(message) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
