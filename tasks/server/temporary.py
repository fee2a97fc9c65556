"""A Prefect server that serves one run, where no other server is named.

Prefect would start one itself, as a child that a terminal's Ctrl+C ends before the run has told it
of its end, and that outlives a killed run; and this process would import a whole server for it.
Here it has a session of its own, and ends with its parent. This file is also the program of that
child.
"""

import asyncio
import atexit
import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LOOK_SECONDS = 0.5
END_SECONDS = 5.0
ASK_SECONDS = 0.1
AGAIN_SECONDS = 0.05
MOST_TRIES = 100  # at a request that meets a busy database
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
STARTED: list["subprocess.Popen[bytes]"] = []


class NotStartedError(RuntimeError):
    """The temporary server has ended, or did not answer in time; the message says what it told."""


def start_server() -> str | None:
    """Begin to start the server where this process will need one; its address, else None."""
    from prefect.settings import PREFECT_API_URL, get_current_settings

    if PREFECT_API_URL.value():
        return None
    port = _find_port()
    own = {
        "PREFECT_UI_ENABLED": "0",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
        **get_current_settings().to_environment_variables(exclude_unset=True),
    }
    with _log().open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-P", __file__, str(os.getpid()), str(port)],
            env=os.environ | own,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    STARTED.append(process)
    atexit.register(_end, process)  # what is registered later, to tell it of the end, runs before
    return f"http://127.0.0.1:{port}/api"


def use_server(address: str) -> None:
    """Return when the server answers, and let Prefect ask it from now on; `NotStartedError`."""
    from prefect.context import refresh_global_settings_context
    from prefect.settings import (
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
        get_current_settings,
    )

    give_up = time.monotonic() + PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value()
    while not _answers(address):
        is_late = time.monotonic() > give_up
        if STARTED[-1].poll() is not None or is_late:
            happened = "did not answer in time" if is_late else "ended at its start"
            raise NotStartedError(f"{happened} ({_reason()}); see {_log()}")
        time.sleep(ASK_SECONDS)
    os.environ["PREFECT_API_URL"] = address
    os.environ.setdefault("PREFECT_UI_URL", "")  # it has no pages, so that nothing may link there
    refresh_global_settings_context()
    # nobody looks there for a run that went silent, and each flow would wait for its heart to stop
    get_current_settings().flows.heartbeat_frequency = None


def end_at_once() -> None:
    """End the temporary server of this process, if it has one, and wait for that."""
    for process in STARTED:
        process.kill()
        process.wait()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _log() -> Path:
    from prefect.settings import PREFECT_HOME

    return Path(PREFECT_HOME.value(), "temporary-server.log")


def _reason() -> str:
    """The last error in the server's log, else its last line."""
    lines = _log().read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception): ", line)]
    return (errors or lines or ["it told nothing"])[-1]


def _find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _answers(address: str) -> bool:
    server = urlsplit(address)
    connection = HTTPConnection(server.netloc, timeout=END_SECONDS)  # by no proxy
    with closing(connection):
        try:
            connection.request("GET", f"{server.path}/health")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_SECONDS)
    os._exit(1)


def ask_again(app: App) -> App:
    """The app, asked again at once where it says that its database was busy (503).

    Prefect's own records meet requests in SQLite now and then. Nothing was done then, and a client
    would wait for two seconds or more before it asks again itself.
    """

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        request = await _take(receive)
        for _ in range(MOST_TRIES):
            answer, error = await _answer(app, scope, request, receive)
            if answer[0].get("status") != HTTPStatus.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(AGAIN_SECONDS)
        for message in answer:
            await send(message)
        if error is not None:
            raise error

    return serve


async def _take(receive: Receive) -> list[Message]:
    """All messages of a request."""
    request = [await receive()]
    while request[-1].get("more_body"):
        request.append(await receive())
    return request


async def _answer(
    app: App, scope: Message, request: list[Message], receive: Receive
) -> tuple[list[Message], Exception | None]:
    """All messages of the app's answer, and what it raises after that for the server's log."""
    left, answer = list(request), list[Message]()

    async def give() -> Message:
        return left.pop(0) if left else await receive()

    async def keep(message: Message) -> None:
        answer.append(message)

    try:
        await app(dict(scope), give, keep)
    except Exception as error:
        if not answer:
            raise
        return answer, error
    return answer, None


def main() -> None:
    """Serve on a port of this machine for as long as the parent lives."""
    gc.set_threshold(100_000, 50, 100)  # as `tasks.collecting`, which this program cannot import
    parent, port = map(int, sys.argv[1:])
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(
        ask_again(create_app()),
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
    )


if __name__ == "__main__":
    main()
