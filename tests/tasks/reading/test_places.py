import pytest

from driftline.errors import SourceError
from tasks.reading.locations import open_location


@pytest.mark.parametrize("name", ["rows/a\x00b.csv", "file:///rows/a\x00b.csv", "rows/\ud800.csv"])
def test_a_name_that_no_file_can_have_is_refused_in_words(name: str) -> None:
    with pytest.raises(SourceError, match="which no file can be called") as raised:
        open_location(name)

    assert str(raised.value).isascii()
    assert "\x00" not in str(raised.value)
