import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.locations import is_readable, lacks_bucket, path_of, redact, spell_scheme

WORDS = st.text(alphabet="abcxyzABC0189_-.~!$'()*+,;@:", min_size=1, max_size=12)
ALLOWED = ["https://data.example/clinic/", "http://localhost:8000"]


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://user:pw@host/x.csv", "http://***@host/x.csv"),
        ("http://user:p@w@host/x.csv", "http://***@host/x.csv"),
        ("s3://bucket/x.csv?versionId=abc", "s3://bucket/x.csv?versionId=***"),
        ("https://h/x?sig=a%2Bb&se=1#top", "https://h/x?sig=***&se=***#top"),
        ("simplecache::http://u:p@h/x", "simplecache::http://***@h/x"),
        ("rows@home=1?.csv", "rows@home=1?.csv"),
        ("/data/a=b.csv", "/data/a=b.csv"),
    ],
)
def test_a_location_is_told_without_its_secrets(location: str, told: str) -> None:
    assert redact(location) == told
    assert redact(told) == told


@given(WORDS, WORDS, WORDS)
def test_no_password_and_no_signature_is_ever_told(user: str, password: str, value: str) -> None:
    told = redact(f"https://{user}:1{password}1@host.example/x.csv?sig=2{value}2")

    assert told == "https://***@host.example/x.csv?sig=***"


@pytest.mark.parametrize(
    "location",
    [
        "rows.csv",
        "/data/rows.csv",
        "file:///data/rows.csv",
        "s3://bucket/rows.csv",
        "https://data.example/clinic/rows.csv",
        "https://u:p@data.example/clinic/2026/rows.csv?sig=1",
        "HTTPS://Data.Example/clinic",
        "http://localhost:8000/rows.csv",
    ],
)
def test_files_buckets_and_what_is_allowed_may_be_read(location: str) -> None:
    assert is_readable(location, ALLOWED)


@pytest.mark.parametrize(
    "location",
    [
        "http://data.example/clinic/rows.csv",
        "https://data.example/other/rows.csv",
        "https://data.example/clinical/rows.csv",
        "https://data.example/clinic/../other/rows.csv",
        "https://data.example/clinic/%2e%2e/other/rows.csv",
        "https://data.example.evil.example/clinic/rows.csv",
        "https://data.example@evil.example/clinic/rows.csv",
        "http://localhost:80001/rows.csv",
        "http://localhost/rows.csv",
        "http://169.254.169.254/latest/meta-data",
        "simplecache::s3://bucket/rows.csv",
        "memory://rows.csv",
    ],
)
def test_nothing_else_may_be_read(location: str) -> None:
    assert not is_readable(location, ALLOWED)


@pytest.mark.parametrize("location", ["s3://", "S3://", "s3:///", "s3:///rows.csv", "s3://?v=1"])
def test_a_url_without_a_bucket_is_known_as_such(location: str) -> None:
    assert lacks_bucket(location)


@pytest.mark.parametrize("location", ["s3://b", "s3://b/", "s3://b/rows.csv", "/s3://", "file:///"])
def test_what_names_a_bucket_or_is_a_path_lacks_none(location: str) -> None:
    assert not lacks_bucket(location)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("file:///data/rows.csv", "/data/rows.csv"),
        ("FILE://localhost/data/rows.csv", "/data/rows.csv"),
        ("data:rows.csv", "data:rows.csv"),
        ("~/rows.csv", "~/rows.csv"),
    ],
)
def test_a_place_of_this_machine_has_a_path(location: str, path: str) -> None:
    assert path_of(location) == path


def test_a_scheme_is_meant_in_any_case() -> None:
    assert spell_scheme("S3://Bucket/Rows.csv") == "s3://Bucket/Rows.csv"
    assert spell_scheme("Rows:1.csv") == "Rows:1.csv"
