"""Starts servers on this machine and loads them with wrk, one at a time, in turn."""

import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

START_SECONDS = 120.0


@dataclass(frozen=True)
class Figures:
    """Requests per second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


@contextmanager
def running(command: list[str], url: str, *, env: dict[str, str], cwd: Path) -> Iterator[int]:
    """A server, from its first answer on `url` until the block ends; yields its process id."""
    with (
        tempfile.TemporaryFile() as out,
        subprocess.Popen(command, env=env, cwd=cwd, stdout=out, stderr=out) as server,
    ):
        try:
            _await_answer(url, server, out)
            yield server.pid
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()


def _await_answer(url: str, server: "subprocess.Popen[bytes]", out: IO[bytes]) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        if server.poll() is not None:
            out.seek(0)
            last = out.read()[-800:].decode(errors="replace")
            message = f"server ended with {server.returncode} before it answered: {last}"
            raise RuntimeError(message)
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
        except OSError:
            pass
        time.sleep(0.1)
    message = f"no answer on {url} within {START_SECONDS:g} s"
    raise RuntimeError(message)


def load(url: str, body: bytes, *, connections: int, seconds: int) -> Figures:
    """One burst of POST requests."""
    if shutil.which("wrk") is None:
        message = "wrk is missing; install Debian's package wrk"
        raise SystemExit(message)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_bytes(body)
        script = Path(folder) / "post.lua"
        script.write_text(
            f'local f = io.open("{folder}/body"); wrk.body = f:read("*a"); wrk.method = "POST"\n'
            'wrk.headers["Content-Type"] = "application/json"\n'
        )
        words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
        told = subprocess.run(
            [*words, "-s", str(script), url], check=True, capture_output=True, text=True
        ).stdout
    if "Non-2xx" in told:
        message = f"{url}: not every answer was a 200"
        raise RuntimeError(message)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])
    return Figures(rate=rate, p50=_latency(told, "50"), p99=_latency(told, "99"))


def _latency(told: str, percentile: str) -> float:
    value, unit = re.search(rf"\n\s+{percentile}%\s+([\d.]+)(us|ms|s)\b", told).groups()
    return float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def median(figures: list[Figures]) -> Figures:
    """The median of each figure over rounds."""
    return Figures(
        rate=statistics.median(f.rate for f in figures),
        p50=statistics.median(f.p50 for f in figures),
        p99=statistics.median(f.p99 for f in figures),
    )


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process and its children."""
    told = subprocess.run(
        ["ps", "-o", "pid=,ppid=,rss=", "-A"], check=True, capture_output=True, text=True
    ).stdout
    rows = [tuple(map(int, line.split())) for line in told.splitlines()]
    family = {pid}
    for _ in range(4):
        family |= {child for child, parent, _ in rows if parent in family}
    return sum(rss for child, _, rss in rows if child in family) / 1024
