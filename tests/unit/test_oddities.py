from typing import Any

import pytest

from driftline.oddities import Cells


def describe(cells: list[Any]) -> str:
    found = Cells()
    found.add(cells)
    return found.describe()


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("12 %", "with a percent sign"),
        ("$12.00", "with a sign of currency"),
        ("12,50 EUR", "with a sign of currency"),
        ("(12)", "with brackets around the number"),
        ("12-", "with a minus behind the number"),
        ("0x1F", "with hexadecimal digits"),
        ("'12", "with an apostrophe before the number"),
        ('="12"', "with quotes around the number"),
        ("11.999999", "with fractions"),
        ("12,5", "with commas in the numbers"),
        ("7\u0660", "with digits of another script"),
        ("12 kg", "with units behind the numbers"),
        ("31.12.2024", "dates"),
        ("unknown", "words"),
        (45292, "numbers (if they are a spreadsheet's dates, format them as dates)"),
        (True, "booleans"),
        ([1], "which are no single values"),
    ],
)
def test_cells_are_told_by_what_they_are(cell: Any, told: str) -> None:
    said = describe([cell, None, cell, ""])

    assert said in {f"2 cells, {told}", f"2 cells: {told}"}


def test_what_is_of_no_kind_is_only_counted() -> None:
    assert describe(["a1b?", "?7"]) == "2 cells"
    assert describe([None, "", "NA"]) == ""


def test_no_cell_is_ever_shown() -> None:
    assert "4711" not in describe(["4711%"])
