"""A text table is written as the problem file pins it, or is refused by the line that is not."""

from dataclasses import replace
from typing import Any

import pytest

from driftline.errors import ProblemError, SourceError
from driftline.reading import Reading
from tasks.reading.dialects import Expected
from tasks.reading.parsing import parse
from tests.support import make_problem

KNOWN = Expected(frozenset({"age", "level", "note"}), frozenset({"age", "level"}))
PLAIN = "age,level,note\n40,1.5,a\n50,2.25,b\n"
EUROPEAN = "age;level;note\n40;1,5;a\n50;2,25;b\n"


def read(text: str | bytes, expected: Expected = KNOWN, **pinned: Any) -> list[list[str]]:
    content = text if isinstance(text, bytes) else text.encode()
    wanted = replace(expected, reading=Reading(**pinned))
    return parse(content, "rows.csv", wanted).rows.to_numpy().tolist()


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        (PLAIN, {"separator": ",", "decimal": ".", "encoding": "utf-8", "header": True}),
        (EUROPEAN, {"separator": "semicolon", "decimal": ","}),
        (EUROPEAN.replace(";", "~"), {"separator": "~", "decimal": ",", "thousands": ""}),
        ("age of all\n" + PLAIN, {"skip_lines": 1}),
        (PLAIN.replace("a\n", "'a'\n"), {"quote": "'"}),
    ],
)
def test_what_is_pinned_is_used(text: str, pinned: dict[str, Any]) -> None:
    assert read(text, **pinned) == [["40", "1.5", "a"], ["50", "2.25", "b"]]


def test_a_pinned_sign_settles_what_the_cells_leave_open() -> None:
    text = "age;level;note\n40;1.500;a\n50;2.250;b\n"

    assert [row[1] for row in read(text)] == ["1.500", "2.250"]
    assert [row[1] for row in read(text, thousands=".", decimal=",")] == ["1500", "2250"]


def test_a_table_without_header_is_read_from_its_first_line() -> None:
    expected = Expected(
        frozenset({"column1", "column2", "column3"}), frozenset({"column1", "column2"})
    )

    rows = read("Ward 3\n40;1,5;a\n50;2,25;b\n", expected, header=False, skip_lines=1)

    assert rows == [["40", "1.5", "a"], ["50", "2.25", "b"]]


@pytest.mark.parametrize(
    ("text", "pinned", "fault"),
    [
        (PLAIN, {"separator": ";"}, r"line 1 names no column .* pins it \(semicolon\)"),
        (PLAIN, {"skip_lines": 1}, r"line 2 names no column .* \(1 line before the header\)"),
        (EUROPEAN, {"decimal": "."}, "line 2, column 'level': a number with other signs; wanted "),
        (PLAIN, {"decimal": ","}, "wanted decimal comma, no sign of thousands, as `reading`"),
        (
            "Ward\n" + EUROPEAN + "60;1.234,5;c\n",
            {"thousands": "", "skip_lines": 1},
            "line 5, column 'level'",
        ),
        (PLAIN + "60,1,c,d\n", {"separator": ","}, "line 4 has 4 cells; wanted 3 cells"),
        (
            PLAIN.encode() + "60,1,ü\n".encode("cp1252"),
            {"encoding": "utf-8"},
            "line 4 is no text in utf-8",
        ),
        (PLAIN.encode("utf-16"), {"encoding": "cp1252"}, "line 1 begins with the mark of utf-16"),
        ("level\n1.5\n2.5\n3.5\n", {"header": False}, "line 1 reads like a header"),
    ],
)
def test_a_line_that_contradicts_is_refused_by_its_number(
    text: str | bytes, pinned: dict[str, Any], fault: str
) -> None:
    named = Expected(frozenset({"column1"}), frozenset({"column1"}))

    with pytest.raises(SourceError, match=fault):
        read(text, named if pinned.get("header") is False else KNOWN, **pinned)


def test_words_among_numbers_contradict_nothing() -> None:
    assert read(PLAIN + "?,n/a,c\n", decimal=".", thousands="")[-1] == ["?", "n/a", "c"]


@pytest.mark.parametrize(
    ("reading", "fault"),
    [
        ({"separator": "ab"}, "reading.separator: got 'ab', wanted comma, semicolon, tab, bar"),
        ({"separator": "1"}, "reading.separator: got '1', wanted"),
        ({"encoding": "klingon"}, "reading.encoding: got 'klingon', wanted an encoding of text"),
        ({"encoding": "base64"}, "reading.encoding: got 'base64', wanted an encoding of text"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands: got ',' twice"),
        ({"thousands": "x"}, "reading.thousands: got 'x', wanted a comma"),
        ({"skip_lines": -1}, "reading.skip_lines: got -1, wanted"),
        ({"delimiter": ";"}, "reading.delimiter: unknown key"),
    ],
)
def test_a_key_that_cannot_be_is_named(reading: dict[str, Any], fault: str) -> None:
    with pytest.raises(ProblemError, match=fault):
        make_problem(reading=reading)
