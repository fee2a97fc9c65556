from dataclasses import replace

from deployments.ui.entries import as_record, label_of, make_entry
from driftline.fields import FieldSpec

AGE = FieldSpec("age", "integer", low=0, high=120, unit="years", description="at admission")
LEVEL = FieldSpec("level", "number", low=0, high=0.5, allow_missing=True)
SEX = FieldSpec("sex", "category", categories=("F", "M"))
SEEN = FieldSpec("seen", "date", low=14_610.0, high=22_279.0)


def test_an_entry_begins_with_what_is_typical_within_its_range() -> None:
    entry = make_entry(AGE, 41)

    assert (entry.start, entry.low, entry.high, entry.step) == (41, 0, 120, 1)
    assert {type(each) for each in (entry.start, entry.low, entry.high)} == {int}


def test_what_may_be_missing_begins_empty() -> None:
    entry = make_entry(LEVEL, 0.2)

    assert entry.start is None
    assert entry.may_be_empty
    assert entry.label == "level, 0 to 0.5 (may be empty)"
    assert entry.step == 0.01


def test_a_category_offers_its_own_and_a_date_its_spelling() -> None:
    assert make_entry(SEX, "F").options == ("F", "M")
    assert make_entry(SEEN, "2020-01-01").start == "2020-01-01"
    assert make_entry(SEEN, "2020-01-01").low is None
    assert label_of(SEEN) == "seen, as 2024-12-31"


def test_a_label_reads_range_unit_and_meaning_and_marks_nothing_up() -> None:
    assert label_of(AGE) == "age, 0 to 120 years: at admission"
    assert label_of(replace(AGE, name="a*b")).startswith("a\\*b, ")


def test_what_was_left_empty_is_missing() -> None:
    entries = [make_entry(AGE, 41), make_entry(LEVEL, 0.2), make_entry(SEEN, "2020-01-01")]

    assert as_record(entries, [41, None, ""]) == {"age": 41, "level": None, "seen": None}
