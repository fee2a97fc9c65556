"""From the bytes of a body to records in the contract's encoding, within limits of size."""

import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bentos.log.refusals import count_record
from bentos.replies import MAX_FIELDS_NAMED, RefusedError, RequestError
from driftline.contract import Contract
from driftline.fields import Fault, InvalidRecordError

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_RECORD_BYTES = 64 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # what some clients put before JSON; RFC 8259 lets us ignore it
UNPACKED = frozenset({b"", b"identity"})
GZIP = frozenset({b"gzip", b"x-gzip"})
_KEY = re.compile(rb'"\s*:')
MOST_MEMBERS = 16  # of a gzip file; each costs a copy of the rest
GZIP_WINDOW = 16 + zlib.MAX_WBITS  # zlib's way to say: with gzip's header and checksum
OTHER_CODINGS = frozenset({b"br", b"compress", b"deflate", b"zstd", b"dcb", b"dcz"})


Complete = Callable[[dict[str, Any]], dict[str, Any]]


def body_limit(path: str) -> int:
    """The most bytes that the body of a request to a path may have, packed and unpacked."""
    return MAX_BODY_BYTES if path == "/predict_batch" else MAX_RECORD_BYTES


def too_large(most: int) -> RequestError:
    """A body beyond its limit."""
    return RequestError(413, "body_too_large", f"wanted at most {most} bytes")


def check_coding(coding: bytes) -> bytes:
    """`gzip`, or nothing where the body comes as it is; another coding is an error that names it.

    Several, as in `identity, gzip`, stand apart by commas. Only registered names are repeated:
    what a client sends is never echoed.
    """
    if not coding:
        return b""
    names = [name for name in map(bytes.strip, coding.lower().split(b",")) if name not in UNPACKED]
    if not names:
        return b""
    if len(names) == 1 and names[0] in GZIP:
        return b"gzip"
    told = names[0].decode() if names[0] in OTHER_CODINGS else "this coding"
    told = told if len(names) == 1 else "more than one coding"
    message = f"content-encoding: {told} is not taken, wanted gzip or none"
    headers = (("accept-encoding", "gzip, identity"),)
    raise RequestError(415, "unsupported_coding", message, headers=headers)


def unpack(body: bytes, coding: bytes, most: int) -> bytes:
    """The body without its content coding; never makes more than `most` bytes of it."""
    if not check_coding(coding):
        return body
    malformed = RequestError(400, "malformed", "the body is not valid gzip")
    content = b""
    for _ in range(MOST_MEMBERS):
        if not body:
            return content
        member = zlib.decompressobj(GZIP_WINDOW)
        try:
            content += member.decompress(body, most + 1 - len(content))
        except zlib.error:
            raise malformed from None
        if len(content) > most:
            raise too_large(most)
        if not member.eof:
            raise malformed
        body = member.unused_data  # RFC 1952: a file may have several members
    raise malformed


def parse_object(body: bytes, most: int) -> dict[str, Any]:
    """A JSON object of at most `most` bytes, without a key twice, of which either may be meant."""
    if len(body) > most:
        raise too_large(most)
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        what = "valid JSON" if _is_utf8(body) else "text in UTF-8, which JSON has to be in"
        raise RequestError(400, "malformed", f"the body is not {what}") from None
    if not isinstance(document, dict):
        raise RequestError(400, "malformed", "the body must be a JSON object")
    colons = body.count(b":")  # quickly counted; a key has one, and a text may
    if colons > len(document):
        keys = _count_keys(document)
        if colons > keys and len(_KEY.findall(body)) > keys:
            _refuse_twins(body)
    return document


def _is_utf8(body: bytes) -> bool:
    """Whether a body is text in UTF-8; UTF-16 of plain letters would pass, but for its zeros."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in body[:4]


def _count_keys(document: dict[str, Any]) -> int:
    """The keys of an object and of the records in it."""
    lists = (value for value in document.values() if type(value) is list)
    return len(document) + sum(len(one) for each in lists for one in each if type(one) is dict)


def _refuse_twins(body: bytes) -> None:
    """Look through a body whose keys seem to be more than there are: it costs more than parsing."""
    try:
        json.loads(body, object_pairs_hook=_check_twins)
    except (ValueError, RecursionError):  # of numbers or depths that the first parser took
        return


def _check_twins(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise RequestError(400, "malformed", "the body has a key twice; wanted each once")


def name_fields(document: Any, contract: Contract) -> dict[str, Any]:
    """Named fields as they are; `features` in contract order under their names."""
    if not isinstance(document, dict):
        raise InvalidRecordError([Fault("", "must be an object", "malformed")])
    if "features" not in document or "features" in contract.field_names:
        return document
    values = document["features"]
    if len(document) != 1 or not isinstance(values, list):
        problem = "must be a list of values, and the only key"
        raise InvalidRecordError([Fault("features", problem, "malformed")])
    return contract.name_values(values)


@dataclass(frozen=True)
class Batch:
    """The records of one request that fit a contract.

    `rows` are their values in the order of `names`, or whole records where `names` is None;
    `matrix` is what the model sees of them, shape (records, features).
    """

    names: tuple[str, ...] | None
    rows: Sequence[Any]
    matrix: NDArray[np.float32]

    def __len__(self) -> int:
        """How many records there are."""
        return len(self.rows)

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """Each by the names of its fields."""
        if self.names is None:
            return self.rows
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def take(self, places: Sequence[int]) -> "Batch":
        """Those at some places, in their order; all of them where they are as many."""
        if len(places) == len(self.rows):
            return self
        return replace(
            self, rows=[self.rows[place] for place in places], matrix=self.matrix[list(places)]
        )


def _read_quickly(records: list[Any], contract: Contract) -> Batch | None:
    """A batch of plain numbers, read by columns; None wherever anything is not as it should be."""
    plain = contract.plain_numbers
    if plain is None or contract.joins:
        return None
    is_listed = "features" not in plain.names and all(
        type(record) is dict
        and len(record) == 1
        and type(record.get("features")) is list
        and len(record["features"]) == len(plain.names)
        for record in records
    )
    values: list[Any] | None
    if is_listed:
        values = list(chain.from_iterable(record["features"] for record in records))
    else:
        values = plain.pick(records)
    read = None if values is None else contract.read_values(values)
    return None if read is None else Batch(plain.names, *read)


def encode_all(records: list[Any], contract: Contract, complete: Complete) -> Batch:
    """A batch's records; or what is wrong with each of them, as an error.

    `complete` fills in what a contract's joins fill in.
    """
    quick = _read_quickly(records, contract)
    if quick is not None:
        return quick
    named: list[dict[str, Any]] = []
    vectors: list[list[float]] = []
    wrong: list[tuple[str, str]] = []
    refused: Counter[tuple[str, str]] = Counter()
    for i, document in enumerate(records):
        try:
            record = complete(name_fields(document, contract))
            vectors.append(contract.encode(record))
            named.append(record)
        except InvalidRecordError as error:
            refused.update(count_record(error.faults))
            if len(wrong) < MAX_FIELDS_NAMED:
                wrong += [(f"records[{i}].{name}".rstrip("."), why) for name, why in error.fields]
    if refused:
        raise RefusedError(wrong, contract, refused)
    width = len(contract.feature_names)
    matrix = np.array(vectors, dtype=np.float32).reshape(len(vectors), width)
    return Batch(None, named, matrix)
