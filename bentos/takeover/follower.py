"""How a running service comes to answer with a new champion: it follows a pointer file.

Packaging writes the pointer in one step when a bento is complete; where the store is elsewhere, a
courier brings both here. Every file of the bento is verified; then its contract and ONNX file are
loaded beside the old ones and swapped between two requests. Whatever stands in the way, the old
model goes on answering, and the new one is tried again.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bentos.health.parts import Parts, attempt, keep_going
from bentos.predictor import ModelRefusedError, Predictor, load_predictor
from bentos.sidecar import Sidecar
from bentos.takeover.attempts import Attempts, Trouble, read_trouble
from bentos.takeover.content import ContentError
from bentos.takeover.courier import store_elsewhere
from bentos.takeover.shelf import Pointer, check_shelved, place_of, read_pointer
from bentos.takeover.trust import read_trust

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
        clock: Callable[[], float] = time.monotonic,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Follow from the model in the folder `served`; `clock` tells seconds.

        How it goes is reported after each look, as the part `takeover`: `up`, or `degraded` and why
        in one sentence. `then` is called after each look of the thread.
        """
        self._then = then
        self._parts = Parts() if parts is None else parts
        self._problem = problem
        self._served = _read_contract(served)
        self._take_over = take_over
        self._seen: Pointer | None = None
        self._attempts = Attempts(clock)
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
        """Look once; whatever goes wrong, the old model goes on and this one is tried again."""
        pointer: Pointer | None = None
        try:
            pointer = read_pointer(self._problem)
            if pointer is None or pointer == self._seen:
                self._attempts.succeed()
            elif self._attempts.is_due(pointer):
                self._take(pointer)
                self._seen = pointer
                self._attempts.succeed()
        except Exception as error:  # noqa: BLE001 - this thread brings every later champion
            if self._attempts.fail(pointer, sentence_of(error)):
                log.error("%s", self._attempts.trouble)  # noqa: TRY400 - a trace says no more
        trouble = self.trouble
        if trouble is None:
            self._parts.report("takeover", "up")
        else:
            self._parts.report("takeover", "degraded", str(trouble))

    @property
    def trouble(self) -> Trouble | None:
        """What stands in the way of the newest champion, here or in the store, if anything does."""
        own = self._attempts.trouble
        return read_trouble(self._problem) if own is None and store_elsewhere() else own

    def _take(self, pointer: Pointer) -> None:
        check_shelved(pointer, read_trust())
        folder = place_of(pointer.tag) / "src"
        contract = _read_contract(folder)
        if contract == self._served:
            return
        predictor = load_predictor(folder)
        if predictor.contract.problem != self._problem:
            message = f"a model of another problem than {self._problem}"
            raise ContentError(message)
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
        if self._then is not None:
            self._then()


def sentence_of(error: Exception) -> str:
    """Our own words, or the kind of what nobody foresaw."""
    if isinstance(error, (ContentError, ModelRefusedError)):
        return str(error)
    if isinstance(error, OSError):
        return f"its files cannot be read ({error.strerror or type(error).__name__})"
    return f"it cannot be loaded ({type(error).__name__})"


def _read_contract(folder: Path) -> bytes | None:
    try:
        return (folder / "contract.json").read_bytes()
    except OSError:
        return None
