"""The outermost ASGI application: answers the API itself and hands everything else to BentoML.

BentoML's tracing, metrics and timeout layers cost several times what a prediction does. What
they give on these paths is given here instead: body limits, a timeout for slow senders, counters.
"""

import asyncio
import html
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from bentos import openapi
from bentos.api import LOG_UNAVAILABLE, MAX_BODY_BYTES, Api, Reply, RequestError, error_reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

BODY_TIMEOUT_SECONDS = 15.0  # for the whole body, however many pieces it comes in
LABEL_SECONDS = 15.0  # longer than a label waits for its prediction to arrive
LABEL_THREADS = 4
LENGTH_DIGITS = 18  # more of them are too large all the same
ON_THE_LOOP_BYTES = 64 * 1024  # a body beyond this is answered in a thread, not to hold up others
NOT_READY = RequestError(503, "not_ready", "the model is not loaded yet; try again")
FAILED = RequestError(500, "internal", "the request could not be answered")
TOO_LARGE = RequestError(413, "body_too_large", f"wanted at most {MAX_BODY_BYTES} bytes")
TOO_SLOW = RequestError(408, "too_slow", "the body did not arrive in time")
API_PATHS = frozenset({"/predict", "/predict_batch", "/feedback", "/model"})
BENTOML_PATHS = ("/livez", "/readyz", "/healthz", "/metrics", "/schema.json", "/static_content/")
PAGES = frozenset({"/", "/openapi.json", "/docs.json"})

log = logging.getLogger("driftline.service")


class HotPath:
    """Routes the API's paths to `api` once it is there, the others to `fallback`."""

    def __init__(self) -> None:
        """Start without a model: the API answers 503."""
        self.api: Api | None = None
        self.fallback: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
        self._label_threads = ThreadPoolExecutor(LABEL_THREADS, "labels")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"] in API_PATHS:
            await self._answer(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in PAGES and self.api is not None:
            await _send(send, _page(self.api, scope["path"]), b"text/html; charset=utf-8")
        elif scope["type"] == "http" and not scope["path"].startswith(BENTOML_PATHS):
            await self._answer(scope, receive, send)
        else:
            assert self.fallback is not None  # noqa: S101 - set before the server starts
            await self.fallback(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _read_body(receive, _content_length(scope["headers"]))
        except RequestError as error:
            if self.api is not None:
                self.api.ledger.reject(error.code)
            await _send(send, error_reply(error))
            return
        if body is None:
            return
        method, path = scope["method"], scope["path"]
        key = find_key(scope["headers"])
        if path == "/feedback":
            reply = await self._respond_in_time(method, path, body, key)
        elif len(body) > ON_THE_LOOP_BYTES:
            reply = await asyncio.to_thread(self._respond, method, path, body, key)
        else:
            reply = self._respond(method, path, body, key)
        await _send(send, reply)

    async def _respond_in_time(
        self, method: str, path: str, body: bytes, key: bytes | None
    ) -> Reply:
        """Answer in a thread for labels; a database that hangs holds up nothing else."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LABEL_SECONDS):
                return await loop.run_in_executor(
                    self._label_threads, self._respond, method, path, body, key
                )
        except TimeoutError:
            if self.api is not None:
                self.api.ledger.reject(LOG_UNAVAILABLE.code)
            return error_reply(LOG_UNAVAILABLE)

    def _respond(self, method: str, path: str, body: bytes, key: bytes | None) -> Reply:
        if self.api is None:
            return error_reply(NOT_READY)
        try:
            return self.api.respond(method, path, body, key)
        except Exception as error:  # noqa: BLE001 - a request must never end in a trace
            # A trace could show what the client sent.
            log.error("%s %s failed: %s", method, path, type(error).__name__)  # noqa: TRY400
            self.api.ledger.reject(FAILED.code)
            return error_reply(FAILED)


def find_key(headers: Headers) -> bytes | None:
    """The key in `X-API-Key` or `Authorization: Bearer`."""
    for name, value in headers:
        if name == b"x-api-key":
            return value
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip()
    return None


def _content_length(headers: Headers) -> int:
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            return int(value[:LENGTH_DIGITS])
    return 0


def _page(api: Api, path: str) -> Reply:
    contract = api.predictor.contract
    if path == "/":
        return Reply(200, openapi.PAGE.format(title=html.escape(contract.title)).encode())
    return Reply(200, orjson.dumps(openapi.describe(contract)))


async def _read_body(receive: Receive, announced: int) -> bytes | None:
    """The whole body, or None where the client has gone."""
    if announced > MAX_BODY_BYTES:
        raise TOO_LARGE
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            return await _collect(receive)
    except TimeoutError:
        raise TOO_SLOW from None


async def _collect(receive: Receive) -> bytes | None:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message.get("body", b""))
    chunks, size = [], 0
    while message["type"] != "http.disconnect":
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY_BYTES:
            raise TOO_LARGE
        if not message.get("more_body"):
            return b"".join(chunks)
        message = await receive()
    return None


async def _send(send: Send, reply: Reply, page_type: bytes = b"") -> None:
    is_page = bool(page_type) and reply.body[:1] == b"<"
    kind = page_type if is_page else b"application/json"
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
