"""Reads objects of a store where s3fs would take too long to import: in a sandbox of a cloud.

One signed GET by the standard library alone, with the keys of the environment, which every Lambda
has. Source: AWS, "Authenticating Requests: Using the Authorization Header (Signature Version 4)".
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import quote, urlsplit

from bentos.settings import SettingError
from bentos.tables.bringing import Read
from bentos.takeover.content import ContentError

SILENCE_SECONDS = 5.0  # a request waits for it
NOTHING = hashlib.sha256(b"").hexdigest()  # the body of a GET
MISSING, FOUND = 404, 200


@dataclass(frozen=True)
class Keys:
    """Who asks, as `AWS_*` say it."""

    id: str
    secret: str
    token: str
    region: str


@dataclass(frozen=True)
class Place:
    """Where a bucket's objects are asked for: a host, and what stands before their keys there."""

    is_tls: bool
    host: str
    prefix: str


def reader(store: str) -> Read:
    """What reads objects of a store: a folder, or `s3://bucket/prefix`."""
    if "://" not in store:
        return lambda name, most: _cut(name, _read_file(Path(store, name), most + 1), most)
    if not store.startswith("s3://"):
        scheme = store.partition("://")[0]
        raise SettingError(f"DRIFTLINE_STORE_URL: got {scheme}://, wanted s3:// or a folder")
    return lambda name, most: _cut(name, get_object(f"{store}/{name}", most + 1), most)


def get_object(url: str, most: int) -> bytes:
    """As many bytes of an object; FileNotFoundError where there is none, PermissionError, OSError.

    Credentials of a Lambda change while it lives: they are read each time.
    """
    bucket, _, key = url.removeprefix("s3://").partition("/")
    keys = _read_keys()
    place = _place_of(bucket, keys.region)
    path = place.prefix + quote(f"/{key}", safe="/-_.~")
    headers = sign_get(place.host, path, keys, at=datetime.now(UTC))
    kind = HTTPSConnection if place.is_tls else HTTPConnection
    connection = kind(place.host, timeout=SILENCE_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        _check_status(answer.status)
        return answer.read(most)
    except HTTPException as error:
        raise ConnectionError(type(error).__name__) from None
    finally:
        connection.close()


def sign_get(host: str, path: str, keys: Keys, *, at: datetime) -> dict[str, str]:
    """The headers of a GET of a path without a query, signed (Signature Version 4)."""
    moment, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    headers = {"host": host, "x-amz-content-sha256": NOTHING, "x-amz-date": moment}
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    signed = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n{path}\n\n{lines}\n{signed}\n{NOTHING}"
    scope = f"{day}/{keys.region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    told = f"Credential={keys.id}/{scope}, SignedHeaders={signed}, Signature={signature}"
    return headers | {"authorization": f"AWS4-HMAC-SHA256 {told}"}


def _read_keys(environ: Mapping[str, str] = os.environ) -> Keys:
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    try:
        own = environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
    except KeyError as error:
        raise ContentError(f"{error.args[0]} is not set, by which the store is asked") from None
    return Keys(*own, environ.get("AWS_SESSION_TOKEN", ""), region)


def _place_of(bucket: str, region: str) -> Place:
    """Path-style at an endpoint of one's own and for names with dots, which no certificate has."""
    own = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if own:
        parts = urlsplit(own)
        return Place(parts.scheme != "http", parts.netloc, f"{parts.path.rstrip('/')}/{bucket}")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    if "." in bucket:
        return Place(is_tls=True, host=f"s3.{region}.{suffix}", prefix=f"/{bucket}")
    return Place(is_tls=True, host=f"{bucket}.s3.{region}.{suffix}", prefix="")


def _check_status(status: int) -> None:
    if status == FOUND:
        return
    if status == MISSING:
        raise FileNotFoundError
    message = f"the store answered with {status}"
    raise ContentError(message)


def _read_file(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _cut(name: str, content: bytes, most: int) -> bytes:
    if len(content) > most:
        message = f"{name}: has more than {most >> 10} KiB"
        raise ContentError(message)
    return content
