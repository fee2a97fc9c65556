"""What HTTP clients, browsers and people try beyond a plain POST."""

import json

import pytest

from bentos.api import Api
from bentos.http.door import HEALTH, METHODS, find_coding
from bentos.http.hotpath import HotPath
from bentos.predictor import Predictor
from bentos.records import MAX_BODY_BYTES
from tests.bentos.clients import FALLBACK, Client, call, fallback
from tests.bentos.models import RECORD, KeptLog

BODY = json.dumps(RECORD).encode()
ORIGIN = "https://pages.example"


@pytest.fixture
def guarded(predictor: Predictor) -> HotPath:
    """The hot path over the tiny model, with a key and an origin."""
    path = HotPath()
    path.api = Api(predictor, KeptLog(), keys=["right"], origins=[ORIGIN])
    path.fallback = fallback
    return path


def told(client: Client) -> tuple[int, str]:
    """Status and code of an error."""
    return client.status, json.loads(client.body)["error"]["code"]


@pytest.mark.parametrize("path", sorted(METHODS))
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_each_path_takes_its_methods_and_names_them_to_others(
    guarded: HotPath, path: str, method: str
) -> None:
    allowed = ["GET", "HEAD"] if METHODS[path] == "GET" else ["POST"]

    client = call(guarded, Client([BODY]), path, method, x_api_key="right")

    if method in allowed:
        assert client.status != 405
    else:
        assert told(client) == (405, "method_not_allowed")
        assert client.headers[b"allow"].decode() == ", ".join(allowed)


@pytest.mark.parametrize("path", ["/model", "/", "/page.js", "/docs", "/openapi.json"])
def test_head_tells_what_get_would(guarded: HotPath, path: str) -> None:
    get, head = (
        call(guarded, Client([]), path, method, x_api_key="right") for method in ("GET", "HEAD")
    )

    assert head.status == get.status == 200
    assert head.headers == get.headers


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_page_is_where_people_look_for_it(guarded: HotPath, path: str) -> None:
    client = call(guarded, Client([]), path, "GET")

    assert client.status == 200
    assert client.headers[b"content-type"] == b"text/html; charset=utf-8"
    assert b"./openapi.json" in client.body


def test_the_page_may_be_seen_without_a_key_and_reaches_no_other_host(guarded: HotPath) -> None:
    page = call(guarded, Client([]), "/", "GET")
    script = call(guarded, Client([]), "/page.js", "GET")
    style = call(guarded, Client([]), "/page.css", "GET")

    assert {each.status for each in (page, script, style)} == {200}
    assert script.headers[b"content-type"].startswith(b"text/javascript")
    for each in (page, script, style):
        policy = each.headers[b"content-security-policy"].decode()
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/predict/", "/predict"),
        ("//predict_batch//", "/predict_batch"),
        ("/Model", "/model"),
        ("/docs/", "/docs"),
        ("/predictions", None),
        ("/secret-7/", None),
    ],
)
def test_a_slash_too_many_is_not_found_but_pointed_out(
    guarded: HotPath, path: str, meant: str | None
) -> None:
    client = call(guarded, Client([BODY]), path, x_api_key="right")

    message = json.loads(client.body)["error"]["message"]
    assert told(client) == (404, "not_found")
    assert message.endswith(f"did you mean {meant}?" if meant else "on this path")


@pytest.mark.parametrize(
    ("path", "allow"), [("/predict", b"POST, OPTIONS"), ("/metrics", b"GET, HEAD, OPTIONS")]
)
def test_options_are_told_without_a_key(guarded: HotPath, path: str, allow: bytes) -> None:
    client = call(guarded, Client([]), path, "OPTIONS")

    assert (client.status, client.body) == (204, b"")
    assert client.headers[b"allow"] == allow
    assert not any(name.startswith(b"access-control") for name in client.headers)


def test_a_page_of_an_allowed_origin_may_ask_and_read(guarded: HotPath) -> None:
    asked = {"origin": ORIGIN, "access_control_request_method": "POST"}

    preflight = call(guarded, Client([]), "/predict", "OPTIONS", **asked)
    answer = call(guarded, Client([BODY]), "/predict", origin=ORIGIN, x_api_key="right")
    refusal = call(guarded, Client([BODY]), "/predict", origin=ORIGIN)

    assert preflight.status == 204
    assert preflight.headers[b"access-control-allow-methods"] == b"POST, OPTIONS"
    assert b"x-api-key" in preflight.headers[b"access-control-allow-headers"]
    assert (answer.status, refusal.status) == (200, 401)
    for client in (preflight, answer, refusal):
        assert client.headers[b"access-control-allow-origin"] == ORIGIN.encode()
        assert client.headers[b"vary"] == b"Origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", ORIGIN + ".evil.example", "http://pages.example", "*"],
)
def test_a_page_of_another_origin_may_not(guarded: HotPath, origin: str) -> None:
    asked = {"origin": origin, "access_control_request_method": "POST"}

    preflight = call(guarded, Client([]), "/predict", "OPTIONS", **asked)
    answer = call(guarded, Client([BODY]), "/predict", origin=origin, x_api_key="right")

    assert (preflight.status, answer.status) == (204, 200)
    for client in (preflight, answer):
        assert not any(name.startswith(b"access-control") for name in client.headers)
        assert client.headers[b"vary"] == b"Origin"


def test_without_the_setting_no_page_may(predictor: Predictor) -> None:
    app = HotPath()
    app.api = Api(predictor, KeptLog())

    client = call(app, Client([BODY]), "/predict", origin=ORIGIN)

    assert set(client.headers) == {b"content-type", b"content-length"}


@pytest.mark.parametrize("path", ["/predict", "/predict_batch", "/feedback"])
@pytest.mark.parametrize("key", ["wrong", None])
def test_of_who_has_no_key_no_byte_is_read(guarded: HotPath, path: str, key: str | None) -> None:
    body = Client([b" " * 1024] * 20)
    headers = {"x_api_key": key} if key else {}

    client = call(guarded, body, path, content_length=str(MAX_BODY_BYTES), **headers)

    assert told(client) == (401, "unauthorized")
    assert client.headers[b"www-authenticate"] == b"Bearer"
    assert client.taken == 0


def test_the_metrics_are_behind_the_key_and_the_state_is_not(guarded: HotPath) -> None:
    without = call(guarded, Client([]), "/metrics", "GET")
    with_key = call(guarded, Client([]), "/metrics", "GET", authorization="Bearer right")
    states = [call(guarded, Client([]), path, "GET") for path in HEALTH]

    assert told(without) == (401, "unauthorized")
    assert [each.body for each in (with_key, *states)] == [FALLBACK] * 4


def test_a_packed_body_is_answered_and_another_coding_is_not_read(guarded: HotPath) -> None:
    import gzip

    packed = call(
        guarded, Client([gzip.compress(BODY)]), x_api_key="right", content_encoding="gzip"
    )
    other = call(guarded, Client([BODY]), x_api_key="right", content_encoding="br")

    assert packed.status == 200
    assert told(other) == (415, "unsupported_coding")
    assert other.taken == 0


def test_large_bodies_that_do_not_end_are_bounded_together(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bentos.http.hotpath.BODIES_BYTES", 4096)
    app = HotPath()
    app.api = Api(predictor, KeptLog())

    large = call(app, Client([b" " * 1024] * 6), "/predict_batch")
    small = call(app, Client([b'{"records":', b"[]}"]), "/predict_batch")

    assert told(large) == (503, "busy")
    assert large.headers[b"retry-after"] == b"5"
    assert small.status == 200


def test_a_coding_that_is_given_in_two_headers_is_one_list() -> None:
    """A second one that were overlooked would leave a packed body."""
    headers = [(b"content-encoding", b"gzip"), (b"x", b"br"), (b"content-encoding", b"deflate")]

    assert find_coding(headers) == b"gzip, deflate"
    assert find_coding([(b"x", b"br")]) == b""
