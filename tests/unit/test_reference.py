"""Broken windows are told from real change: what each fault looks like, and how rarely one is seen.

The shared rows are of three related numbers, one that stands alone, a skewed one and a category.
"""

import numpy as np
import pandas as pd
import pytest

from driftline.faults import find_faults
from driftline.reference import fit_reference, judge_window
from tests.support import make_problem

PROBLEM = make_problem(
    columns={
        **{name: {"missing": "allow"} for name in ("length", "width", "area", "lone", "skewed")},
        "shape": {"kind": "category", "categories": ["a", "b", "c"], "missing": "allow"},
    }
)


def draw(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.normal(0, 1, count)
    length = 50 + 8 * (size + rng.normal(0, 0.1, count))
    width = 30 + 4 * (size + rng.normal(0, 0.3, count))
    level = np.digitize(size + rng.normal(0, 0.5, count), [-0.5, 0.7])
    return pd.DataFrame(
        {
            "length": length,
            "width": width,
            "area": length * width,
            "lone": rng.normal(70, 9, count),
            "skewed": rng.lognormal(3, 1, count),
            "shape": np.array(["a", "b", "c"], dtype=object)[level],
        }
    )


REFERENCE = fit_reference(draw(2000, 0), PROBLEM)


def break_part(
    window: pd.DataFrame, name: str, values: pd.Series | float, share: float
) -> pd.DataFrame:
    hit = np.random.default_rng(5).random(len(window)) < share
    return window.assign(**{name: window[name].where(~hit, values)})


@pytest.mark.slow
def test_other_people_are_no_fault() -> None:
    """Sub-populations, a moved mean and more of one category, each by weighing sound rows."""
    told = 0
    for seed in range(1, 61):
        rng = np.random.default_rng(seed)
        people = draw(4000, seed)
        name = str(rng.choice(["length", "width", "area", "lone", "skewed"]))
        standard = (people[name] - people[name].mean()) / people[name].std()
        weights = [
            np.exp(np.clip(standard, -3, 3)),
            (standard.rank(pct=True) >= 2 / 3).astype(float),
            np.where(people["shape"] == "c", 8.0, 1.0),
        ][seed % 3]
        window = people.sample((50, 200, 1000)[seed % 2], weights=weights, random_state=seed)
        told += bool(judge_window(REFERENCE, window))

    assert told == 0


def test_a_correlation_turned_round_is_told_though_each_column_looks_as_ever() -> None:
    window = draw(300, 1)
    ranks = window["length"].rank(method="first").astype(int).to_numpy() - 1
    turned = np.sort(window["length"].to_numpy())[::-1][ranks]

    (fault,) = judge_window(REFERENCE, window.assign(length=turned))

    assert fault.startswith("length: ")
    assert "do not fit the rest of their row" in fault


def test_values_of_other_rows_are_told() -> None:
    window = draw(300, 1)

    (fault,) = judge_window(REFERENCE, window.assign(width=np.roll(window["width"].to_numpy(), -1)))

    assert "do not fit the rest of their row" in fault


@pytest.mark.parametrize("share", [0.3, 0.49])
def test_a_part_in_another_unit_is_told_with_its_share_and_factor(share: float) -> None:
    window = draw(400, 1)

    (fault,) = judge_window(REFERENCE, break_part(window, "lone", window["lone"] * 0.0555, share))

    assert "look like another unit (times 0.0555)" in fault
    assert float(fault.split("about ")[1].split("%")[0]) / 100 == pytest.approx(share, abs=0.07)


@pytest.mark.parametrize("share", [0.3, 0.49])
def test_a_part_that_is_stuck_is_told(share: float) -> None:
    (fault,) = judge_window(REFERENCE, break_part(draw(400, 1), "lone", 71.3, share))

    assert fault.startswith("lone: about ")
    assert fault.endswith("% of the rows are stuck at one value")


def test_codes_for_missing_are_told() -> None:
    (fault,) = judge_window(REFERENCE, break_part(draw(400, 1), "lone", -999.0, 0.3))

    assert fault.startswith("lone: about ")


def test_a_skewed_column_divided_by_1000_is_told() -> None:
    window = draw(300, 1)

    (fault,) = judge_window(REFERENCE, window.assign(skewed=window["skewed"] / 1000))

    assert fault == "skewed: looks like another unit (times 0.001)"


def test_an_area_in_other_units_is_told() -> None:
    window = draw(300, 1)

    (fault,) = judge_window(REFERENCE, window.assign(area=window["area"] * 1e-6))

    assert fault == "area: looks like another unit (times 1e-06)"


def test_swapped_columns_are_told() -> None:
    window = draw(300, 1)

    faults = judge_window(REFERENCE, window.assign(length=window["width"], width=window["length"]))

    assert faults


def test_an_unrelated_column_that_moves_as_a_whole_is_no_unit() -> None:
    window = draw(300, 1)

    assert judge_window(REFERENCE, window.assign(lone=window["lone"] + 12)) == ()


def test_a_category_that_is_gone_though_its_people_came_is_told() -> None:
    window = draw(1000, 1)

    (fault,) = judge_window(REFERENCE, window.assign(shape=window["shape"].replace("c", "b")))

    assert fault.startswith("shape: ")


def test_one_record_repeated_is_told() -> None:
    window = draw(300, 1)
    window.iloc[:100] = window.iloc[0]

    assert judge_window(REFERENCE, window) == ("about 33% of the rows repeat one record",)


def test_what_floats_leave_over_of_a_constant_is_no_fault() -> None:
    reference = draw(500, 0).assign(lone=[0.1 + 0.2, 0.3] * 250)
    current = draw(200, 1).assign(lone=0.3)

    assert find_faults(reference, current, PROBLEM) == ()


def test_three_rows_with_a_missing_value_are_no_fault() -> None:
    assert judge_window(REFERENCE, draw(3, 1).assign(lone=np.nan)) == ()


def test_a_long_window_is_proven_by_all_its_rows() -> None:
    window = draw(50_000, 1)
    broken = break_part(window, "lone", window["lone"] * 10, 0.2)

    assert judge_window(REFERENCE, window) == ()
    (fault,) = judge_window(REFERENCE, broken)
    assert "another unit (times 10)" in fault


def test_a_column_that_never_held_a_value_is_no_fault() -> None:
    reference, window = draw(500, 0).assign(lone=np.nan), draw(300, 1).assign(lone=np.nan)

    assert find_faults(reference, window, PROBLEM) == ()


def test_rows_that_are_alike_since_their_columns_are_gone_are_no_repeated_record() -> None:
    gone = dict.fromkeys(("length", "width", "area", "lone", "skewed"), np.nan)

    faults = judge_window(REFERENCE, draw(300, 1).assign(**gone))

    assert all("missing" in fault for fault in faults)
    assert len(faults) == 5
