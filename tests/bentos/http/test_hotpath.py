import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from bentos.api import Api
from bentos.http import hotpath
from bentos.http.hotpath import LABEL_THREADS, HotPath
from bentos.predictor import Predictor
from bentos.records import MAX_BODY_BYTES, MAX_RECORD_BYTES
from tests.bentos.clients import FALLBACK, Client, call, fallback
from tests.bentos.models import MARKER, RECORD, KeptLog

BODY = json.dumps(RECORD).encode()


@pytest.fixture
def hot_path(api: Api) -> HotPath:
    """The hot path over the tiny model."""
    path = HotPath()
    path.api, path.fallback = api, fallback
    return path


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_in_any_chunks_is_answered(hot_path: HotPath, size: int) -> None:
    chunks = [BODY[i : i + size] for i in range(0, len(BODY), size)]

    client = call(hot_path, Client(chunks))

    assert client.status == 200
    assert client.headers[b"content-type"] == b"application/json"
    assert int(client.headers[b"content-length"]) == len(client.body)
    assert json.loads(client.body)["label"] in {"well", "ill"}


@pytest.mark.parametrize("chunks", [1, 40])
def test_a_slow_body_is_given_up(
    hot_path: HotPath, monkeypatch: pytest.MonkeyPatch, chunks: int
) -> None:
    """Whether nothing comes at all, or a little now and then for ever."""
    monkeypatch.setattr(hotpath, "BODY_TIMEOUT_SECONDS", 0.2)
    pause = 10.0 if chunks == 1 else 0.1

    client = call(hot_path, Client([b" "] * chunks, pause_seconds=pause))

    assert client.status == 408
    assert json.loads(client.body)["error"]["code"] == "too_slow"
    assert hot_path.api is not None
    assert hot_path.api.ledger.rejected == {"too_slow": 1}


@pytest.mark.parametrize(
    ("path", "most"), [("/predict", MAX_RECORD_BYTES), ("/predict_batch", MAX_BODY_BYTES)]
)
def test_a_body_that_grows_too_large_is_cut_off(hot_path: HotPath, path: str, most: int) -> None:
    chunk = b" " * (most // 16)

    client = call(hot_path, Client([chunk] * 64), path)

    assert client.status == 413
    assert client.taken <= most + len(chunk)


@pytest.mark.parametrize("announced", [str(MAX_BODY_BYTES + 1), "9" * 18, "9" * 5000])
def test_a_body_announced_as_too_large_is_not_even_read(hot_path: HotPath, announced: str) -> None:
    client = call(hot_path, Client([BODY]), content_length=announced)

    assert client.status == 413
    assert client.taken == 0


@pytest.mark.parametrize("announced", ["-1", "x", "", "1e3"])
def test_a_strange_length_is_not_believed(hot_path: HotPath, announced: str) -> None:
    assert call(hot_path, Client([BODY]), content_length=announced).status == 200


@pytest.mark.parametrize("chunks", [[], [BODY[:5]]])
def test_a_client_that_leaves_is_not_answered(
    hot_path: HotPath, log: KeptLog, chunks: list[bytes]
) -> None:
    client = call(hot_path, Client(chunks, leaves=True))

    assert client.messages == []
    assert log.entries == []


@pytest.mark.parametrize("path", ["/livez", "/metrics", "/static_content/page.css"])
def test_the_frameworks_own_paths_are_left_to_it(hot_path: HotPath, path: str) -> None:
    assert call(hot_path, Client([]), path, "GET").body == FALLBACK


@pytest.mark.parametrize(
    "path", ["/nothing", "/predict/", "/PREDICT", "//predict", "", "/../model"]
)
def test_unknown_paths_are_told_in_our_own_words(hot_path: HotPath, path: str) -> None:
    client = call(hot_path, Client([BODY]), path)

    assert client.status == 404
    assert json.loads(client.body)["error"]["code"] == "not_found"


def test_other_protocols_are_the_frameworks(hot_path: HotPath) -> None:
    client = Client([])

    asyncio.run(hot_path({"type": "lifespan"}, client.receive, client.send))

    assert client.body == FALLBACK


@pytest.mark.parametrize("path", ["/predict", "/predict_batch", "/feedback", "/model"])
def test_without_a_model_nothing_is_answered_yet(path: str) -> None:
    app = HotPath()
    app.fallback = fallback

    client = call(app, Client([BODY]), path)

    assert client.status == 503
    assert json.loads(client.body)["error"]["code"] == "not_ready"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x_api_key": "secret"}, 200),
        ({"x_api_key": "Secret"}, 401),
        ({"authorization": "Bearer secret"}, 200),
        ({"authorization": "bearer  secret "}, 200),
        ({"authorization": "Basic secret"}, 401),
        ({"authorization": "secret"}, 401),
        ({"cookie": "secret"}, 401),
    ],
)
def test_a_key_comes_in_either_header(
    predictor: Predictor, hot_path: HotPath, headers: dict[str, str], status: int
) -> None:
    hot_path.api = Api(predictor, KeptLog(), keys=["secret"])

    assert call(hot_path, Client([BODY]), **headers).status == status


@pytest.mark.parametrize(
    ("path", "start"), [("/", b"<!doctype html>"), ("/openapi.json", b"{"), ("/docs.json", b"{")]
)
def test_the_pages_need_no_key(
    predictor: Predictor, hot_path: HotPath, path: str, start: bytes
) -> None:
    hot_path.api = Api(predictor, KeptLog(), keys=["secret"])

    client = call(hot_path, Client([]), path, "GET")

    assert client.status == 200
    assert client.body.startswith(start)
    kind = b"text/html; charset=utf-8" if path == "/" else b"application/json"
    assert client.headers[b"content-type"] == kind


class BrokenLog(KeptLog):
    """Fails in a way that nobody foresaw, with what the client sent in its message."""

    def write(self, entry: dict[str, Any]) -> None:
        """Fail."""
        raise RuntimeError(str(entry) + MARKER)


def test_an_unforeseen_failure_is_an_error_body_and_shows_nothing(
    predictor: Predictor, hot_path: HotPath, caplog: pytest.LogCaptureFixture
) -> None:
    hot_path.api = Api(predictor, BrokenLog())

    client = call(hot_path, Client([BODY]))

    assert client.status == 500
    assert json.loads(client.body)["error"]["code"] == "internal"
    assert MARKER not in client.body.decode() + caplog.text
    assert "RuntimeError" in caplog.text
    assert hot_path.api.ledger.rejected == {"internal": 1}


def test_a_large_batch_does_not_hold_up_a_small_request(predictor: Predictor) -> None:
    """The small one, sent second, is answered first."""
    app = HotPath()
    app.api, app.fallback = Api(predictor, KeptLog()), fallback
    large = json.dumps({"records": [RECORD] * 10_000}).encode()
    order: list[str] = []

    async def send_both() -> None:
        async def one(name: str, path: str, body: bytes) -> None:
            client = Client([body])
            scope = {"type": "http", "method": "POST", "path": path, "headers": []}
            await app(scope, client.receive, client.send)
            order.append(f"{name} {client.status}")

        await asyncio.gather(one("large", "/predict_batch", large), one("small", "/predict", BODY))

    asyncio.run(send_both())

    assert order == ["small 200", "large 200"]


class HangingLog(KeptLog):
    """Its database takes requests and answers none before it is released."""

    def __init__(self) -> None:
        """Hang until released."""
        super().__init__()
        self.taken, self.released = threading.Semaphore(0), threading.Event()

    def label(self, _prediction_id: str, _label: str) -> str:
        """Hang."""
        self.taken.release()
        self.released.wait()
        return "added"


@pytest.fixture
def hanging(predictor: Predictor) -> Iterator[tuple[HotPath, HangingLog]]:
    """The hot path over a database that hangs until the test is over."""
    log, path = HangingLog(), HotPath()
    path.api, path.fallback = Api(predictor, log), fallback
    yield path, log
    log.released.set()


def send(path: HotPath, address: str, document: Any) -> tuple[Client, Coroutine[Any, Any, None]]:
    """A client, and the request that it has yet to send."""
    client = Client([json.dumps(document).encode()])
    scope = {"type": "http", "method": "POST", "path": address, "headers": []}
    return client, path(scope, client.receive, client.send)


LABEL = {"prediction_id": "0" * 32, "label": "ill"}


def test_labels_that_hang_hold_up_nothing_else(
    hanging: tuple[HotPath, HangingLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every thread for labels is taken and none of them goes on, when a batch is answered."""
    monkeypatch.setattr(hotpath, "LABEL_SECONDS", None)
    path, log = hanging

    async def label_then_predict() -> tuple[int, list[Client], list[Client]]:
        labels = [send(path, "/feedback", LABEL) for _ in range(10 * LABEL_THREADS)]
        tasks = [asyncio.create_task(request) for _, request in labels]
        for _ in range(LABEL_THREADS):
            await asyncio.to_thread(log.taken.acquire)
        batch, predicting = send(path, "/predict_batch", {"records": [RECORD] * 2000})
        await predicting
        clients = [client for client, _ in labels]
        answered_before = [client for client in clients if client.messages]
        log.released.set()
        await asyncio.gather(*tasks)
        return batch.status, answered_before, clients

    status, answered_before, clients = asyncio.run(label_then_predict())

    assert status == 200
    assert not answered_before
    assert {client.status for client in clients} == {200}


def test_a_label_that_hangs_is_given_up(
    hanging: tuple[HotPath, HangingLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hotpath, "LABEL_SECONDS", 0.01)
    path, log = hanging
    client, labelling = send(path, "/feedback", LABEL)

    asyncio.run(labelling)

    assert not log.released.is_set()
    assert client.status == 503
    assert json.loads(client.body)["error"]["code"] == "log_unavailable"
