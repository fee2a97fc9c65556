"""The archives of a Google and of an Azure Function, run as their clouds build them.

Each is unpacked, and its lock installed into a virtual environment of its own. Google's own
`functions-framework` serves the one; Azure's host cannot be had as a package, and
`tasks.verify.azure_host` stands in for it over Azure's own library.
"""

import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from driftline.errors import PackagingError
from tasks.shipping.wheels import make_venv
from tasks.verify.emulator import NotRunnableError
from tasks.verify.environments import Environment, at_http
from tasks.verify.processes import end_of, free_ports, running, wait_ready

AZURE_HOST = Path(__file__).with_name("azure_host.py")


def google_function(
    path: Path, settings: Mapping[str, str] | None = None
) -> AbstractContextManager[Environment]:
    """The archive under Google's functions framework."""
    words = ["-m", "functions_framework", "--source", "main.py", "--target", "predict"]
    words += ["--host", "127.0.0.1", "--port"]
    return _function(path, lambda port: [*words, str(port)], settings or {})


def azure_function(
    path: Path, settings: Mapping[str, str] | None = None
) -> AbstractContextManager[Environment]:
    """The archive under what stands in for Azure's host."""
    return _function(path, lambda port: [str(AZURE_HOST), str(port)], settings or {})


@contextmanager
def _function(
    path: Path, words: Callable[[int], list[str]], settings: Mapping[str, str]
) -> Iterator[Environment]:
    if not path.exists():
        cloud = path.stem.rpartition("-")[2]
        message = f"there is no {path.name}; build it with --{cloud}-zip"
        raise NotRunnableError(message)
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="driftline-function-") as folder:
        task, scratch = Path(folder) / "task", Path(folder) / "tmp"
        scratch.mkdir()
        with zipfile.ZipFile(path) as archive:
            archive.extractall(task)
        python = _install(task / "requirements.txt", Path(folder) / "venv")
        own = {
            **settings,
            "PATH": os.defpath,
            "PYTHONPATH": str(task),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(scratch),
        }
        started_at = time.perf_counter()
        command = [str(python), *words(port)]
        with running(command, environment=own, cwd=str(task)) as (process, log):
            environment = at_http(port, started_at)
            wait_ready(environment.ask, lambda: end_of(process, log))
            yield environment


def _install(lock: Path, folder: Path) -> Path:
    try:
        return make_venv(lock, folder)
    except PackagingError as error:
        message = f"its packages cannot be installed: {error}"
        raise NotRunnableError(message) from None
