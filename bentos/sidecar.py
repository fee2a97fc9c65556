"""Processes beside the service: they work for it, and end when it does, however it ends."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path


def start_sidecar(module: str, *words: str) -> "subprocess.Popen[bytes]":
    """Run a module of ours; it ends some time after its standard input closes."""
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, *words],
        stdin=subprocess.PIPE,
        cwd=Path(__file__).resolve().parent.parent,
    )


def become_sidecar() -> None:
    """Leave the processor to the service, and its end to standard input."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.nice(5)


def service_is_gone(seconds: float) -> bool:
    """Wait that long, or until the service has ended; whether it has."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable) and not sys.stdin.read(1)
