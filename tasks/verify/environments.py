"""The environments a model answers in, all reached alike: method, path and body in, answer out.

In this process, `bentoml serve`, a container, and AWS's runtime interface emulator around the
Lambda archive or the image. What is started here listens on 127.0.0.1 and is ended by its id.
"""

import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bentos.api import Api
from bentos.log.refusals import Counts
from bentos.predictor import Predictor
from driftline.agreement import Response
from driftline.errors import PackagingError
from driftline.served import ServedModel
from tasks.shipping.engines import Run, choose_engine, is_running, read_image, read_log, run_image
from tasks.verify import emulator
from tasks.verify.emulator import NotRunnableError
from tasks.verify.processes import (
    Ask,
    clean_environment,
    end_of,
    free_ports,
    running,
    send,
    tail_of,
    wait_listening,
    wait_ready,
)


@dataclass(frozen=True)
class Environment:
    """An environment that runs: how to ask it, when its process was started, its HTTP address."""

    ask: Ask
    started_at: float
    address: str = ""


class _NoLog:
    """Keeps nothing, and knows no prediction."""

    def write(self, entry: dict[str, Any]) -> None:
        """Forget it."""

    def refuse(self, problem: str, version: str, counts: Counts) -> None:
        """Forget them."""

    def label(self, prediction_id: str, label: str) -> str:
        """No prediction is known."""
        del prediction_id, label
        return "unknown"


@contextmanager
def in_process(model: ServedModel) -> Iterator[Environment]:
    """The predictor in this process."""
    started_at = time.perf_counter()
    yield Environment(in_process_asker(model), started_at)


@contextmanager
def served_bento(path: str) -> Iterator[Environment]:
    """`bentoml serve` of a bento, with a state folder of its own."""
    (port,) = free_ports(1)
    words = [sys.executable, "-m", "bentoml", "serve", path]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryDirectory(prefix="driftline-serve-") as folder:
        own = {
            "BENTOML_HOME": f"{folder}/bentoml",
            "BENTOML_DO_NOT_TRACK": "true",
            "DRIFTLINE_HOME": folder,
        }
        with running(words, environment=clean_environment() | own, cwd=folder) as (process, log):
            environment = at_http(port)
            wait_ready(environment.ask, lambda: end_of(process, log))
            yield environment


@contextmanager
def container(tag: str, settings: Mapping[str, str] | None = None) -> Iterator[Environment]:
    """The image as it serves HTTP, in a read-only container of 512 MB."""
    engine = _engine_with(tag)
    (port,) = free_ports(1)
    own = {"BENTOML_PORT": str(port), "BENTOML_HOST": "127.0.0.1"}
    run = Run(tag, environment={**(settings or {}), **own})
    started_at = time.perf_counter()
    with run_image(engine, run) as name:
        environment = at_http(port, started_at)
        wait_ready(environment.ask, lambda: _end_of_container(engine, name))
        yield environment


@contextmanager
def lambda_image(tag: str) -> Iterator[Environment]:
    """The image as a Lambda: the emulator inside a read-only container of 512 MB."""
    rie, engine = emulator.find_rie(), _engine_with(tag)
    outer, inner = free_ports(2)
    run = Run(
        tag,
        entrypoint=emulator.RIE_IN_IMAGE,
        words=[*emulator.options(outer, inner), "python3", "-m", "awslambdaric", emulator.HANDLER],
        environment=emulator.lambda_environment(),
        mounts=[f"{rie}:{emulator.RIE_IN_IMAGE}:ro"],
    )
    started_at = time.perf_counter()
    with run_image(engine, run):
        wait_listening(outer)
        yield Environment(emulator.asker(outer), started_at)


@contextmanager
def lambda_archive(path: Path) -> Iterator[Environment]:
    """The archive, unpacked, under the emulator; its Python sees no package but those within."""
    rie = emulator.find_rie()
    if not path.exists():
        message = f"there is no {path.name}; build it with --lambda-zip"
        raise NotRunnableError(message)
    outer, inner = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="driftline-lambda-") as folder:
        task, runtime, scratch = (Path(folder) / name for name in ("task", "runtime", "tmp"))
        scratch.mkdir()
        with zipfile.ZipFile(path) as archive:
            archive.extractall(task)
        emulator.copy_runtime_client(runtime)
        words = [str(rie), *emulator.options(outer, inner)]
        words += [emulator.bare_python(), "-S", "-m", "awslambdaric", emulator.HANDLER]
        own = emulator.lambda_environment() | {
            "PATH": os.defpath,
            "PYTHONPATH": f"{task}{os.pathsep}{runtime}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(scratch),
        }
        started_at = time.perf_counter()
        with running(words, environment=own, cwd=str(task)):
            wait_listening(outer)
            yield Environment(emulator.asker(outer), started_at)


def in_process_asker(model: ServedModel) -> Ask:
    """Asks the predictor in this process."""
    api = Api(Predictor(model.contract, model.onnx), _NoLog())

    def ask(method: str, path: str, body: bytes) -> Response:
        reply = api.respond(method, path, body)
        return Response(reply.status, reply.body)

    return ask


def _engine_with(tag: str) -> str:
    try:
        engine = choose_engine(among=("docker", "podman"))
        read_image(tag, engine)
    except PackagingError as error:
        message = f"{error} (build it with --containerize)"
        raise NotRunnableError(message) from None
    return engine


def _end_of_container(engine: str, name: str) -> str:
    """Nothing while the container runs; the end of its log once it has ended."""
    return "" if is_running(engine, name) else tail_of(read_log(engine, name)) or "ended"


def at_http(port: int, started_at: float | None = None) -> Environment:
    """One that answers HTTP on a port of this machine."""
    began = time.perf_counter() if started_at is None else started_at
    base = f"http://127.0.0.1:{port}"
    return Environment(lambda method, path, body: send(method, base + path, body), began, base)
