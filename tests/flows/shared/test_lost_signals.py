"""A signal that is dropped in the callback of a weak reference is sent again."""

import subprocess
import sys

from tests.support import ROOT

PROGRAM = """
import signal, time, weakref
from flows.shared.lost_signals import mind_lost_signals

class TerminationSignal(BaseException):
    pass

class Thing:
    pass

def handle(number, frame):
    raise TerminationSignal

signal.signal(signal.SIGTERM, handle)
mind_lost_signals()
thing = Thing()
watched = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
try:
    del thing
    print("dropped", flush=True)
    while True:
        time.sleep(0.01)
except TerminationSignal:
    print("ended")
"""


def test_a_dropped_signal_ends_the_run_all_the_same() -> None:
    told = subprocess.check_output(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, text=True, timeout=120
    )

    assert told.split() == ["dropped", "ended"]
