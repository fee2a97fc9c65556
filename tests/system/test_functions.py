"""The archives of a Google and an Azure Function, run from their own lock, answer as HTTP does."""

import json
import sqlite3
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import Message
from functools import partial
from pathlib import Path

import pytest

from bentos.api import Api
from bentos.http.hotpath import HotPath
from bentos.predictor import Predictor
from driftline.contract import parse_contract
from driftline.served import ServedModel
from tasks.shipping.functions import Cloud, build_function
from tasks.verify.emulator import NotRunnableError
from tasks.verify.functions import azure_function, google_function
from tests.bentos.asking import BODY, KEY, ORIGIN, REQUESTS, ask_over_http, without_id
from tests.bentos.models import RECORD, KeptLog, tiny_problem, write_tiny_model
from tests.support import lacking

RUN = {"google": google_function, "azure": azure_function}
Answer = tuple[int, dict[str, str], bytes]
Ask = Callable[[str, str, bytes, dict[str, str]], Answer]


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    """The tiny problem's model."""
    folder = write_tiny_model(tmp_path / "model")
    contract = parse_contract((folder / "contract.json").read_text())
    return ServedModel("7", (folder / "model.onnx").read_bytes(), contract, frozenset())


@pytest.mark.system
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("cloud", RUN)
def test_a_function_answers_as_http_does(cloud: Cloud, model: ServedModel, tmp_path: Path) -> None:
    archive = Path(build_function.fn(cloud, tiny_problem(), model).path)
    database = tmp_path / "log.db"
    settings = {
        "DRIFTLINE_API_KEYS": "right, other",
        "DRIFTLINE_CORS_ORIGINS": ORIGIN,
        "DRIFTLINE_DATABASE_URL": f"sqlite:///{database}",
    }
    app = HotPath()
    predictor = Predictor(model.contract, model.onnx)
    app.api = Api(predictor, KeptLog(), keys=["right", "other"], origins=[ORIGIN])

    with running(cloud, archive, settings) as ask:
        answers = [ask(*request[:4]) for request in REQUESTS]
        with ThreadPoolExecutor(8) as pool:
            at_once = list(pool.map(lambda _: ask("POST", "/predict", BODY, KEY), range(40)))
        label = {"prediction_id": json.loads(at_once[0][2])["prediction_id"], "label": "ill"}
        labelled = ask("POST", "/feedback", json.dumps(label).encode(), KEY)

    for (*request, status), answer in zip(REQUESTS, answers, strict=True):
        check(answer, ask_over_http(app, *request), status, is_head=request[0] == "HEAD")
    assert {status for status, *_ in at_once} == {200}
    assert (labelled[0], json.loads(labelled[2])) == (200, {"status": "added"})
    logged = sqlite3.connect(database).execute("SELECT id, inputs FROM predictions").fetchall()
    asked = {json.loads(body)["prediction_id"] for *_, body in at_once}
    assert asked <= {each for each, _ in logged}
    assert all(json.loads(inputs) == RECORD for _, inputs in logged)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("cloud", RUN)
def test_an_archive_is_small_and_the_same_again(cloud: Cloud, model: ServedModel) -> None:
    first = build_function.fn(cloud, tiny_problem(), model)
    again = build_function.fn(cloud, tiny_problem(), model)

    assert again == first
    assert first.megabytes < 1
    with zipfile.ZipFile(first.path) as archive:
        lock = archive.read("requirements.txt").decode()
        assert archive.testzip() is None
    assert lock.count("--hash=sha256:") > 20
    assert "://" not in lock.replace("# https://", "")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("cloud", RUN)
def test_an_archive_that_there_is_not_is_told(cloud: Cloud, tmp_path: Path) -> None:
    missing = tmp_path / f"tiny-v1-{cloud}.zip"

    with (
        pytest.raises(NotRunnableError, match=rf"no tiny-v1-{cloud}\.zip.*--{cloud}-zip"),
        RUN[cloud](missing),
    ):
        pass


def check(answer: Answer, over_http: Answer, status: int, *, is_head: bool) -> None:
    """One has the status, the headers and the body of the other."""
    wanted = {name: v for name, v in over_http[1].items() if name != "content-length"}
    assert answer[0] == over_http[0] == status
    assert wanted.items() <= answer[1].items()
    if is_head:
        assert answer[2] == b""
    else:
        assert without_id(answer[2]) == without_id(over_http[2])


@contextmanager
def running(cloud: Cloud, archive: Path, settings: dict[str, str]) -> Iterator[Ask]:
    """The archive as its cloud runs it; asks with headers, and reads those of the answer."""
    try:
        with RUN[cloud](archive, settings) as found:
            yield partial(ask_with_headers, found.address)
    except NotRunnableError as error:
        lacking(str(error))


def ask_with_headers(
    address: str, method: str, path: str, body: bytes, headers: dict[str, str]
) -> Answer:
    request = urllib.request.Request(
        address + path, data=body or None, headers=headers, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, lowered(reply.headers), reply.read()
    except urllib.error.HTTPError as error:
        return error.code, lowered(error.headers), error.read()


def lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
