"""Processor time of a batch: of the server that answers it, and of our shipper beside it."""

import os
import statistics
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

from bentos.log.spool import measure_spool

REQUESTS = 5
SHIPPER = b"bentos.log.shipper"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MOST_SECONDS = 120.0


class Spent(NamedTuple):
    """Seconds of a processor for one request."""

    answering: float
    shipping: float


def spend(url: str, body: bytes, *, pid: int, spool: Path | None) -> Spent:
    """What some requests one after another cost each, until the last of them was shipped."""
    begun = _spent_by(pid)
    for _ in range(REQUESTS):
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
    await_shipped(spool)
    answering, shipping = (
        (after - before) / REQUESTS for before, after in zip(begun, _spent_by(pid), strict=True)
    )
    return Spent(answering, shipping)


def median_spent(spent: list[Spent]) -> Spent:
    """The median of each over rounds."""
    answering, shipping = zip(*spent, strict=True)
    return Spent(statistics.median(answering), statistics.median(shipping))


def await_shipped(spool: Path | None) -> None:
    """Wait until nothing lies in a spool, if there is one."""
    if spool is None:
        return
    give_up = time.monotonic() + MOST_SECONDS
    time.sleep(1)  # until the last segment is handed over
    while measure_spool(spool, time.time())[0]:
        if time.monotonic() > give_up:
            message = f"{spool}: not shipped within {MOST_SECONDS:g} s"
            raise RuntimeError(message)
        time.sleep(0.2)
    time.sleep(0.5)


def _spent_by(pid: int) -> tuple[float, float]:
    """Seconds of a processor by a process and all below it; those of a shipper apart."""
    answering, shipping = 0.0, 0.0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rsplit(") ", 1)[1].split()
        seconds = (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
        if SHIPPER in Path(f"/proc/{each}/cmdline").read_bytes():
            shipping += seconds
        else:
            answering += seconds
    return answering, shipping


def _family(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    children = [c for thread in threads for c in (thread / "children").read_text().split()]
    return [pid, *(one for child in children for one in _family(int(child)))]
