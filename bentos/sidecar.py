"""Processes beside the service: they work for it, and end when it does, however it ends."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from bentos.health.parts import LONGEST_PAUSE_SECONDS, MOST_DOUBLINGS, Parts

FIRST_PAUSE_SECONDS = 0.5
STEADY_SECONDS = 30.0  # alive for so long, it begins anew with short pauses
TOLD_BYTES = 4096

Told = Literal["up", "degraded"]


class Sidecar:
    """A module of ours beside the service; where it ends, it is started again, ever more rarely."""

    def __init__(self, name: str, module: str, *words: str, parts: Parts) -> None:
        """Start with the first `keep`; how it is, is reported under its name."""
        self._name, self._command, self._parts = name, (module, *words), parts
        self._process: subprocess.Popen[bytes] | None = None
        self._failures, self._started_at = 0, 0.0
        self._told: tuple[Told, str] = ("up", "")

    @property
    def pid(self) -> int | None:
        """Its process, if it has ever been started."""
        return None if self._process is None else self._process.pid

    def keep(self) -> None:
        """See that it runs, and report what it has told of itself; never raises."""
        if self._is_alive():
            if time.monotonic() - self._started_at > STEADY_SECONDS:
                self._failures = 0
            self._listen()
            self._parts.report(self._name, *self._told)
            return
        if self._process is not None and self._process.returncode is not None:
            self._parts.report(self._name, "down", f"ended with {self._process.returncode}")
        pause = FIRST_PAUSE_SECONDS * 2**self._failures if self._failures else 0.0
        if time.monotonic() - self._started_at >= min(pause, LONGEST_PAUSE_SECONDS):
            self._start()

    def finish(self, seconds: float) -> int | None:
        """Tell it that the service ends; its exit code, or None where it had to be killed."""
        if self._process is None:
            self._start()
        process = self._process
        if process is None:
            return None
        if process.stdin is not None:
            process.stdin.close()
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return None

    def release(self) -> None:
        """Tell it that the service ends, and wait for nothing."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self) -> None:
        self._failures = min(self._failures + 1, MOST_DOUBLINGS)
        self._started_at, self._told = time.monotonic(), ("up", "")
        try:
            self._process = start_sidecar(*self._command)
        except OSError as error:  # such as no more descriptors; they come back
            self._parts.report(self._name, "down", f"cannot be started ({error.strerror})")
        else:
            self._parts.report(self._name, "up")

    def _listen(self) -> None:
        """Take the last line that it has told."""
        assert self._process is not None  # noqa: S101 - it is alive
        assert self._process.stdout is not None  # noqa: S101 - a pipe of ours
        with suppress(BlockingIOError):
            lines = os.read(self._process.stdout.fileno(), TOLD_BYTES).decode().splitlines()
            health, _, why = lines[-1].partition(" ") if lines else ("", "", "")
            if health in {"up", "degraded"}:
                self._told = ("up" if health == "up" else "degraded", why)


def start_sidecar(module: str, *words: str) -> "subprocess.Popen[bytes]":
    """Run a module of ours; it ends some time after its standard input closes."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parent.parent,
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    os.set_blocking(process.stdout.fileno(), False)
    return process


def become_sidecar() -> None:
    """Leave the processor to the service, and its end to standard input."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.nice(5)


def tell_service(health: Told, why: str = "") -> None:
    """Let the service know how this sidecar's work goes; what it does not hear is lost."""
    with suppress(OSError):
        os.write(1, f"{health} {why}\n".encode())


def service_is_gone(seconds: float) -> bool:
    """Wait that long, or until the service has ended; whether it has."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable) and not sys.stdin.read(1)
