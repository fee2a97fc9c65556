"""A hostile client costs little: heads are bounded in size, time and number, on a real server."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from bentos.api import Api
from bentos.http import limits
from bentos.http.hotpath import HotPath
from bentos.http.limits import MAX_HEAD_BYTES, MAX_HEADERS, LimitedProtocol
from bentos.predictor import Predictor
from tests.bentos.models import KeptLog
from tests.ports import free_ports

PATIENCE_SECONDS = 30.0
GET = b"GET /model HTTP/1.1\r\nhost: x\r\n"

Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(predictor: Predictor) -> Iterator[Connect]:
    """Connections to a server of our own."""
    app = HotPath()
    app.api = Api(predictor, KeptLog(), keys=["right"])
    (port,) = free_ports(1)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, http=LimitedProtocol, log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not server.started and time.monotonic() < give_up:
        time.sleep(0.02)
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    content = b""
    try:
        while piece := connection.recv(65536):
            content += piece
    except ConnectionResetError:
        pass
    return content


def send_until_closed(connection: socket.socket, piece: bytes, times: int) -> int:
    """How many bytes the server took."""
    sent = 0
    try:
        for _ in range(times):
            connection.sendall(piece)
            sent += len(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


def ask(connection: socket.socket) -> bytes:
    """The first bytes of an answer to a good request."""
    connection.sendall(GET + b"x-api-key: right\r\n\r\n")
    return connection.recv(65536)


def test_requests_one_after_another_on_one_connection_are_answered(connect: Connect) -> None:
    connection = connect()

    answers = [ask(connection)[:12] for _ in range(3)]

    assert answers == [b"HTTP/1.1 200"] * 3


def test_one_endless_header_is_cut_off(connect: Connect) -> None:
    connection = connect()
    connection.sendall(GET + b"x-long: ")

    sent = send_until_closed(connection, b"a" * 65536, 1600)

    assert sent < 32 * 1024 * 1024
    assert ask(connect()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "head",
    [
        GET + b"x-long: " + b"a" * (MAX_HEAD_BYTES + 1),
        GET + b"x: y\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"GET /" + b"a" * (MAX_HEAD_BYTES + 1),
    ],
    ids=["one long", "many short", "address"],
)
def test_a_head_that_is_too_large_is_told_so(connect: Connect, head: bytes) -> None:
    connection = connect()

    connection.sendall(head)

    answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b'"code":"head_too_large"' in answer


def test_trailers_without_end_are_cut_off(connect: Connect) -> None:
    connection = connect()
    head = (
        b"POST /predict HTTP/1.1\r\nhost: x\r\nx-api-key: right\r\ntransfer-encoding: chunked\r\n"
    )
    connection.sendall(head + b"\r\n2\r\n{}\r\n0\r\n")

    sent = send_until_closed(connection, b"x: y\r\n" * 1000, 10_000)

    assert sent < 32 * 1024 * 1024


def test_half_a_head_is_waited_for_only_so_long(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.3)
    half, silent = connect(), connect()
    half.sendall(GET)

    assert read_all(half).startswith(b"HTTP/1.1 408")
    assert read_all(silent) == b""


def test_what_is_left_of_a_body_that_nobody_wants_is_taken_only_so_long(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused for want of a key before a byte of it is read."""
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.3)
    connection = connect()
    head = b"POST /predict_batch HTTP/1.1\r\nhost: x\r\ncontent-length: 16000000\r\n\r\n"
    connection.sendall(head)

    first = connection.recv(65536)
    rest = read_all(connection)

    assert first.startswith(b"HTTP/1.1 401")
    assert rest == b""


def test_where_all_places_are_taken_who_asks_is_served(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that has waited longest without asking makes room."""
    monkeypatch.setattr(LimitedProtocol, "most_connections", 10)
    monkeypatch.setattr(limits, "HEAD_SECONDS", 600.0)
    hostile = [connect() for _ in range(60)]
    for each in hostile[-5:]:
        each.sendall(GET)

    assert ask(connect()).startswith(b"HTTP/1.1 200")
    assert read_all(hostile[0]) == b""
    assert ask(hostile[-6]).startswith(b"HTTP/1.1 200")


def test_what_is_no_http_is_told_so(connect: Connect) -> None:
    connection = connect()

    connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")

    answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'"code":"malformed"' in answer


def test_many_requests_at_once_are_not_all_kept(connect: Connect) -> None:
    connection = connect()

    send_until_closed(connection, (GET + b"\r\n") * 5000, 1)

    assert read_all(connection).count(b"HTTP/1.1") < 1000


@pytest.mark.parametrize("sent_at_once", [True, False])
@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n", b"2\r\n{}garbage\r\n0\r\n\r\n", b"-1\r\n"])
def test_a_body_in_broken_chunks_is_told_so(
    connect: Connect, body: bytes, *, sent_at_once: bool
) -> None:
    connection = connect()
    head = b"POST /predict HTTP/1.1\r\nhost: x\r\nx-api-key: right\r\n"
    head += b"transfer-encoding: chunked\r\n\r\n"

    if sent_at_once:
        connection.sendall(head + body)
    else:
        connection.sendall(head + b"1\r\n{\r\n")
        assert ask(connect()).startswith(b"HTTP/1.1 200")  # the first was read meanwhile
        connection.sendall(body)

    answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1
    assert b'"code":"malformed"' in answer
