"""How a running service comes to answer with a new champion: it follows a pointer file.

Packaging writes the pointer in one step when a bento is complete; where the store is elsewhere, a
courier brings both here. The bento itself never changes: its contract and ONNX file are loaded
beside the old ones and swapped between two requests.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from bentos.health.parts import Parts, attempt, keep_going
from bentos.predictor import ModelRefusedError, Predictor, load_predictor
from bentos.sidecar import Sidecar
from bentos.takeover.courier import store_elsewhere
from bentos.takeover.shelf import place_of, read_pointer

FOLLOW_SECONDS = 2.0

log = logging.getLogger("driftline.service")


class Follower:
    """Calls `take_over` with the predictor of each bento that the pointer comes to name."""

    def __init__(
        self,
        problem: str,
        served: Path,
        take_over: Callable[[Predictor], None],
        *,
        parts: Parts | None = None,
    ) -> None:
        """Follow from the model in the folder `served`; how that goes is reported to `parts`."""
        self._parts = Parts() if parts is None else parts
        self._problem = problem
        self._served = _read_contract(served)
        self._take_over = take_over
        self._seen: str | None = None
        self._courier = Sidecar("courier", "bentos.takeover.courier", problem, parts=self._parts)
        self._is_over = threading.Event()

    def start(self) -> None:
        """Look at once, then follow in a thread of its own, which nothing ends."""
        attempt(self._parts, "follower", self._keep)
        threading.Thread(target=self._follow, daemon=True).start()

    def stop(self) -> None:
        """Follow no more."""
        self._is_over.set()
        self._courier.release()

    def look(self) -> None:
        """Look once; a bento that cannot serve is refused, and the old model goes on."""
        try:
            named = read_pointer(self._problem)
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("the pointer cannot be read: %s", type(error).__name__)  # noqa: TRY400 - a trace says no more
            return
        if named is None or named == self._seen:
            return
        self._seen = named
        folder = place_of(named) / "src"
        contract = _read_contract(folder)
        if contract == self._served:
            return
        try:
            predictor = load_predictor(folder)
        except ModelRefusedError as error:
            log.error("the new model is refused: %s", error)  # noqa: TRY400 - it says it all
            return
        self._take_over(predictor)
        self._served = contract
        log.info("version %s answers from now on", predictor.contract.model_version)

    def _follow(self) -> None:
        keep_going(
            self._parts, "follower", self._keep, seconds=FOLLOW_SECONDS, is_over=self._is_over.wait
        )

    def _keep(self) -> None:
        if store_elsewhere():
            self._courier.keep()
        self.look()


def _read_contract(folder: Path) -> bytes | None:
    try:
        return (folder / "contract.json").read_bytes()
    except OSError:
        return None
