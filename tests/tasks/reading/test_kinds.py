"""Tables as other people's tools write them: what is inside, and not what the name says, counts."""

import json

import pytest

from driftline.errors import DataError, SourceError
from tests.support import make_problem
from tests.tasks.reading.writing import cleaned, rows_of, stages

STAGES = ["gelb", "rot"]


def test_a_column_that_may_mean_either_goes_by_one_that_leaves_no_doubt() -> None:
    """1.234 is a thousand and more where another column has a decimal comma."""
    text = "age;level;stage;outcome\n40;1.234;1;0\n41;2.345;2;1\n"
    text = text.replace("level", "income").replace("stage", "level")
    problem = make_problem(columns={"age": {}, "income": {}, "level": {}})
    text = text.replace("1;0", "1,5;0").replace("2;1", "0,5;1")

    table = cleaned(text, problem=problem).table

    assert table["income"].tolist() == [1234.0, 2345.0]
    assert table["level"].tolist() == [1.5, 0.5]


def test_codes_of_a_table_with_a_decimal_comma_are_the_declared_ones() -> None:
    text = "age;level;stage;outcome\n40,0;1,5;1,0;0,0\n41,0;2,5;2,0;1,0\n"

    table = cleaned(text).table

    assert table["stage"].tolist() == ["1", "2"]
    assert table["outcome"].tolist() == ["well", "ill"]


def test_codes_may_be_written_as_numpy_writes_floats() -> None:
    text = rows_of("1.000000000000000000e+00", "2.000000000000000000e+00")

    assert cleaned(text).table["stage"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("encoding", "categories"),
    [
        ("cp1250", ("žlutý", "červený")),
        ("iso8859_2", ("żółty", "śliwka")),
        ("mac_roman", ("größe", "süß")),
        ("cp866", ("красный", "синий")),
    ],
)
def test_the_words_that_are_declared_tell_the_encoding(
    encoding: str, categories: tuple[str, str]
) -> None:
    """Short words are too few letters to guess by."""
    content = rows_of(*categories * 20).encode(encoding)

    table = cleaned(content, problem=stages(*categories)).table

    assert table["stage"].tolist() == [*categories * 20]


def test_a_line_that_is_no_utf_8_among_others_is_named() -> None:
    """Else all letters of the others were read as those of another encoding."""
    problem = stages("größe", "süß")
    content = rows_of(*("größe", "süß") * 10).encode() + "50,1.5,süß,1\n".encode("cp1252")

    with pytest.raises(SourceError, match=r"rows\.csv: line 22 is no UTF-8, as most of the text"):
        cleaned(content, problem=problem)


def test_a_quote_that_is_never_closed_is_named_by_its_line() -> None:
    text = rows_of("1", "2", "1").replace("1,1.5,2", '1,1.5,"2')

    with pytest.raises(SourceError, match="line 3 opens a quote that is never closed"):
        cleaned(text)


def test_a_cell_that_never_ends_is_named_by_its_line() -> None:
    """What a quote that nothing closes makes of a long table."""
    text = rows_of("1", *("2",) * 20_000).replace("1,1.5,2", '1,1.5,"2', 1)

    with pytest.raises(SourceError, match=r"rows\.csv: line 3 begins a cell of more than 131,072"):
        cleaned(text)


def test_apostrophes_may_quote() -> None:
    text = rows_of("1", "2").replace("age,level,stage", "'age','level','stage'")

    assert cleaned(text).table["age"].tolist() == [40, 41]


def test_a_nameless_column_without_values_is_none() -> None:
    """A comma at the end of each line, as spreadsheets leave it."""
    text = rows_of("1", "2").replace("\n", ",\n")

    assert cleaned(text).table["stage"].tolist() == ["1", "2"]


def test_a_nameless_column_with_values_is_named_as_one() -> None:
    text = rows_of("1", "2").replace("outcome\n", "outcome,\n").replace("0\n", "0,x\n")
    text = text.replace(",1\n", ",1,\n")

    with pytest.raises(DataError, match=r"unexpected: '' \(a column without a name\)"):
        cleaned(text)


RECORDS = [
    {"age": 40, "stage": 1, "outcome": 0},
    {"outcome": 1, "stage": None, "age": 41, "level": 2.5},
]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
@pytest.mark.parametrize("is_list", [False, True])
def test_objects_may_lack_keys_that_others_have(name: str, is_list: bool) -> None:
    lines = "\n".join(map(json.dumps, RECORDS))

    table = cleaned(json.dumps(RECORDS, indent=1) if is_list else lines, name).table

    assert table["level"].isna().tolist() == [True, False]
    assert table["stage"].tolist() == ["1", None]
    assert table["outcome"].tolist() == ["well", "ill"]
