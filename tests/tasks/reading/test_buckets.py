import pandas as pd
import pytest

from driftline.errors import SourceError, UnavailableError
from tasks.reading.sources import read_table
from tests.buckets import Bucket, forget_connections
from tests.ports import free_ports
from tests.tasks.reading.writing import ROWS, TEXT


@pytest.mark.s3
def test_a_table_is_read_from_a_bucket(s3: Bucket) -> None:
    put(s3, "one/rows.csv", TEXT.encode())

    table = read_table(f"s3://{s3.name}/one/rows.csv").rows

    pd.testing.assert_frame_equal(table, ROWS, check_column_type=False)


@pytest.mark.s3
def test_a_prefix_of_a_bucket_is_read_as_a_folder(s3: Bucket) -> None:
    put(s3, "two/a.csv", b"age\n1\n")
    put(s3, "two/b.csv", b"age\n2\n")

    table = read_table(f"s3://{s3.name}/two").rows

    assert table["age"].tolist() == ["1", "2"]


@pytest.mark.s3
@pytest.mark.parametrize("key", ["{bucket}/no-such-object.csv", "no-such-bucket/rows.csv"])
def test_a_missing_object_or_bucket_is_named(s3: Bucket, key: str) -> None:
    location = f"s3://{key.format(bucket=s3.name)}"

    with pytest.raises(SourceError) as raised:
        read_table(location)

    assert str(raised.value).startswith(f"{location}: no such file")


@pytest.mark.s3
def test_a_bucket_that_refuses_the_key_says_so(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    forget_connections()

    with pytest.raises(SourceError, match=r"access denied; check .* the AWS_\* variables"):
        read_table(f"s3://{s3.name}/one/rows.csv")


def test_an_unreachable_store_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage may pass, so it is the one kind of error that is tried again."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    forget_connections()

    with pytest.raises(UnavailableError) as raised:
        read_table("s3://bucket/rows.csv")

    forget_connections()
    assert str(raised.value).startswith("s3://bucket/rows.csv: did not answer")


def put(bucket: Bucket, key: str, content: bytes) -> None:
    import s3fs

    s3fs.S3FileSystem().pipe_file(f"{bucket.name}/{key}", content)
