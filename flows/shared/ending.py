"""The end of a command: in order, and before any thread can meet an interpreter that is torn down.

Prefect's threads keep what a run held. One that lets go of it while Python is being taken apart
aborts the process inside of the library that made it, such as Arrow, after all has been done.
"""

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn


def end_in_order(code: int) -> NoReturn:
    """Wait for threads that are to be waited for, do what is to be done at the end, and be gone."""
    try:
        threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - as Python itself does
        atexit._run_exitfuncs()  # noqa: SLF001 - as Python itself does
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads on, or it is closed
                stream.flush()
        os._exit(code)
