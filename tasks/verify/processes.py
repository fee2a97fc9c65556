"""Servers that are started here and asked over HTTP; they listen on 127.0.0.1 alone."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from driftline.agreement import Response
from driftline.errors import PackagingError

HTTP_OK = 200
READY_SECONDS = 90.0
REQUEST_SECONDS = 60.0
OWN_NAMES = ("DRIFTLINE_", "BENTOML_", "AWS_", "PYTHON")

Ask = Callable[[str, str, bytes], Response]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nothing listens."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def clean_environment() -> dict[str, str]:
    """This process's environment without what would make a service answer otherwise."""
    return {k: v for k, v in os.environ.items() if not k.startswith(OWN_NAMES)}


@contextmanager
def running(
    words: list[str], *, environment: dict[str, str], cwd: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A process with all it starts, in a session of its own that is ended as a whole."""
    log = Path(cwd).parent / f"{Path(cwd).name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own words
            words,
            env=environment,
            cwd=cwd,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, kind)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        log.unlink(missing_ok=True)


def end_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Nothing while the process runs; the end of its log once it has ended."""
    return "" if process.poll() is None else tail_of(log.read_text(errors="replace")) or "ended"


def tail_of(text: str) -> str:
    """The last lines of a log."""
    return "\n".join(text.strip().splitlines()[-6:])


def send(method: str, url: str, body: bytes) -> Response:
    """Ask over HTTP; whatever the status, it is an answer."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        url, data=body or None, method=method, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:  # noqa: S310 - our own server
            return Response(reply.status, reply.read())
    except urllib.error.HTTPError as error:
        return Response(error.code, error.read())


def wait_ready(ask: Ask, ended: Callable[[], str]) -> None:
    """Wait until it is ready; `PackagingError` where it has ended, or takes too long."""
    give_up = time.monotonic() + READY_SECONDS
    while True:
        try:
            if ask("GET", "/readyz", b"").status == HTTP_OK:
                return
        except OSError:
            time.sleep(0.05)
        if time.monotonic() > give_up or ended():
            message = f"did not get ready: {ended()}"
            raise PackagingError(message)


def wait_listening(port: int) -> None:
    """Wait until something listens on a port."""
    give_up = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    message = f"nothing listens on port {port}"
    raise PackagingError(message)
