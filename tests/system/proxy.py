"""A TCP proxy in front of a real HTTP server, which can be told to fail as networks and stores do.

Requests pass as they came, so that what a client has signed, its `Host` among it, stays true. Each
connection carries one request: the server is told to close after its answer.
"""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

BLOCK_BYTES = 65536
Fault = Callable[["Answer"], bytes]


@dataclass(frozen=True)
class Answer:
    """What the server answered to which request: the whole of it, as it would go out."""

    request: str  # such as "GET /bucket/key"
    whole: bytes

    @property
    def head(self) -> bytes:
        """Status line and headers, with the empty line after them."""
        return self.whole[: len(self.whole) - len(self.body)]

    @property
    def body(self) -> bytes:
        """What follows them."""
        return self.whole.partition(b"\r\n\r\n")[2]


@dataclass
class Proxy:
    """Where it listens, what it does to answers at the moment, and to how many it has done it."""

    target: tuple[str, int]
    fault: Fault | None = None
    struck: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen on a free port."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._is_over = False

    @property
    def url(self) -> str:
        """Where clients reach the server through it."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until it is closed."""
        while not self._is_over:
            with suppress(OSError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._is_over = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _carry(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(self.target) as server:
            request = _read_request(client)
            if not request:
                return
            server.sendall(_closing(request))
            answer = Answer(request.split(b" HTTP/")[0].decode(), _read_all(server))
            if self.fault is None:
                client.sendall(_closing(answer.whole))
                return
            out = self.fault(answer)
            if out != answer.whole:
                self.struck.append(answer.request)
            client.sendall(_closing(out))


def answering(status: str) -> Fault:
    """Every request ends with this status, whatever the server has made of it."""
    code = status.split(" ", 1)[1].replace(" ", "")
    body = f"<Error><Code>{code}</Code><Message>{status}</Message></Error>".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    is_bare = re.compile("^HEAD ").match
    return lambda answer: head.encode() + b"\r\n" + (b"" if is_bare(answer.request) else body)


def cutting(*patterns: str) -> Fault:
    """The first two answers to each such request break off in the middle of their bodies."""
    return _halving(patterns, lambda answer: answer.head)


def shortening(*patterns: str) -> Fault:
    """The same, and their heads say that this is the whole of it, without a checksum."""

    def head(answer: Answer) -> bytes:
        length = b"Content-Length: %d" % (len(answer.body) // 2)
        bare = re.sub(rb"(?i)x-amz-checksum-[^\r]*\r\n", b"", answer.head)
        return re.sub(rb"(?i)content-length: \d+", length, bare)

    return _halving(patterns, head)


def _halving(patterns: Sequence[str], head: Callable[[Answer], bytes]) -> Fault:
    left = dict.fromkeys(patterns, 2)

    def strike(answer: Answer) -> bytes:
        for pattern in patterns:
            if len(answer.body) > 1 and left[pattern] and re.search(pattern, answer.request):
                left[pattern] -= 1
                return head(answer) + answer.body[: len(answer.body) // 2]
        return answer.whole

    return strike


def _read_request(client: socket.socket) -> bytes:
    """A whole request; a client that waits to be told to go on with its body is told so."""
    got = b""
    while b"\r\n\r\n" not in got:
        if not (block := client.recv(BLOCK_BYTES)):
            return b""
        got += block
    head = got.partition(b"\r\n\r\n")[0].lower()
    if b"\r\nexpect: 100-continue" in head:
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head)
    wanted = len(head) + 4 + (int(length[1]) if length else 0)
    is_chunked = b"\r\ntransfer-encoding: chunked" in head
    while len(got) < wanted or (is_chunked and not re.search(rb"\r\n0\r\n.*\r\n$", got, re.DOTALL)):
        if not (block := client.recv(BLOCK_BYTES)):
            return b""
        got += block
    return got


def _read_all(server: socket.socket) -> bytes:
    blocks = []
    while block := server.recv(BLOCK_BYTES):
        blocks.append(block)
    return b"".join(blocks)


def _closing(message: bytes) -> bytes:
    """A message with a head that asks for the connection to be closed after it."""
    head, gap, body = message.partition(b"\r\n\r\n")
    dropped = (b"connection:", b"expect:", b"keep-alive:")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(dropped)]
    return b"\r\n".join([*lines, b"Connection: close"]) + gap + body


@contextmanager
def running(url: str) -> Iterator[Proxy]:
    """A proxy in front of the server at a URL, until the block ends."""
    host, port = url.removeprefix("http://").split(":")
    proxy = Proxy((host, int(port)))
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
