"""Text tables as people have them, each read for what it is."""

import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from driftline.errors import SourceError
from driftline.reading import RARE_SEPARATORS
from tasks.reading.dialects import Dialect, Expected
from tasks.reading.parsing import parse
from tasks.reading.sources import open_source, read_table, read_table_with
from tests.support import make_problem

KNOWN = Expected(frozenset({"age", "glucose", "disease"}), frozenset({"age", "glucose"}))
PLAIN = [["38", "16.2", "1"], ["46", "10.5", "0"], ["61", "14.7", "0"]]


def text_of(separator: str = ",", decimal: str = ".", before: str = "") -> str:
    lines = [["age", "glucose", "disease"], *PLAIN]
    told = [[cell.replace(".", decimal) for cell in line] for line in lines]
    return before + "".join(separator.join(line) + "\n" for line in told)


WRITTEN = {
    "plain": (text_of(), ""),
    "semicolon and decimal comma": (text_of(";", ","), "semicolon, decimal comma"),
    "tab": (text_of("\t"), "tab"),
    "bar and decimal comma": (text_of("|", ","), "bar, decimal comma"),
    "a title before": (
        text_of(before="Ward 3\nmade on 2026-01-02, by hand\n\n"),
        "3 lines before the header",
    ),
    "blanks": (text_of(" "), "separated by ' '"),
    "carets": (text_of("^"), "separated by '^'"),
    "a line for Excel": (
        text_of(";", ",", before="sep=;\n"),
        "semicolon, decimal comma, 1 line before the header",
    ),
    "a title and semicolons": (
        text_of(";", ",", before="age of the ward\n"),
        "semicolon, decimal comma, 1 line before the header",
    ),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_a_table_whose_names_are_known_is_read_however_it_is_written(way: str) -> None:
    text, told = WRITTEN[way]

    piece = parse(text.encode(), "rows.csv", KNOWN)

    assert list(piece.rows.columns) == ["age", "glucose", "disease"]
    assert piece.rows.to_numpy().tolist() == PLAIN
    assert piece.read_as == told


ONLY_BY_NAMES = {"a title before", "a line for Excel"}


@pytest.mark.parametrize("way", [way for way in WRITTEN if way not in ONLY_BY_NAMES])
def test_a_table_of_unknown_names_is_read_alike_where_it_is_long_enough(way: str) -> None:
    text, _ = WRITTEN[way]
    head, _, _ = text.rpartition("61")
    body = text[len(head) - len(text.splitlines(keepends=True)[-2]) :]

    piece = parse((text + body * 20).encode(), "rows.csv")

    assert list(piece.rows.columns) == ["age", "glucose", "disease"]
    assert piece.rows.head(3).to_numpy().tolist() == PLAIN


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_text_of_another_encoding_is_read(encoding: str, told: str) -> None:
    cities = ["Köln", "Zürich", "Münster", "Besançon", "Århus"] * 8
    text = "city,age\n" + "".join(f"{city},{40 + place}\n" for place, city in enumerate(cities))

    piece = parse(text.encode(encoding), "rows.csv", Expected(frozenset({"city", "age"})))

    assert piece.rows["city"].tolist() == cities
    assert piece.read_as == told


def test_a_late_letter_of_another_encoding_is_read_as_well() -> None:
    """The head of the file is plain ASCII, longer than what is looked at first."""
    text = "city,age\n" + "Bonn,40\n" * 200_000 + "Köln,41\nZürich,42\n"

    table = parse(text.encode("cp1252"), "rows.csv", Expected(frozenset({"city", "age"}))).rows

    assert table["city"].tolist()[-2:] == ["Köln", "Zürich"]


@pytest.mark.parametrize(
    ("cells", "separator", "numbers"),
    [
        (["1.234,5", "987,25", "12.345.678,0"], ";", ["1234.5", "987.25", "12345678.0"]),
        (["1 234,5", "987,25", "0,5"], ";", ["1234.5", "987.25", "0.5"]),
        (['"1,234.5"', '"987.25"', '"12,345,678.0"'], ",", ["1234.5", "987.25", "12345678.0"]),
        (["1'234.5", "987.25", "0.5"], ";", ["1234.5", "987.25", "0.5"]),
        (["1,234", "2,345", "7,125"], ";", ["1.234", "2.345", "7.125"]),
        (['"1,234"', '"2,345"', '"7,125"'], ",", ["1234", "2345", "7125"]),
        (["1.234", "2.345", "7.125"], ";", ["1.234", "2.345", "7.125"]),
        (["-0,5", "1,5e3", "7"], "\t", ["-0.5", "1.5e3", "7"]),
        (["1\u2019234.5", "987.25", "0.5"], ";", ["1234.5", "987.25", "0.5"]),
        (["1\u2009234,5", "\u22120,5", "7"], ";", ["1234.5", "-0.5", "7"]),
        (["1.234,5", "\u20130,5", "7"], ";", ["1234.5", "-0.5", "7"]),
    ],
)
def test_signs_in_numbers_are_told_by_their_column(
    cells: list[str], separator: str, numbers: list[str]
) -> None:
    text = f"glucose{separator}disease\n" + "".join(f"{c}{separator}1\n" for c in cells)

    assert parse(text.encode(), "rows.csv", KNOWN).rows["glucose"].tolist() == numbers


def test_only_numbers_are_respelt() -> None:
    """A code such as 1,5 in a column of categories stays what it is."""
    text = "age;glucose;disease\n" + "40;1,5;1,5\n41;2,5;0,5\n"

    assert parse(text.encode(), "rows.csv", KNOWN).rows["disease"].tolist() == ["1,5", "0,5"]


def test_what_the_head_shows_holds_for_every_piece(tmp_path: Path) -> None:
    text = text_of(";", ",") + "70;;1\n" * 5 + "71;8,25;0\n"
    (tmp_path / "rows.csv").write_text(text)
    problem = make_problem(
        columns={"age": {"kind": "number"}, "glucose": {"kind": "number", "missing": "allow"}},
        target={"name": "disease", "classes": {"no": [0], "yes": [1]}, "positive": "yes"},
    )

    stream = open_source.fn(problem, str(tmp_path / "rows.csv"), rows=2)
    pieces = []
    while (piece := stream.read(len(pieces))) is not None:
        pieces.append(piece.rows)

    whole = parse(text.encode(), "rows.csv", KNOWN).rows
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), whole)
    assert whole["glucose"].tolist()[-1] == "8.25"


def test_a_title_of_nearly_as_many_cells_as_the_table_may_be_its_header() -> None:
    """So it is taken for one, and what follows is refused, where names are not known."""
    text = text_of(before="Ward 3, made by hand\n") + "50,8.1,1\n" * 20

    with pytest.raises(SourceError, match="line 2 has 3 cells; wanted 2 cells"):
        parse(text.encode(), "rows.csv")


def test_lines_longer_than_the_header_are_refused_still() -> None:
    """No separator and no skipped line is found that would let them pass."""
    text = "disease,age,glucose\n" + "1,38,1,810\n0,46,2,525\n" * 20

    with pytest.raises(SourceError, match="line 2 has 4 cells; wanted 3 cells in every line"):
        parse(text.encode(), "rows.csv", KNOWN)
    with pytest.raises(SourceError, match="has 4 cells; wanted 3 cells in every line"):
        parse(text.encode(), "rows.csv")


def test_a_line_is_counted_from_the_top_of_the_file() -> None:
    text = text_of(before="Ward 3\n\n") + "1,2\n"

    with pytest.raises(SourceError, match="line 7 has 2 cells"):
        parse(text.encode(), "rows.csv", KNOWN)


@pytest.mark.parametrize("separator", RARE_SEPARATORS)
def test_a_table_of_unknown_names_may_be_parted_by_a_rare_sign(separator: str) -> None:
    lines = [["age", "level", "outcome"], *([str(i), f"{i / 7:.2f}", "yes"] for i in range(9))]

    piece = parse("\n".join(map(separator.join, lines)).encode(), "rows.txt")

    assert list(piece.rows.columns) == lines[0]
    assert piece.rows.to_numpy().tolist() == lines[1:]
    assert piece.dialect is not None
    assert piece.dialect.to_reading().separator == separator


def test_a_column_of_words_is_no_table_of_blanks() -> None:
    words = ["what was found", "a small shadow", "nothing", "two scars of old breaks"]

    assert list(parse("\n".join(words).encode(), "rows.csv").rows.columns) == ["what was found"]


def test_a_table_without_a_header_gets_numbered_names() -> None:
    text = "".join(f"{40 + i % 30},{i / 7:.2f},{'yes' if i % 3 else 'no'}\n" for i in range(60))

    piece = parse(text.encode(), "rows.csv")

    assert list(piece.rows.columns) == ["column1", "column2", "column3"]
    assert len(piece.rows) == 60
    assert piece.read_as == "no header"
    again = parse(text.encode(), "rows.csv", Expected(frozenset({"column1", "column3"})))
    pd.testing.assert_frame_equal(again.rows, piece.rows)


def zipped(text: str, *others: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("folder/rows.csv", text)
        for other in others:
            archive.writestr(other, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.zip", zipped(text_of(";", ","), "__MACOSX/._rows.csv", "README.md")),
        ("rows.csv.xz", lzma.compress(text_of(";", ",").encode())),
        ("rows.tsv.gz", gzip.compress(text_of("\t").encode())),
        ("rows.txt", text_of("|").encode()),
    ],
    ids=["zip", "xz", "gz", "plain"],
)
def test_packed_tables_are_read(name: str, content: bytes) -> None:
    assert parse(content, name, KNOWN).rows.to_numpy().tolist() == PLAIN


def test_an_archive_of_two_tables_is_refused_by_their_names() -> None:
    with pytest.raises(SourceError, match=r"holds 2 tables \(b.csv, folder/rows.csv\); wanted one"):
        parse(zipped(text_of(), "b.csv"), "rows.zip", KNOWN)


def test_a_spreadsheet_is_read_from_the_line_of_its_header(tmp_path: Path) -> None:
    rows = pd.DataFrame({"age": [38, 46], "glucose": [16.2, None], "disease": ["yes", "no"]})
    with pd.ExcelWriter(tmp_path / "rows.xlsx", engine="openpyxl") as writer:
        pd.DataFrame([["Ward 3"]]).to_excel(writer, sheet_name="data", index=False, header=False)
        rows.to_excel(writer, sheet_name="data", index=False, startrow=2)
        pd.DataFrame().to_excel(writer, sheet_name="empty")

    table = read_table(str(tmp_path / "rows.xlsx"), KNOWN).rows

    assert list(table.columns) == ["age", "glucose", "disease"]
    assert table["age"].tolist() == [38, 46]
    assert table["glucose"].tolist() == [16.2, None]


def test_a_plain_dialect_says_nothing() -> None:
    assert not Dialect().describe()


@pytest.mark.parametrize("way", ["a title before", "a line for Excel", "a title and semicolons"])
def test_one_name_is_enough_to_tell_the_header(tmp_path: Path, way: str) -> None:
    """As onboarding knows the column to predict, and no other."""
    path = tmp_path / "rows.csv"
    path.write_text(WRITTEN[way][0], encoding="utf-8")

    table = read_table_with(str(path), "Disease")

    assert list(table.rows.columns) == ["age", "glucose", "disease"]
    assert table.rows.to_numpy().tolist() == PLAIN
    assert table.read_as == WRITTEN[way][1]


def test_a_table_that_lacks_the_name_or_is_uneven_is_told_as_without_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text_of(), encoding="utf-8")

    assert list(read_table_with(str(path), "weight").rows.columns) == ["age", "glucose", "disease"]
    path.write_text(text_of() + "1,2\n", encoding="utf-8")
    with pytest.raises(SourceError, match="line 5 has 2 cells; wanted 3"):
        read_table_with(str(path), "disease")


def test_one_name_tells_the_sheet(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    table = pd.DataFrame(PLAIN, columns=["age", "glucose", "disease"])
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"notes": ["made by hand"]}).to_excel(writer, sheet_name="a", index=False)
        table.to_excel(writer, sheet_name="b", index=False)

    assert read_table_with(str(path), "disease").rows.to_numpy().tolist() == PLAIN
