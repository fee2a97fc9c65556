"""Requests by the thousand from the service's own document, and bodies made by hand to hurt."""

import gzip
import http.client
import itertools
import json
import random
import socket
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.bentos.models import MARKER, RECORD, write_tiny_model
from tests.system.service import Client, Service, await_that, resident_megabytes, serving

pytestmark = pytest.mark.system
SEED = 11
GROWTH_MEGABYTES = 40
HUGE, LARGEST_BODY = 1_000_000, 16 * 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service that has answered, logged, and taken the largest body already."""
    folder = tmp_path_factory.mktemp("fuzzed")
    model = write_tiny_model(folder / "model")
    with serving(Service(model, folder / "home", f"sqlite:///{folder / 'log.db'}")) as service:
        status, answer = service.post("/predict", RECORD)
        assert status == 200
        label = {"prediction_id": answer["prediction_id"], "label": "ill"}
        await_that(lambda: service.post("/feedback", label)[0] == 200)  # all of it is loaded
        with Client(service.port) as client:
            client.post("/predict_batch", b" " * LARGEST_BODY)
        yield service


@pytest.fixture(autouse=True)
def unharmed(service: Service) -> Iterator[None]:
    """After each test it still answers, has shown no value, and has not grown."""
    before = resident_megabytes(service.family())
    yield
    assert service.post("/predict", RECORD)[0] == 200
    assert MARKER not in service.output
    assert "Traceback" not in service.output
    grown = resident_megabytes(service.family()) - before
    print(f"grown by {grown:.1f} MB")  # noqa: T201
    assert grown < GROWTH_MEGABYTES


@pytest.mark.parametrize("requests", [2_500, pytest.param(10_000, marks=pytest.mark.long)])
def test_requests_from_its_own_document_find_no_failure(service: Service, requests: int) -> None:
    """Half of them break the document on purpose; every answer is one that the document names."""
    document = json.loads(service.get("/openapi.json"))
    api = schemathesis.openapi.from_dict(document)
    both = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    operations = [result.ok() for result in api.get_all_operations()]
    posts = [each for each in operations if each.method == "post"]
    seen: Counter[tuple[str, int]] = Counter()

    with Client(service.port) as client:
        for operation, mode in itertools.product(posts, both):
            examples = requests // (len(posts) * len(both)) + 100
            seen += _send_cases(client, operation, mode, examples)

    print(sum(seen.values()), dict(seen))  # noqa: T201
    assert sum(seen.values()) >= requests
    assert max(status for _, status in seen) < 500
    assert seen["/predict", 200] > requests // 50


def _send_cases(
    client: Client, operation: Any, mode: schemathesis.GenerationMode, examples: int
) -> Counter[tuple[str, int]]:
    """Send that many cases of an operation; returns how often each status was answered."""
    seen: Counter[tuple[str, int]] = Counter()
    allowed = {int(status) for status in operation.definition.raw["responses"]}

    @seed(SEED)
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: schemathesis.Case) -> None:
        body = case.body if isinstance(case.body, bytes) else _as_json(case.body)
        status, _ = client.post(operation.path, body)
        seen[operation.path, status] += 1
        assert status in allowed

    send()
    return seen


def _as_json(body: object) -> bytes:
    return json.dumps(body, default=str).encode(errors="replace")


@cache
def hostile_bodies() -> dict[str, bytes]:
    """Each with what breaks parsers, and a marker where a value can stand."""
    deep, wide = 100_000, 50_000
    record = json.dumps(RECORD | {"sex": MARKER}).encode()
    return {
        "nan": b'{"age": NaN, "sex": "%s"}' % MARKER.encode(),
        "infinity": b'{"age": Infinity}',
        "minus infinity": b'{"age": -Infinity}',
        "1e400": b'{"age": 1e400}',
        "-1e400": b'{"age": -1e400}',
        "many digits": b'{"age": ' + b"9" * 20_000 + b"}",
        "long fraction": b'{"age": 0.' + b"1" * 20_000 + b"}",
        "long exponent": b'{"age": 1e' + b"9" * 20_000 + b"}",
        "deep lists": b"[" * deep + b"]" * deep,
        "deep objects": b'{"age":' * deep + b"1" + b"}" * deep,
        "deep in features": b'{"features":' + b"[" * 1000 + b"]" * 1000 + b"}",
        "deep records": b'{"records":' + b"[" * deep + b"]" * deep + b"}",
        "huge value": json.dumps({"sex": MARKER * (HUGE // 10)}).encode(),
        "huge name": json.dumps({MARKER * (HUGE // 10): 1}).encode(),
        "huge in batch": json.dumps({"records": [{"sex": MARKER * (HUGE // 10)}]}).encode(),
        "many names": json.dumps({f"{MARKER}{i}": i for i in range(wide)}).encode(),
        "many names in batch": json.dumps(
            {"records": [{f"{MARKER}{i}": i} for i in range(9999)]}
        ).encode(),
        "many empty records": json.dumps({"records": [{}] * 10_000}).encode(),
        "too many records": json.dumps({"records": [RECORD] * 10_001}).encode(),
        "too large": b" " * (LARGEST_BODY + 1),
        "utf-16": record.decode().encode("utf-16"),
        "utf-32": record.decode().encode("utf-32"),
        "latin-1": '{"sex": "é'.encode("latin-1") + MARKER.encode() + b'"}',
        "byte order mark": b"\xef\xbb\xbf" + record,
        "null byte": b'{"sex": "\x00"}',
        "escaped null byte": b'{"sex": "\\u0000%s"}' % MARKER.encode(),
        "null name": b'{"\\u0000%s": 1}' % MARKER.encode(),
        "lone surrogate": b'{"sex": "\\ud800%s"}' % MARKER.encode(),
        "surrogate name": b'{"\\udfff": 1}',
        "duplicate names": b'{"age": 40, "age": "%s", "sex": "F"}' % MARKER.encode(),
        "gzip": gzip.compress(record),
        "nothing": b"",
        "spaces": b" " * 1000,
        "nul bytes": b"\x00" * 1000,
        "form": b"age=40&sex=" + MARKER.encode(),
        "xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "%s">]><x>&a;</x>' % MARKER.encode(),
        "pickle": b"\x80\x04\x95" + MARKER.encode() + b".",
        "prototype": b'{"__proto__": {"x": "%s"}, "constructor": 1}' % MARKER.encode(),
        "comment": b"{} // " + MARKER.encode(),
        "two documents": record + record,
    }


@pytest.mark.parametrize("path", ["/predict", "/predict_batch", "/feedback"])
@pytest.mark.parametrize("name", hostile_bodies())
def test_a_hostile_body_is_refused_and_not_echoed(service: Service, path: str, name: str) -> None:
    body = hostile_bodies()[name]
    kinds = [{}, {"Content-Type": "application/json"}, {"Content-Encoding": "gzip"}]
    for headers in [*kinds, {"Content-Type": "multipart/form-data"}]:
        with Client(service.port) as client:
            try:
                status, reply = client.post(path, body, headers)
            except (OSError, http.client.HTTPException):
                assert name == "too large"  # refused before it was sent in full
                continue

        assert status in {400, 413, 422}
        assert MARKER not in json.dumps(reply)
        assert len(json.dumps(reply)) < 20_000


def test_hostile_requests_below_json_do_no_harm(service: Service) -> None:
    """Lengths that lie, heads without end, garbage, and connections that are cut."""
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
    rng = random.Random(SEED)
    requests = [
        head + b"Content-Length: -1\r\n\r\n",
        head + b"Content-Length: 99999999999999999999999999\r\n\r\n",
        head + b"Content-Length: 10\r\n\r\n{}",
        head + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + MARKER.encode()[:5] + b"\r\n",
        head + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + MARKER.encode(),
        b"GET /%s HTTP/9.9\r\n\r\n" % MARKER.encode(),
        *(rng.randbytes(300) for _ in range(50)),
    ]

    statuses = [_send_raw(service.port, request) for request in requests]

    assert not [status for status in statuses if status.startswith(b"5")]


def _send_raw(port: int, request: bytes) -> bytes:
    """The status in the answer's first line, if there is one."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.settimeout(0.3)
        try:
            connection.sendall(request)
            answer = connection.recv(200)
        except OSError:
            return b""
    return answer.split(b" ")[1] if answer.startswith(b"HTTP/") else b""


@given(path=st.text(max_size=30), name=st.text(max_size=10))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_odd_paths_and_queries_are_never_a_failure(service: Service, path: str, name: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.request("GET", f"/{quote(path)}?{quote(name)}={MARKER}")
    reply = connection.getresponse()
    text = reply.read().decode(errors="replace")
    connection.close()

    assert reply.status < 500
    assert MARKER not in text
