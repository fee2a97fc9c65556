"""Prefect's temporary server, which serves one run where no other server is named.

Prefect starts it as a child that a terminal's Ctrl+C ends before the run has told it of its end,
and that outlives a killed run. Here it has a session of its own, and ends with its parent. This
file is also the program of that child.
"""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

LOOK_SECONDS = 0.5
END_SECONDS = 5.0
STARTED: list["subprocess.Popen[bytes]"] = []


def stand_apart() -> None:
    """Start the temporary server, where this process will need one, in the way told above."""
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return
    from prefect.server.api.server import SubprocessASGIServer

    SubprocessASGIServer._run_uvicorn_command = _start  # type: ignore[method-assign, assignment] # noqa: SLF001


def _start(server: object) -> "subprocess.Popen[bytes]":
    from prefect.settings import PREFECT_HOME, get_current_settings

    port = str(server.port)  # type: ignore[attr-defined] # Prefect's SubprocessASGIServer
    own = {
        "PREFECT_UI_ENABLED": "0",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
        **get_current_settings().to_environment_variables(exclude_unset=True),
    }
    with Path(PREFECT_HOME.value(), "temporary-server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-P", __file__, str(os.getpid()), port],
            env=os.environ | own,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    STARTED.append(process)
    return process


def end_at_once() -> None:
    """End the temporary server of this process, if it has one, and wait for that."""
    for process in STARTED:
        process.kill()
        process.wait()


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
