"""A TCP relay in front of a database server, which counts how often its clients wait for it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

BLOCK_BYTES = 65536


@dataclass
class Relay:
    """Passes everything on; a turn is a request after an answer, which costs a round trip."""

    target: tuple[str, int]
    turns: int = 0
    _listener: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        """Listen on a free port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._was_answered = True

    @property
    def port(self) -> int:
        """Where clients reach the server through it."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Take connections until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self.target)
                for words in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass_on, args=words, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while block := source.recv(BLOCK_BYTES):
                if not is_answer and self._was_answered:
                    self.turns += 1
                self._was_answered = is_answer
                sink.sendall(block)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def relaying(host: str, port: int) -> Iterator[Relay]:
    """A relay in front of a server, until the block ends."""
    relay = Relay((host, port))
    thread = threading.Thread(target=relay.serve, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.close()
        thread.join()
