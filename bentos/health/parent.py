"""Ends this process with the one that started it.

The server's supervisor holds the port together with its worker. Where it is killed, a worker that
went on would keep the port from its successor, and nobody would start it again.
"""

import logging
import os
import signal
import threading
import time

LOOK_SECONDS = 0.5
END_SECONDS = 30.0  # for answers under way and the last of the spool

log = logging.getLogger("driftline.service")


def end_with_parent() -> None:
    """Watch for the parent's death, in a thread of its own, and then end as if asked to."""
    parent = os.getppid()
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    log.error("the process that started this one is gone; ending")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_SECONDS)
    os._exit(1)
