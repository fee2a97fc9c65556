from dataclasses import replace

import numpy as np

from driftline.dataset import draft_contract
from driftline.dates import read_iso
from driftline.fields import FieldSpec
from driftline.typical import find_typical
from tests.support import make_problem

CONTRACT = draft_contract(make_problem())


def encoded(*records: dict[str, object]) -> np.ndarray:
    return CONTRACT.encode_table(records)


def test_numbers_have_their_median_and_categories_the_most_frequent() -> None:
    rows = encoded(
        {"age": 20, "level": 0.1, "sex": "F"},
        {"age": 41, "level": None, "sex": "M"},
        {"age": 42, "level": 0.3, "sex": "M"},
        {"age": 90, "level": 9.9, "sex": "M"},
    )

    assert find_typical(rows, CONTRACT) == (("age", 41), ("level", 0.3), ("sex", "M"))


def test_a_field_that_no_row_has_is_left_out() -> None:
    rows = encoded({"age": 20, "level": None, "sex": "F"})

    assert dict(find_typical(rows, CONTRACT)) == {"age": 20, "sex": "F"}


def test_a_median_that_would_mean_missing_is_no_typical_value() -> None:
    rows = encoded(
        {"age": 20, "level": -10, "sex": "F"},
        {"age": 20, "level": -8, "sex": "F"},
    )

    assert dict(find_typical(rows, CONTRACT)) == {"age": 20, "sex": "F"}


def test_an_ordered_category_is_counted_and_not_averaged() -> None:
    spec = FieldSpec("energy", "category", categories=("1", "2", "3"), ordered=True)
    contract = replace(CONTRACT, fields=(spec,))
    rows = contract.encode_table([{"energy": each} for each in ("1", "1", "3", "3", "3")])

    assert find_typical(rows, contract) == (("energy", "3"),)


def test_a_date_is_a_day_that_its_range_has() -> None:
    low, high = read_iso("2024-03-05T12:00"), read_iso("2024-03-06")
    spec = FieldSpec("seen", "date", low=low, high=high)
    contract = replace(CONTRACT, fields=(spec,))
    rows = contract.encode_table([{"seen": "2024-03-05T14:00"}])

    typical = dict(find_typical(rows, contract))

    assert typical == {"seen": "2024-03-05T12:00:00"}
    assert contract.encode(typical)
