"""Signals that end a run, where Python drops what their handler raised.

A handler raises wherever Python happens to be. In the callback of a weak reference, or where an
object is taken apart, that is printed and forgotten, and the run goes on as if nobody had asked.
"""

import os
import signal
import sys
import threading
from typing import Any

AGAIN_SECONDS = 0.1
SIGNALS = {"TerminationSignal": signal.SIGTERM}  # by what Prefect's handler raises


def mind_lost_signals() -> None:
    """Send this process such a signal again, a moment after what it raised was dropped."""
    before = sys.unraisablehook

    def tell(dropped: Any) -> None:
        number = SIGNALS.get(dropped.exc_type.__name__)
        if number is None:
            before(dropped)
            return
        timer = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), number))
        timer.daemon = True
        timer.start()

    sys.unraisablehook = tell
