"""The outermost ASGI application: answers the API itself and hands everything else to BentoML.

BentoML's tracing, metrics and timeout layers cost several times what a prediction does. What
they give on these paths is given here instead: body limits, a timeout for slow senders, counters.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from bentos.api import Api
from bentos.arms import HEADER
from bentos.health.parts import NOT_SERVING, Parts
from bentos.http import page
from bentos.http.commit import GroupCommit
from bentos.http.door import HEALTH, METHODS, Headers, find_coding, find_header, find_key
from bentos.log.writers import LogUnavailableError
from bentos.records import body_limit, check_coding, too_large
from bentos.replies import (
    FAILED,
    LOG_UNAVAILABLE,
    NOT_READY,
    HeaderPairs,
    Reply,
    RequestError,
    error_reply,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_TIMEOUT_SECONDS = 15.0  # for the whole body, however many pieces it comes in
BODIES_BYTES = 256 * 1024 * 1024  # of all bodies that are being read
LABEL_SECONDS = 15.0  # longer than a label waits for its prediction to arrive
LABEL_THREADS = 4
LENGTH_DIGITS = 18  # more of them are too large all the same
ON_THE_LOOP_BYTES = 64 * 1024  # a body beyond this is answered in a thread, not to hold up others
TOO_SLOW = RequestError(408, "too_slow", "the body did not arrive in time")
BUSY = RequestError(
    503, "busy", "too many large bodies at once; try again", headers=(("retry-after", "5"),)
)
FRAMEWORKS_OWN = frozenset({*HEALTH, "/metrics", "/schema.json"})
STATIC = "/static_content/"
READINESS = "/readyz"
SLOW = frozenset({"/explain"})  # scores as many records as there are fields
LOGGED = frozenset({"/predict", "/predict_batch"})
OK, NO_CONTENT, UNAVAILABLE = 200, 204, 503

log = logging.getLogger("driftline.service")


class HotPath:
    """Routes the API's paths to `api` once it is there, the framework's own to `fallback`."""

    def __init__(self) -> None:
        """Start without a model: the API answers 503."""
        self.api: Api | None = None
        self.parts: Parts | None = None
        self.commit: GroupCommit | None = None
        self.fallback: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
        self._label_threads = ThreadPoolExecutor(LABEL_THREADS, "labels")
        self._being_read = 0  # bytes of bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_http = scope["type"] == "http"
        if not is_http or scope["path"].startswith(STATIC):
            await self._fall_back(scope, receive, send)
        elif self.api is not None:
            await self._admit(self.api, scope, receive, send)
        elif scope["path"] == READINESS and self.parts is not None:
            await _send(send, _readiness(self.api, self.parts))
        elif scope["path"] in HEALTH:
            await self._fall_back(scope, receive, send)
        else:
            await _send(send, error_reply(NOT_READY))

    async def _fall_back(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.fallback is not None  # noqa: S101 - set before the server starts
        await self.fallback(scope, receive, send)

    async def _admit(self, api: Api, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge what is known before the body; nothing of it is read of who is not let in."""
        method, path, headers = scope["method"], scope["path"], scope["headers"]
        cors = api.door.cors(headers)
        try:
            api.door.admit(method, path, find_key(headers), METHODS)
            check_coding(find_coding(headers))
        except RequestError as error:
            await _send(send, api.refuse(error), cors)
            return
        if method == "OPTIONS":
            await _send(send, api.door.options(path, headers), cors)
        elif path == READINESS and self.parts is not None:
            await _send(send, _readiness(api, self.parts), cors)
        elif path in FRAMEWORKS_OWN:
            await self._fall_back(scope, receive, send)
        elif path in page.PATHS:
            is_keyed = api.door.demands_key
            shown = page.show(path, api.predictor.contract, demands_key=is_keyed)
            await _send(send, shown, cors)
        else:
            await self._read_and_respond(api, scope, receive, send)

    async def _read_and_respond(self, api: Api, scope: Scope, receive: Receive, send: Send) -> None:
        method, path, headers = scope["method"], scope["path"], scope["headers"]
        try:
            body: bytes | None = b""
            if method == "POST":  # no other has a body that means anything
                body = await self._read_body(receive, _content_length(headers), body_limit(path))
        except RequestError as error:
            await _send(send, api.refuse(error), api.door.cors(headers))
            return
        if body is None:
            return
        coding = find_coding(headers)
        subject = find_header(headers, HEADER)
        request = (method, path, body, find_key(headers), coding, subject)
        if path == "/feedback":
            reply = await self._respond_in_time(*request)
        elif coding or path in SLOW or len(body) > ON_THE_LOOP_BYTES:
            reply = await asyncio.to_thread(self._respond, *request)
        else:
            reply = self._respond(*request)
        if self.commit is not None and path in LOGGED and reply.status == OK:
            reply = await self._committed(self.commit, api, reply)
        await _send(send, reply, api.door.cors(headers))

    async def _committed(self, commit: GroupCommit, api: Api, reply: Reply) -> Reply:
        """The reply, once what it tells is on the disk."""
        try:
            await commit.wait()
        except LogUnavailableError:
            return api.refuse(LOG_UNAVAILABLE)
        return reply

    async def _respond_in_time(self, *request: Any) -> Reply:
        """Answer in a thread for labels; a database that hangs holds up nothing else."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LABEL_SECONDS):
                return await loop.run_in_executor(self._label_threads, self._respond, *request)
        except TimeoutError:
            if self.api is not None:
                self.api.ledger.reject(LOG_UNAVAILABLE.code)
            return error_reply(LOG_UNAVAILABLE)

    def _respond(
        self, method: str, path: str, body: bytes, key: bytes | None, coding: bytes, subject: bytes
    ) -> Reply:
        if self.api is None:
            return error_reply(NOT_READY)
        try:
            return self.api.respond(method, path, body, key, coding, subject)
        except Exception as error:  # noqa: BLE001 - a request must never end in a trace
            # A trace could show what the client sent.
            log.error("%s %s failed: %s", method, path, type(error).__name__)  # noqa: TRY400
            self.api.ledger.reject(FAILED.code)
            return error_reply(FAILED)

    async def _read_body(self, receive: Receive, announced: int, most: int) -> bytes | None:
        """The whole body, or None where the client has gone."""
        if announced > most:
            raise too_large(most)
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                return await self._collect(receive, most)
        except TimeoutError:
            raise TOO_SLOW from None

    async def _collect(self, receive: Receive, most: int) -> bytes | None:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            return _within(bytes(message.get("body", b"")), most)
        chunks: list[bytes] = []
        size = 0
        try:
            while message["type"] != "http.disconnect":
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                self._being_read += len(chunks[-1])
                if size > most:
                    raise too_large(most)
                if self._being_read > BODIES_BYTES:
                    raise BUSY
                if not message.get("more_body"):
                    return b"".join(chunks)
                message = await receive()
        finally:
            self._being_read -= size
        return None


def _within(body: bytes, most: int) -> bytes:
    if len(body) > most:
        raise too_large(most)
    return body


def _content_length(headers: Headers) -> int:
    value = find_header(headers, b"content-length")
    return int(value[:LENGTH_DIGITS]) if value.isdigit() else 0


def _readiness(api: Api | None, parts: Parts) -> Reply:
    """200 where requests can be answered, however its parts are; 503 where they cannot."""
    told = parts.describe()
    if api is None:
        told["status"] = NOT_SERVING
    return Reply(UNAVAILABLE if told["status"] == NOT_SERVING else OK, orjson.dumps(told))


async def _send(send: Send, reply: Reply, more: HeaderPairs = ()) -> None:
    """Send an answer; that to a `HEAD` the server sends without its body."""
    headers = [(b"content-type", reply.content_type.encode())] if reply.body else []
    if reply.status != NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    headers += [(name.encode(), value.encode()) for name, value in (*reply.headers, *more)]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
