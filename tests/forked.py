"""Commands as `python -m` runs them, without importing each time all that is slow.

A process imports the libraries once, and forks for each command. A child shares none of the
project's own code, reads Prefect's settings anew, and has an environment, standard streams, a
process id and an exit code of its own, as a command has.
"""

import gc
import importlib
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
AHEAD = (
    *("skops.io", "great_expectations", "mlflow.sklearn", "evidently.presets", "skl2onnx"),
    *("sklearn.ensemble", "matplotlib.pyplot", "pyarrow.parquet", "bentoml"),
    *("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store"),
    *("prefect", "typer", "rich.table", "alembic.command", "s3fs"),
)
OURS = ("driftline", "bentos", "tasks", "flows", "tests")
# What a process is told at its start and never again, or what only a process of its own can do.
OF_THE_START = ("LD_", "PYTHON", "OMP_", "OPENBLAS_", "TZ", "DRIFTLINE_DASK")
REQUEST_BYTES, NUMBER_BYTES = 200_000, 16
UMASK = os.umask(0o022)  # which preparing the tools narrows
os.umask(UMASK)


class Forked:
    """A command that runs, as far as tests ask: the same as of `subprocess.Popen`."""

    def __init__(self, status: int, stdout: IO[str] | None = None) -> None:
        """Of a command whose process id and end are told there."""
        self._status, self.stdout = status, stdout
        self.returncode: int | None = None
        self.pid = self._read()

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; `TimeoutExpired` where it runs on for so long."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = self._read()
            os.close(self._status)
        return self.returncode

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _read(self) -> int:
        return int(os.read(self._status, NUMBER_BYTES))


class Forks:
    """The process that forks, seen from the tests."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Start it with what all commands have in their environment."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._env = dict(env)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
                cwd=ROOT,
                env=self._env,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()

    def can_run(self, env: Mapping[str, str]) -> bool:
        """Whether a fork can have this environment."""
        names = {name for name in env.keys() | self._env.keys() if name.startswith(OF_THE_START)}
        return all(env.get(name) == self._env.get(name) for name in names)

    def run(
        self, module: str, *words: str, env: Mapping[str, str], timeout: float = 480
    ) -> subprocess.CompletedProcess[str]:
        """`python -m <module> <words>` to its end; `TimeoutExpired` where that does not come."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            command = Forked(self._ask([module, words, dict(env)], out.fileno(), err.fileno()))
            try:
                code = command.wait(timeout)
            finally:
                command.kill()
            texts = [(file.seek(0), file.read())[1] for file in (out, err)]
        return subprocess.CompletedProcess([module, *words], code, *texts)

    def start(self, module: str, *words: str, env: Mapping[str, str]) -> Forked:
        """The same while it runs; what it says, in either stream, comes by its `stdout`."""
        read, write = os.pipe()
        status = self._ask([module, words, dict(env)], write, write)
        os.close(write)
        return Forked(status, os.fdopen(read, encoding="utf-8"))

    def _ask(self, command: Sequence[object], out: int, err: int) -> int:
        read, write = os.pipe()
        socket.send_fds(self._ours, [json.dumps(command).encode()], [out, err, write])
        os.close(write)
        return read


def serve(asked: socket.socket) -> tuple[str, list[str]]:
    """Fork for each request until there are no more; returns in a child, with what it is to run."""
    ends = selectors.DefaultSelector()
    ends.register(asked, selectors.EVENT_READ)
    while True:
        for key, _ in ends.select():
            if key.fileobj is not asked:
                reap(ends, key)
            elif (command := fork(ends, asked)) is not None:
                return command


def fork(ends: selectors.BaseSelector, asked: socket.socket) -> tuple[str, list[str]] | None:
    """Fork for the next request; returns in the child what it is to run, and None in the parent."""
    request, given, *_ = socket.recv_fds(asked, REQUEST_BYTES, 3)
    if not request:
        sys.exit()
    *files, status = given
    pid = os.fork()
    if not pid:
        ends.close()
        asked.close()
        os.close(status)
        module, words, env = json.loads(request)
        become(env, files)
        return module, words
    for file in files:
        os.close(file)
    tell(status, pid)
    ends.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, status))
    return None


def reap(ends: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Tell how a command has ended."""
    pid, status = key.data
    ends.unregister(key.fileobj)
    os.close(key.fd)
    tell(status, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(status)


def tell(status: int, number: int) -> None:
    """Write a number to who waits for it, if somebody still does."""
    with suppress(BrokenPipeError):
        os.write(status, f"{number}".encode().ljust(NUMBER_BYTES))


def become(env: Mapping[str, str], files: list[int]) -> None:
    """Take on the environment and the streams of a command that has just begun."""
    for file, stream in zip(files, (1, 2), strict=True):
        os.dup2(file, stream)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    os.umask(UMASK)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    prepare()


def prepare() -> None:
    """Point the tools at the state folder, as `flows` will, and forget the project's own code."""
    from driftline.errors import SettingsError
    from tasks.settings import prepare_environment

    with suppress(SettingsError):  # the command says it
        prepare_environment()
        if "prefect" in sys.modules:
            refresh_prefect()
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]


def refresh_prefect() -> None:
    """Let Prefect, which read its settings while it was imported, read them now."""
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    refresh_global_settings_context()
    setup_logging(incremental=False)


def load() -> None:
    """Import what is slow, as a flow would."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["DRIFTLINE_HOME"] = home
        prepare()
        for name in AHEAD:
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what was imported stays shared by the forks


def main() -> None:
    """Serve the socket whose number is given; a child runs its command as Python itself would."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    load()
    module, words = serve(asked)
    sys.argv = ["-m", *words]
    sys.modules["__main__"] = types.ModuleType("__main__")
    runpy._run_module_as_main(module)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
