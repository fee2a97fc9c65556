"""Shows the store's reports to browsers: drift, Data Docs, replays, from a folder or a bucket.

It also tells Prometheus of the loop, on `/metrics`, since it runs whether or not a service does;
what `/state/<problem>/` tells is for the page of the problem's owner.

Read only, and for this machine unless told otherwise: reports show distributions of what was
asked. A page may run its own scripts and reaches nothing else.
"""

import argparse
import html
import mimetypes
import re
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST

import flows  # noqa: F401 - points the tools at the state folder
from deployments.exporter.collector import LoopCollector, expose
from deployments.local.ports import refuse_taken
from deployments.reporting import state
from driftline.errors import DriftlineError, NotFoundError, ProblemError
from tasks.data.files import list_names, locate, read_file

PORT = 5001
FOLDERS = ("drift", "validation", "profiles", "replay", "verify", "onboarding", "cards")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]*")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; font-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Reports(BaseHTTPRequestHandler):
    """Answers `/` with what there is, `/<folder>/<name>` with a report, and two addresses more."""

    collector = LoopCollector()

    def do_GET(self) -> None:
        """One page, whole."""
        if urlsplit(self.path).path == "/metrics":
            self._answer(HTTPStatus.OK, expose(self.collector), CONTENT_TYPE_LATEST)
            return
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/") if part]
        is_state = parts[:1] == ["state"]
        if len(parts) not in ((3,) if is_state else (0, 2)) or not all(
            _NAME.fullmatch(part) for part in parts
        ):
            self._answer(HTTPStatus.NOT_FOUND, b"no such report\n", "text/plain")
            return
        try:
            content = state.tell(*parts[1:]) if is_state else _read(parts)
        except (NotFoundError, ProblemError):
            self._answer(HTTPStatus.NOT_FOUND, b"no such report\n", "text/plain")
        except DriftlineError:
            why = b"the store cannot be read; wanted it reachable\n"
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, why, "text/plain")
        else:
            kind = mimetypes.guess_type(parts[-1])[0] if parts else "text/html"
            self._answer(HTTPStatus.OK, content, kind or "application/octet-stream")

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Nobody needs a line for each page."""

    def _answer(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        is_bare = kind.startswith("text/") and "charset" not in kind
        charset = "; charset=utf-8" if is_bare else ""
        self.send_header("Content-Type", kind + charset)
        self.send_header("Content-Length", str(len(content)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _read(parts: list[str]) -> bytes:
    return read_file(locate("reports", *parts)) if parts else _index()


def _index() -> bytes:
    lines = ["<!doctype html><meta charset=utf-8><title>Reports</title><h1>Reports</h1>"]
    for folder in FOLDERS:
        names = [name for name in list_names(locate("reports", folder)) if name.endswith(".html")]
        links = [f'<li><a href="/{folder}/{name}">{name}</a>' for name in map(html.escape, names)]
        lines += [f"<h2>{folder}</h2><ul>{''.join(links)}</ul>"] if links else []
    return "\n".join(lines).encode()


def main(words: list[str]) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Show the store's reports to browsers.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args(words)
    refuse_taken(given.port, "reports", "--port", given.host)
    server = ThreadingHTTPServer((given.host, given.port), Reports)
    sys.stdout.write(f"reports on http://{given.host}:{given.port}\n")
    sys.stdout.flush()
    with server:
        server.serve_forever()
