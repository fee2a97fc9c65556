"""Python's garbage collector, where a process imports half a million objects that never go.

It looks through all of them again and again while they come, and several times at the end: a third
of the time of all imports, and seconds after the last word of a short run.
"""

import atexit
import gc

OBJECTS, YOUNG, OLD = 100_000, 50, 100


def collect_rarely() -> None:
    """Look for garbage a hundred times more rarely than Python does, and not at the end."""
    gc.set_threshold(OBJECTS, YOUNG, OLD)
    atexit.register(gc.freeze)
