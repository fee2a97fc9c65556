"""A real MLflow server, and before it a proxy that lets in who has a password or a token."""

import base64
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.conftest import QUIET
from tests.ports import free_ports
from tests.support import stop_group

USER, PASSWORD, TOKEN = "somebody", "pw-Zq7Zq7Zq7", "tk-Xw9Xw9Xw9"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
ALLOWED = (BASIC, f"Bearer {TOKEN}")
START_SECONDS = 120.0


@dataclass
class Guard:
    """Where the proxy answers and before what, how it says no, what it let pass and refused."""

    url: str
    target: str
    refusal: bytes = b"unauthorized"
    passed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def guarded_mlflow(folder: Path) -> Iterator[Guard]:
    """MLflow's own server on SQLite behind such a proxy."""
    (port,) = free_ports(1)
    words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    env = os.environ | QUIET
    env |= {
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{folder / 'server.db'}",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, *words],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_health(port, server)
        with guarding(f"http://127.0.0.1:{port}") as guard:
            yield guard
    finally:
        stop_group(server)  # its own process starts another one, which answers


@contextmanager
def guarding(target: str) -> Iterator[Guard]:
    """The proxy alone, before an HTTP server."""
    guard = Guard("", target)

    class Door(BaseHTTPRequestHandler):
        def _carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            said = f"{self.command} {self.path}"
            if self.headers.get("authorization") not in ALLOWED:
                guard.refused.append(said)
                self._answer(401, {"www-authenticate": "Basic"}, guard.refusal)
                return
            guard.passed.append(said)
            self._answer(*_ask(target, self.command, self.path, body))

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _carry  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        guard.url = f"http://127.0.0.1:{server.server_port}"
        yield guard
        server.shutdown()


def as_json(**answer: str) -> bytes:
    """A refusal as gateways write it."""
    return json.dumps(answer).encode()


def _ask(target: str, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(
        target + path,
        data=body or None,
        method=method,
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, {"content-type": reply.headers["content-type"] or ""}, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, {"content-type": error.headers["content-type"] or ""}, error.read()


def _await_health(port: int, server: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
        except OSError:
            assert server.poll() is None, "MLflow's server has ended"
            assert time.monotonic() < give_up, "MLflow's server did not start"
            time.sleep(0.2)
        else:
            return
