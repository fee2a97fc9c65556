"""Imports slow libraries while Prefect's temporary server starts, which a run has to wait for.

Two threads that import libraries full of circles at once see each other's halves. So only one does:
where no server has to be started nothing is imported ahead, and a run begins when all is there.
"""

import contextlib
import importlib
import threading
from collections.abc import Sequence

_GOING_ON: list[threading.Thread] = []


def import_ahead(modules: Sequence[str]) -> None:
    """Begin with these, in the order of need; a missing one is told where it is used."""

    def load() -> None:
        for name in modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    _GOING_ON.append(thread)


def await_imports() -> None:
    """Return when everything that was begun has been imported."""
    while _GOING_ON:
        _GOING_ON.pop().join()
