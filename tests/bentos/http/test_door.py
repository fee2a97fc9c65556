"""What is turned away before it is read: bodies, paths, methods, keys."""

import pytest

from bentos.api import Api
from bentos.predictor import Predictor
from bentos.records import MAX_BODY_BYTES, MAX_RECORD_BYTES
from tests.bentos.asking import ask, code
from tests.bentos.models import RECORD, KeptLog


@pytest.mark.parametrize(
    ("path", "most"), [("/predict", MAX_RECORD_BYTES), ("/predict_batch", MAX_BODY_BYTES)]
)
def test_a_body_beyond_the_limit_is_refused(api: Api, path: str, most: int) -> None:
    reply = api.respond("POST", path, b" " * (most + 1))

    assert code(reply) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/predict", "/predict_batch", "/feedback"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"null",
        b'"x"',
        b'{"age": NaN}',
        b'{"age": Infinity}',
        b"\xff\xfe",
        b'{"age": 1e400}',
        b"[" * 20000,
        b'{"a":' * 10000,
        b'{"age": "\\ud800"}',
        b"{}\x00",
        b"\x1f\x8b",
    ],
    ids=range(15),
)
def test_what_is_not_a_json_object_is_malformed(api: Api, path: str, body: bytes) -> None:
    assert code(api.respond("POST", path, body)) == (400, "malformed")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/predict", (405, "method_not_allowed")),
        ("DELETE", "/model", (405, "method_not_allowed")),
        ("POST", "/model", (405, "method_not_allowed")),
        ("PUT", "/feedback", (405, "method_not_allowed")),
        ("POST", "/predict/", (404, "not_found")),
        ("GET", "/nothing", (404, "not_found")),
    ],
)
def test_another_method_or_path_is_refused(
    api: Api, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert code(api.respond(method, path, b"")) == expected


@pytest.mark.parametrize(
    "key", [None, b"", b"wrong", b"secret", b"secret-12", b"\xff", b"secret-1,"]
)
def test_without_a_valid_key_nothing_is_answered(
    predictor: Predictor, log: KeptLog, key: bytes | None
) -> None:
    api = Api(predictor, log, keys=["secret-1", "secret-2"])

    replies = [ask(api, path, RECORD, key) for path in ("/predict", "/predict_batch", "/feedback")]
    replies.append(api.respond("GET", "/model", b"", key))

    assert {code(reply) for reply in replies} == {(401, "unauthorized")}
    assert not log.entries


@pytest.mark.parametrize("key", [b"secret-1", b"secret-2"])
def test_any_of_the_keys_opens(predictor: Predictor, log: KeptLog, key: bytes) -> None:
    api = Api(predictor, log, keys=["secret-1", "secret-2"])

    assert ask(api, "/predict", RECORD, key).status == 200
