"""How a running service comes to answer with a new champion: it follows a pointer file.

Packaging writes the pointer in one step when a bento is complete. The bento itself never changes;
its contract and ONNX file are loaded beside the old ones and swapped between two requests.
"""

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from bentos.predictor import ModelRefusedError, Predictor, load_predictor

FOLLOW_SECONDS = 2.0

log = logging.getLogger("driftline.service")


class Follower:
    """Calls `take_over` with the predictor of each bento that the pointer comes to name."""

    def __init__(self, pointer: Path, take_over: Callable[[Predictor], None]) -> None:
        """Take what the pointer names now as known."""
        self._pointer = pointer
        self._take_over = take_over
        self._seen = read_pointer(pointer)
        self._is_over = threading.Event()

    def start(self) -> None:
        """Follow in a thread of its own."""
        threading.Thread(target=self._follow, daemon=True).start()

    def stop(self) -> None:
        """Follow no more."""
        self._is_over.set()

    def look(self) -> None:
        """Look once; a bento that cannot serve is refused, and the old model goes on."""
        named = read_pointer(self._pointer)
        if named is None or named == self._seen:
            return
        self._seen = named
        try:
            predictor = load_predictor(Path(named) / "src")
        except ModelRefusedError as error:
            log.error("the new model is refused: %s", error)  # noqa: TRY400 - it says it all
            return
        self._take_over(predictor)
        log.info("version %s answers from now on", predictor.contract.model_version)

    def _follow(self) -> None:
        while not self._is_over.wait(FOLLOW_SECONDS):
            self.look()


def read_pointer(pointer: Path) -> str | None:
    """Path of the bento that the pointer names, if there is one."""
    try:
        return str(json.loads(pointer.read_text(encoding="utf-8"))["path"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
