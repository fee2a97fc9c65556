"""The outermost ASGI application: answers the API itself and hands everything else to BentoML.

BentoML's tracing, metrics and timeout layers cost several times what a prediction does. What
they give on these paths is given here instead: body limits, a timeout for slow senders, counters.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from bentos.api import MAX_BODY_BYTES, Api, Reply, RequestError, error_reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_TIMEOUT_SECONDS = 15.0
JSON = (b"content-type", b"application/json")
NOT_READY = RequestError(503, "not_ready", "the model is not loaded yet; try again")
FAILED = RequestError(500, "internal", "the request could not be answered")
TOO_LARGE = RequestError(413, "body_too_large", f"wanted at most {MAX_BODY_BYTES} bytes")
TOO_SLOW = RequestError(408, "too_slow", "the body did not arrive in time")
PATHS = frozenset({"/predict", "/predict_batch", "/feedback", "/model"})

log = logging.getLogger("bentoml.driftline")


class HotPath:
    """Routes the API's paths to `api` once it is there, the others to `fallback`."""

    def __init__(self) -> None:
        """Start without a model: the API answers 503."""
        self.api: Api | None = None
        self.fallback: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in PATHS:
            assert self.fallback is not None  # noqa: S101 - set before the server starts
            await self.fallback(scope, receive, send)
            return
        try:
            body = await _read_body(receive)
        except RequestError as error:
            await _send(send, error_reply(error))
            return
        if body is not None:
            await _send(send, self._respond(scope["method"], scope["path"], body))

    def _respond(self, method: str, path: str, body: bytes) -> Reply:
        if self.api is None:
            return error_reply(NOT_READY)
        try:
            return self.api.respond(method, path, body)
        except Exception as error:  # noqa: BLE001 - a request must never end in a trace
            log.error(  # noqa: TRY400 - a trace could show what the client sent
                "%s %s failed: %s", method, path, type(error).__name__
            )
            return error_reply(FAILED)


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None where the client has gone."""
    message = await asyncio.wait_for(receive(), BODY_TIMEOUT_SECONDS)
    if not message.get("more_body"):
        return None if message["type"] == "http.disconnect" else message.get("body", b"")
    chunks = [message.get("body", b"")]
    size = len(chunks[0])
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            while message.get("more_body"):
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > MAX_BODY_BYTES:
                    raise TOO_LARGE
    except TimeoutError:
        raise TOO_SLOW from None
    return b"".join(chunks)


async def _send(send: Send, reply: Reply) -> None:
    headers = [JSON, (b"content-length", b"%d" % len(reply.body))]
    headers += [(name.encode(), value.encode()) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
