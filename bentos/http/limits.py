"""Limits of a connection: how large and how slow the head of a request may be, and how many wait.

The server's own protocol buffers a head without end and waits for it for ever. Bodies have their
limits in `bentos.http.hotpath`, since these depend on the path.
"""

import asyncio
import resource
from typing import Any, ClassVar

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bentos.replies import RequestError, error_reply

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
MAX_PIPELINED = 32
HEAD_SECONDS = 15.0
OWN_DESCRIPTORS = 200  # for files, the database, and connections that are being turned away
WANTED_DESCRIPTORS = 8192

HEAD_TOO_LARGE = RequestError(
    431, "head_too_large", f"wanted at most {MAX_HEAD_BYTES} bytes in {MAX_HEADERS} headers"
)
HEAD_TOO_SLOW = RequestError(408, "too_slow", "the head did not arrive in time")
NO_HTTP = RequestError(400, "malformed", "this is not a valid HTTP request")
TOO_MANY = RequestError(503, "busy", "too many connections; try again")


class LimitedProtocol(HttpToolsProtocol):
    """The server's protocol; gives up heads that are too large or too slow.

    Where as many connections are open as there may be, a new one takes the place of the one that
    has waited longest without asking anything.
    """

    most_connections: ClassVar[int] = 1024 - OWN_DESCRIPTORS
    _waiting: ClassVar[dict["LimitedProtocol", None]] = {}  # the longest first

    _unread = 0  # bytes since the parser came to the end of anything
    _timer: asyncio.TimerHandle | None = None
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # theirs is wider
        """Wait for a head, or turn the connection away."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            longest = next(iter(self._waiting), None)
            if longest is None:
                self._refuse(TOO_MANY)
                return
            longest.make_room()
        self._wait()

    def make_room(self) -> None:
        """Leave this connection's place to another."""
        self._stop_waiting()
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; what grows without coming to an end is given up."""
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MAX_HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header, of a head or after a body in chunks."""
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            self._refuse(HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Answer, unless the connection has been given up meanwhile."""
        self._unread = 0
        self._stop_waiting()
        if len(self.pipeline) > MAX_PIPELINED:
            self._refuse(TOO_MANY)
        if not self._is_refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._unread = 0
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._unread = 0
        if not self._is_refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next head, and meanwhile for the rest of a body that nobody wants."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """Say in our own form that this is no HTTP."""
        del msg
        self._refuse(NO_HTTP)

    def _wait(self) -> None:
        self._stop_waiting()
        self._waiting[self] = None
        self._timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        self._waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self._unread:
            self._refuse(HEAD_TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, error: RequestError) -> None:
        """Say why, and close; once, and not in the middle of an answer."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._stop_waiting()
        if self._may_answer():
            body = error_reply(error).body
            self.transport.write(
                STATUS_LINE[error.status]
                + b"content-type: application/json\r\nconnection: close\r\n"
                + b"content-length: %d\r\n\r\n" % len(body)
                + body
            )
        self.transport.close()

    def _may_answer(self) -> bool:
        """Whether nothing of an answer is under way; one whose body is broken has none any more."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        if not cycle.more_body or cycle.response_started or self.pipeline:
            return False
        cycle.disconnected = True  # whatever the application says now is not sent
        return True


def limit_connections() -> None:
    """Let the server that starts in this process use these limits."""
    protocols: dict[str, Any] = HTTP_PROTOCOLS
    protocols["auto"] = f"{__name__}:{LimitedProtocol.__name__}"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    LimitedProtocol.most_connections = max(most - OWN_DESCRIPTORS, most // 2)
