"""Ctrl+C at the command line: the first ends the run in order, the second at once.

Where the run does not get to its end, since a library computes on or swallows the interrupt, the
process ends all the same: whatever a dead run leaves, the next one puts right.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from tasks.server.temporary import end_at_once

INTERRUPTED = 130  # what a shell says of a program that Ctrl+C ended
GRACE_SECONDS = 8.0

PROMOTED: list[str] = []  # who was made champion by this process


def mind_interrupts() -> None:
    """Take Ctrl+C from here on; only where it has not been turned off, as in a background job."""
    _on_interrupt(_first)


def mind_imports() -> None:
    """The same while `python -m flows.<flow>` is still importing, when nothing can be half-done."""
    if sys.argv[0] == "-m":  # Python's own sign of that
        _on_interrupt(_second)


def is_interrupted() -> bool:
    """Whether Ctrl+C has been pressed once."""
    return signal.getsignal(signal.SIGINT) is _second


def outcome_of_interrupt() -> str:
    """What an interrupted run leaves behind, for the person who interrupted it."""
    done = f"{PROMOTED[-1]} is champion" if PROMOTED else "nothing was promoted"
    return f"stopped: {done}; run it again to go on"


def quit_now() -> NoReturn:
    """Say what was left, and end without waiting for any thread of this process."""
    sys.stdout.flush()
    sys.stderr.write(f"{outcome_of_interrupt()}\n")
    sys.stderr.flush()
    end_at_once()
    os._exit(INTERRUPTED)


def _on_interrupt(do: Callable[[int, FrameType | None], NoReturn]) -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, do)


def _first(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGINT, _second)
    threading.Thread(target=_quit_after_grace, daemon=True).start()
    raise KeyboardInterrupt


def _second(_number: int, _frame: FrameType | None) -> NoReturn:
    quit_now()


def _quit_after_grace() -> None:
    time.sleep(GRACE_SECONDS)
    quit_now()
