"""The environments a model answers in, all reached alike: method, path and body in, answer out.

In this process, `bentoml serve`, a container, and AWS's runtime interface emulator around the
Lambda archive or the image. What is started here listens on 127.0.0.1 and is ended by its id.
"""

import base64
import importlib.metadata
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bentos.api import Api
from bentos.predictor import Predictor
from driftline.agreement import (
    Agreement,
    Answers,
    Request,
    Response,
    Wanted,
    bad_requests,
    compare,
    differing_parameters,
    edge_records,
    plain_records,
    records_of_vectors,
    resample_records,
)
from driftline.contract import Contract
from driftline.dataset import encode_target
from driftline.errors import DriftlineError, PackagingError
from driftline.export import classifier_of, edge_cases
from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.decorators import work
from tasks.engines import Run, choose_engine, is_running, read_image, read_log, run_image
from tasks.progress import tell
from tasks.settings import get_settings

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

SEED = 0
HTTP_OK, REFUSED, UNAVAILABLE = 200, 400, 503
UNAVAILABLE_SECONDS = 10.0
RECORDS_PER_REQUEST = 500
READY_SECONDS = 90.0
REQUEST_SECONDS = 60.0
HANDLER = "bentos.lambda_handler.handler"
RIE_IN_IMAGE = "/usr/local/bin/aws-lambda-rie"
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
INVOKE = "/2015-03-31/functions/function/invocations"
OWN_NAMES = ("DRIFTLINE_", "BENTOML_", "AWS_", "PYTHON")

Ask = Callable[[str, str, bytes], Response]


class NotRunnableError(DriftlineError):
    """An environment cannot be run on this machine; the message says what is missing."""


@dataclass(frozen=True)
class Environment:
    """An environment that runs: how to ask it, and when its process was started."""

    ask: Ask
    started_at: float


@dataclass(frozen=True)
class Questions:
    """What every environment is sent, as bytes, and the same records encoded for the pipeline."""

    first: bytes
    batches: tuple[bytes, ...]
    matrix: np.ndarray
    wanted: Wanted


class _NoLog:
    """Keeps nothing, and knows no prediction."""

    def write(self, entry: dict[str, Any]) -> None:
        """Forget it."""

    def label(self, prediction_id: str, label: str) -> str:
        """No prediction is known."""
        del prediction_id, label
        return "unknown"


@work(name="collect questions")
def collect_questions(
    table: pd.DataFrame, problem: Problem, model: ServedModel, fitted: "Pipeline", *, rows: int
) -> Questions:
    """Rows of the snapshot, resampled ones up to `rows`, edge cases, and what must be refused."""
    contract = model.contract
    if len(table) > rows:
        table = table.sample(rows, random_state=SEED)
    real = plain_records(table, contract)
    made = resample_records(real, contract, count=rows - len(real), seed=SEED)
    typical = dict(contract.example) or real[0]
    vectors = edge_cases(fitted, contract.encode_table(real), contract)
    edges = edge_records(typical, contract) + records_of_vectors(vectors, contract)
    records = [*real, *made, *edges]
    matrix = contract.encode_table(records)
    ask = _in_process_asker(model)
    requests = [
        (request, reply)
        for request in bad_requests(typical, contract)
        if (reply := ask(request.method, request.path, request.body)).status >= REFUSED
    ]
    wanted = Wanted(
        fitted=_answers_of(fitted.predict_proba(matrix).tolist(), contract),
        requests=tuple(request for request, _ in requests),
        errors=tuple(reply for _, reply in requests),
        about=ask("GET", "/model", b""),
        y=encode_target(table, problem),
    )
    starts = range(0, len(records), RECORDS_PER_REQUEST)
    return Questions(
        first=_json(typical),
        batches=tuple(_json({"records": records[i : i + RECORDS_PER_REQUEST]}) for i in starts),
        matrix=matrix,
        wanted=wanted,
    )


@work(name="check hyperparameters")
def check_parameters(
    fitted: "Pipeline", logged: Mapping[str, str], model: ServedModel, questions: Questions
) -> Agreement:
    """The fitted pipeline against what was logged of it: hyperparameters and threshold."""
    found = classifier_of(fitted).get_params()
    reasons = differing_parameters(logged, found)
    if logged.get("threshold") != str(model.contract.threshold):
        reasons.append(f"threshold: logged {logged.get('threshold')}, served another")
    wanted = questions.wanted
    agreement = compare("scikit-learn pipeline", wanted.fitted, wanted, model.contract)
    if not reasons:
        return agreement
    return replace(agreement, state="different", why="; ".join(reasons))


@work(name="try environment", run_name="try {name}")
def try_environment(
    name: str,
    environment: AbstractContextManager[Environment],
    questions: Questions,
    contract: Contract,
) -> Agreement:
    """Start an environment, ask it, and compare; one that lacks something is not run."""
    tell(f"{name} ...")
    try:
        with environment as running:
            answers, seconds = _ask_all(running, questions)
    except NotRunnableError as error:
        agreement = Agreement(name, "not run", str(error))
    except (DriftlineError, OSError, ValueError, KeyError) as error:
        agreement = Agreement(name, "different", f"{type(error).__name__}: {error}")
    else:
        agreement = compare(name, answers, questions.wanted, contract, seconds=seconds)
    tell(f"{name}: {agreement.state}{f' ({agreement.why})' if agreement.why else ''}")
    return agreement


@contextmanager
def in_process(model: ServedModel) -> Iterator[Environment]:
    """The predictor in this process."""
    started_at = time.perf_counter()
    yield Environment(_in_process_asker(model), started_at)


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
        with _running(words, environment=_clean_environment() | own, cwd=folder) as (process, log):
            environment = _at_http(port)
            _wait_ready(environment.ask, lambda: _end_of(process, log))
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
        environment = _at_http(port, started_at)
        _wait_ready(environment.ask, lambda: _end_of_container(engine, name))
        yield environment


@contextmanager
def lambda_image(tag: str) -> Iterator[Environment]:
    """The image as a Lambda: the emulator inside a read-only container of 512 MB."""
    rie, engine = find_rie(), _engine_with(tag)
    outer, inner = free_ports(2)
    run = Run(
        tag,
        entrypoint=RIE_IN_IMAGE,
        words=[*_rie_options(outer, inner), "python3", "-m", "awslambdaric", HANDLER],
        environment=_lambda_environment(),
        mounts=[f"{rie}:{RIE_IN_IMAGE}:ro"],
    )
    started_at = time.perf_counter()
    with run_image(engine, run):
        _wait_listening(outer)
        yield Environment(_lambda_asker(outer), started_at)


@contextmanager
def lambda_archive(path: Path) -> Iterator[Environment]:
    """The archive, unpacked, under the emulator; its Python sees no package but those within."""
    rie = find_rie()
    if not path.exists():
        message = f"there is no {path.name}; build it with --lambda-zip"
        raise NotRunnableError(message)
    outer, inner = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="driftline-lambda-") as folder:
        task, runtime, scratch = (Path(folder) / name for name in ("task", "runtime", "tmp"))
        scratch.mkdir()
        with zipfile.ZipFile(path) as archive:
            archive.extractall(task)
        copy_runtime_client(runtime)
        words = [str(rie), *_rie_options(outer, inner)]
        words += [bare_python(), "-S", "-m", "awslambdaric", HANDLER]
        own = _lambda_environment() | {
            "PATH": os.defpath,
            "PYTHONPATH": f"{task}{os.pathsep}{runtime}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(scratch),
        }
        started_at = time.perf_counter()
        with _running(words, environment=own, cwd=str(task)):
            _wait_listening(outer)
            yield Environment(_lambda_asker(outer), started_at)


def find_rie() -> Path:
    """The emulator: `DRIFTLINE_LAMBDA_RIE`, or `aws-lambda-rie` on PATH."""
    named = get_settings().lambda_rie
    found = named or shutil.which("aws-lambda-rie")
    if not found or not Path(found).is_file():
        message = (
            "no runtime interface emulator: put aws-lambda-rie on PATH, "
            "or name it in DRIFTLINE_LAMBDA_RIE"
        )
        raise NotRunnableError(message)
    return Path(found).absolute()


def copy_runtime_client(folder: Path) -> None:
    """AWS's runtime client alone, from the packages of this Python; on Lambda it is there."""
    for name in RUNTIME_CLIENT:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            message = f"the Python package {name} is not installed"
            raise NotRunnableError(message) from None
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = folder / str(file)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(distribution.locate_file(file)), target)


def bare_python() -> str:
    """The interpreter below this virtual environment."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nothing listens."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _engine_with(tag: str) -> str:
    try:
        engine = choose_engine(among=("docker", "podman"))
        read_image(tag, engine)
    except PackagingError as error:
        message = f"{error} (build it with --containerize)"
        raise NotRunnableError(message) from None
    return engine


def _clean_environment() -> dict[str, str]:
    """This process's environment without what would make a service answer otherwise."""
    return {k: v for k, v in os.environ.items() if not k.startswith(OWN_NAMES)}


def _lambda_environment() -> dict[str, str]:
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "driftline",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }


def _rie_options(outer: int, inner: int) -> list[str]:
    options = ["--log-level", "error"]
    options += ["--runtime-interface-emulator-address", f"127.0.0.1:{outer}"]
    return [*options, "--runtime-api-address", f"127.0.0.1:{inner}"]


@contextmanager
def _running(
    words: list[str], *, environment: dict[str, str], cwd: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A process with all it starts, in a session of its own that is ended as a whole."""
    log = Path(cwd).parent / f"{Path(cwd).name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own words
            words,
            env=environment,
            cwd=cwd,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, kind)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        log.unlink(missing_ok=True)


def _end_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Nothing while the process runs; the end of its log once it has ended."""
    return "" if process.poll() is None else _log_tail(log.read_text(errors="replace")) or "ended"


def _end_of_container(engine: str, name: str) -> str:
    """Nothing while the container runs; the end of its log once it has ended."""
    return "" if is_running(engine, name) else _log_tail(read_log(engine, name)) or "ended"


def _log_tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-6:])


def _at_http(port: int, started_at: float | None = None) -> Environment:
    began = time.perf_counter() if started_at is None else started_at
    base = f"http://127.0.0.1:{port}"
    return Environment(lambda method, path, body: _send(method, base + path, body), began)


def _send(method: str, url: str, body: bytes) -> Response:
    request = urllib.request.Request(  # noqa: S310 - our own server
        url, data=body or None, method=method, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:  # noqa: S310 - our own server
            return Response(reply.status, reply.read())
    except urllib.error.HTTPError as error:
        return Response(error.code, error.read())


def _lambda_asker(port: int) -> Ask:
    """Wraps a request as API Gateway's event (v2), and unwraps the answer."""

    def ask(method: str, path: str, body: bytes) -> Response:
        event = {
            "version": "2.0",
            "rawPath": path,
            "headers": {"content-type": "application/json"},
            "requestContext": {"http": {"method": method}, "stage": "$default"},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        reply = _send("POST", f"http://127.0.0.1:{port}{INVOKE}", json.dumps(event).encode())
        answer = json.loads(reply.body)
        if "statusCode" not in answer:
            message = f"the Lambda failed: {str(answer)[:300]}"
            raise PackagingError(message)
        return Response(answer["statusCode"], answer["body"].encode())

    return ask


def _wait_ready(ask: Ask, ended: Callable[[], str]) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while True:
        try:
            if ask("GET", "/readyz", b"").status == HTTP_OK:
                return
        except OSError:
            time.sleep(0.05)
        if time.monotonic() > give_up or ended():
            message = f"did not get ready: {ended()}"
            raise PackagingError(message)


def _wait_listening(port: int) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    message = f"the emulator does not listen on port {port}"
    raise PackagingError(message)


def _ask_all(environment: Environment, questions: Questions) -> tuple[Answers, float]:
    """One record, whose answer is timed, then all in batches, then the requests that are wrong."""
    _expect_ok(environment.ask("POST", "/predict", questions.first))
    seconds = time.perf_counter() - environment.started_at
    predictions: list[dict[str, Any]] = []
    for body in questions.batches:
        reply = environment.ask("POST", "/predict_batch", body)
        predictions += _expect_ok(reply)["predictions"]
    answers = Answers(
        labels=tuple(one["label"] for one in predictions),
        risks=tuple(one["risk_level"] for one in predictions),
        probabilities=np.array([list(one["probability"].values()) for one in predictions]),
        errors=tuple(_ask_patiently(environment.ask, each) for each in questions.wanted.requests),
        about=environment.ask("GET", "/model", b""),
    )
    return answers, round(seconds, 2)


def _ask_patiently(ask: Ask, request: Request) -> Response:
    """Ask again while the answer is 503: a new database has its tables a moment after the start."""
    give_up = time.monotonic() + UNAVAILABLE_SECONDS
    while True:
        reply = ask(request.method, request.path, request.body)
        if reply.status != UNAVAILABLE or time.monotonic() > give_up:
            return reply
        time.sleep(0.2)


def _answers_of(probabilities: list[list[float]], contract: Contract) -> Answers:
    """What the contract makes of probabilities."""
    return Answers(
        labels=tuple(contract.classes[contract.decide(row)] for row in probabilities),
        risks=tuple(contract.risk(row) for row in probabilities),
        probabilities=np.array(probabilities),
    )


def _in_process_asker(model: ServedModel) -> Ask:
    api = Api(Predictor(model.contract, model.onnx), _NoLog())

    def ask(method: str, path: str, body: bytes) -> Response:
        reply = api.respond(method, path, body)
        return Response(reply.status, reply.body)

    return ask


def _expect_ok(reply: Response) -> Any:
    if reply.status != HTTP_OK:
        message = f"got status {reply.status} for valid records: {reply.body[:300]!r}"
        raise PackagingError(message)
    return json.loads(reply.body)


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
