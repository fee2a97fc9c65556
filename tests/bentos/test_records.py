"""Bodies as clients send them: packed, with a byte-order mark, and packed to do harm."""

import gzip
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bentos.api import Api
from bentos.records import MAX_BODY_BYTES, MAX_RECORD_BYTES, MOST_MEMBERS, parse_object, unpack
from bentos.replies import RequestError
from tests.bentos.asking import code, read
from tests.bentos.models import MARKER, RECORD

BODY = json.dumps(RECORD).encode()


@pytest.mark.parametrize(
    "coding", [b"gzip", b"x-gzip", b" GZip ", b"identity", b"", b"identity, gzip", b"gzip,"]
)
def test_a_body_in_a_known_coding_is_answered(api: Api, coding: bytes) -> None:
    body = gzip.compress(BODY) if b"g" in coding.lower() else BODY

    assert api.respond("POST", "/predict", body, coding=coding).status == 200


@pytest.mark.parametrize(
    ("coding", "told"),
    [
        (b"br", "br"),
        (b"deflate", "deflate"),
        (b"ZSTD", "zstd"),
        (b"gzip, gzip", "more than one coding"),
        (b"br,gzip", "more than one coding"),
        (b"identity, deflate", "deflate"),
        (MARKER.encode(), "this coding"),
    ],
)
def test_another_coding_is_refused_by_its_name(api: Api, coding: bytes, told: str) -> None:
    reply = api.respond("POST", "/predict", BODY, coding=coding)

    assert code(reply) == (415, "unsupported_coding")
    assert (
        read(reply)["error"]["message"]
        == f"content-encoding: {told} is not taken, wanted gzip or none"
    )
    assert ("accept-encoding", "gzip, identity") in reply.headers


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        gzip.compress(BODY)[:-1],
        gzip.compress(BODY)[:-9],
        gzip.compress(BODY) + b"x",
        gzip.compress(BODY)[:-8] + b"\x00" * 8,
        gzip.compress(b"") * (MOST_MEMBERS + 1),
        b"\x1f\x8b",
    ],
    ids=range(7),
)
def test_what_is_not_whole_gzip_is_malformed(api: Api, body: bytes) -> None:
    assert code(api.respond("POST", "/predict", body, coding=b"gzip")) == (400, "malformed")


@given(content=st.binary(max_size=2000), cut=st.integers(0, 2000), level=st.integers(0, 9))
def test_what_was_packed_is_unpacked_in_one_member_or_two(
    content: bytes, cut: int, level: int
) -> None:
    packed = gzip.compress(content[:cut], level) + gzip.compress(content[cut:], level)

    assert unpack(packed, b"gzip", 2000) == content


@pytest.mark.parametrize("most", [0, 1, 99])
def test_a_body_may_be_as_large_as_its_limit_and_no_larger(most: int) -> None:
    fits, exceeds = gzip.compress(b"x" * most), gzip.compress(b"x" * (most + 1))

    assert unpack(fits, b"gzip", most) == b"x" * most
    with pytest.raises(RequestError) as raised:
        unpack(exceeds, b"gzip", most)

    assert raised.value.status == 413


@pytest.mark.parametrize(
    ("path", "most"), [("/predict", MAX_RECORD_BYTES), ("/predict_batch", MAX_BODY_BYTES)]
)
def test_a_bomb_is_refused_and_never_unpacked_beyond_the_limit(
    api: Api, path: str, most: int
) -> None:
    bomb = gzip.compress(b" " * (8 * MAX_BODY_BYTES), 1)
    tracemalloc.start()

    reply = api.respond("POST", path, bomb, coding=b"gzip")

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code(reply) == (413, "body_too_large")
    assert peak < 3 * most + 1024 * 1024


def test_a_byte_order_mark_before_json_is_passed_over(api: Api) -> None:
    with_mark = b"\xef\xbb\xbf" + BODY

    assert api.respond("POST", "/predict", with_mark).status == 200
    assert api.respond("POST", "/predict", gzip.compress(with_mark), coding=b"gzip").status == 200
    assert code(api.respond("POST", "/predict", b"\xef\xbb\xbf" + with_mark))[0] == 400


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-16", "text in UTF-8, which JSON has to be in"),
        ("utf-16-le", "text in UTF-8, which JSON has to be in"),
        ("utf-32-be", "text in UTF-8, which JSON has to be in"),
        ("cp1252", "text in UTF-8, which JSON has to be in"),
        ("utf-8", "valid JSON"),
    ],
)
def test_a_body_that_is_no_json_is_told_apart_from_one_in_another_encoding(
    encoding: str, told: str
) -> None:
    text = '{"job": "Bäcker"' + ("" if encoding == "utf-8" else "}")

    with pytest.raises(RequestError, match=f"^the body is not {told}$"):
        parse_object(text.encode(encoding), 1000)


@pytest.mark.parametrize(
    "body",
    [
        b'{"age": 1, "age": 2}',
        b'{"age" : 1, "age" : 1}',
        b'{"records": [{"age": 1}, {"age": 1, "sex": "F", "age": 2}]}',
        b'\xef\xbb\xbf{"age": 1, "\\u0061ge": 2}',
        b'{"age" :1, "age":2}',
        b'{"age"\t:1, "sex": "F", "age"\r\n :2}',
        b'{"records" :[], "records":[{"age":1}]}',
        b'{"records": [{"age" :1, "age":2}]}',
    ],
)
def test_a_key_given_twice_is_refused_since_either_may_be_meant(body: bytes) -> None:
    with pytest.raises(RequestError, match="has a key twice; wanted each once") as raised:
        parse_object(body, 1000)

    assert raised.value.status == 400


@pytest.mark.parametrize(
    "text",
    [
        '{"age": "a\\":b"}',
        '{"seen": "2024-12-31T14:30:00", "age": 1}',
        '{"a": {"b": {"c": 1}}}',
        '{"records": [{"a": 1}, {"a": 1}]}',
    ],
)
def test_what_only_looks_like_a_key_twice_is_let_pass(text: str) -> None:
    assert parse_object(text.encode(), 1000) == json.loads(text)
