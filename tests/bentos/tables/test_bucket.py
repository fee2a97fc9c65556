"""Objects are read from a bucket by nothing but the standard library, signed as AWS wants it."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import s3fs

from bentos.settings import SettingError
from bentos.tables import bucket
from bentos.tables.bucket import Keys, get_object, reader, sign_get
from bentos.takeover.content import ContentError
from tests.buckets import Bucket

NAME = "serving/lookups/tiny/labs and ü+%/a~b.npz"


@pytest.mark.parametrize("token", ["", "a/session+token=="])
def test_a_get_is_signed_as_botocore_signs_it(token: str) -> None:
    from botocore import auth, awsrequest, credentials

    request = awsrequest.AWSRequest("GET", "https://bucket.s3.eu-central-1.amazonaws.com/a%20b.npz")
    own = credentials.Credentials("AKID", "secret", token or None)
    signer = auth.S3SigV4Auth(own, "s3", "eu-central-1")
    signer.add_auth(request)
    at = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    parts = urlsplit(request.url)

    headers = sign_get(
        parts.netloc, parts.path, Keys("AKID", "secret", token, "eu-central-1"), at=at
    )

    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert headers == {"host": parts.netloc} | theirs


@pytest.mark.s3
def test_a_real_bucket_answers(s3: Bucket) -> None:
    files = s3fs.S3FileSystem(endpoint_url=s3.endpoint, use_listings_cache=False)
    files.pipe_file(f"{s3.name}/folder/{NAME}", b"content")
    read = reader(f"s3://{s3.name}/folder")

    assert read(NAME, 7) == b"content"
    with pytest.raises(ContentError, match="has more than 0 KiB"):
        read(NAME, 6)
    with pytest.raises(FileNotFoundError):
        read("serving/nothing", 100)


@pytest.mark.s3
def test_a_bucket_that_one_may_not_read_is_told(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(ContentError, match="the store answered with 403"):
        get_object(f"s3://{s3.name}/anything", 100)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ContentError, match="AWS_SECRET_ACCESS_KEY is not set"):
        get_object(f"s3://{s3.name}/anything", 100)


@pytest.mark.parametrize(
    ("name", "region", "endpoint", "wanted"),
    [
        ("mine", "eu-west-1", "", (True, "mine.s3.eu-west-1.amazonaws.com", "")),
        ("my.own", "eu-west-1", "", (True, "s3.eu-west-1.amazonaws.com", "/my.own")),
        ("mine", "cn-north-1", "", (True, "mine.s3.cn-north-1.amazonaws.com.cn", "")),
        ("mine", "x", "http://minio:9000/", (False, "minio:9000", "/mine")),
        ("mine", "x", "https://host/s3", (True, "host", "/s3/mine")),
    ],
)
def test_a_bucket_is_asked_where_it_is(
    name: str,
    region: str,
    endpoint: str,
    wanted: tuple[bool, str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

    place = bucket._place_of(name, region)

    assert (place.is_tls, place.host, place.prefix) == wanted


def test_a_store_may_be_a_folder_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    read = reader(str(tmp_path))

    assert read("a", 7) == b"content"
    with pytest.raises(ContentError):
        read("a", 6)
    with pytest.raises(FileNotFoundError):
        read("b", 6)
    with pytest.raises(SettingError, match="DRIFTLINE_STORE_URL: got gs://, wanted s3://"):
        reader("gs://bucket/prefix")
