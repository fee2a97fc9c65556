from pathlib import Path

import pytest

from driftline.errors import SourceError
from tasks.reading.locations import open_location


@pytest.mark.parametrize("name", ["rows/a\x00b.csv", "file:///rows/a\x00b.csv", "rows/\ud800.csv"])
def test_a_name_that_no_file_can_have_is_refused_in_words(name: str) -> None:
    with pytest.raises(SourceError, match="which no file can be called") as raised:
        open_location(name)

    assert str(raised.value).isascii()
    assert "\x00" not in str(raised.value)


@pytest.mark.parametrize("name", ["s3://", "s3:///", "S3:///rows.csv"])
def test_a_bucket_that_is_not_named_is_asked_for(name: str) -> None:
    with pytest.raises(SourceError) as raised:
        open_location(name)

    assert str(raised.value) == f"{name}: names no bucket; wanted s3://bucket/path"


@pytest.mark.parametrize(
    "name",
    ["{}/rows.csv", "file://{}/rows.csv", "FILE://localhost{}/rows.csv", "~/rows.csv"],
)
def test_a_file_is_found_however_it_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert open_location(name.format(tmp_path))[1] == f"{tmp_path}/rows.csv"


def test_a_file_may_be_called_as_a_scheme_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert open_location("data:rows.csv")[1] == f"{tmp_path}/data:rows.csv"
