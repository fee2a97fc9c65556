"""Clients of the hot path that are slow, leave, or send in pieces; and a framework behind it."""

import asyncio

from bentos.http.hotpath import HotPath, Message, Receive, Scope, Send

FALLBACK = b"from the framework"


class Client:
    """Sends a body in chunks, with pauses, and keeps what comes back."""

    def __init__(
        self, chunks: list[bytes], *, pause_seconds: float = 0.0, leaves: bool = False
    ) -> None:
        """Say how it sends; one that `leaves` is gone after its chunks."""
        self._chunks, self._pause, self._leaves = list(chunks), pause_seconds, leaves
        self.taken = 0
        self.messages: list[Message] = []

    async def receive(self) -> Message:
        await asyncio.sleep(self._pause)
        if self._leaves and not self._chunks:
            return {"type": "http.disconnect"}
        chunk = self._chunks.pop(0)
        self.taken += len(chunk)
        more = bool(self._chunks) or self._leaves
        return {"type": "http.request", "body": chunk, "more_body": more}

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        return bytes(self.messages[1]["body"])


async def fallback(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": FALLBACK})


def call(
    app: HotPath, client: Client, path: str = "/predict", method: str = "POST", **headers: str
) -> Client:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asyncio.run(app(scope, client.receive, client.send))
    return client
