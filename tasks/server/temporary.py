"""A Prefect server that serves one run, where no other server is named.

Prefect would start one itself, as a child that a terminal's Ctrl+C ends before the run has told it
of its end, and that outlives a killed run; and this process would import a whole server for it.
Here it has a session of its own, and ends with its parent. This file is also the program of that
child.
"""

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
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

LOOK_SECONDS = 0.5
END_SECONDS = 5.0
ASK_SECONDS = 0.1
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


def main() -> None:
    """Serve on a port of this machine for as long as the parent lives."""
    gc.set_threshold(100_000, 50, 100)  # as `tasks.collecting`, which this program cannot import
    parent, port = map(int, sys.argv[1:])
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    import uvicorn

    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
    )


if __name__ == "__main__":
    main()
