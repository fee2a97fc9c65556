import numpy as np
import pandas as pd
import pytest

from driftline.faults import find_faults, share_fault
from driftline.problem import Problem
from driftline.reference import fit_reference, judge_window
from tests.benchmarks.decisions import streams
from tests.support import make_problem

PROBLEM = make_problem(
    columns={
        "weight": {"range": [0, 10_000], "missing": "allow"},
        "visits": {"kind": "integer", "range": [0, 100]},
    }
)


def rows(count: int = 300, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"weight": rng.normal(70, 9, count), "visits": rng.poisson(4, count).astype(float)}
    )


def test_ordinary_rows_have_no_fault() -> None:
    for seed in range(1, 30):
        assert find_faults(rows(), rows(100, seed=seed), PROBLEM) == ()


@pytest.mark.parametrize("factor", [1000, 2.2 * 2.2, 1 / 6.35])
def test_another_unit_is_told_with_its_factor(factor: float) -> None:
    current = rows(seed=1)
    current["weight"] *= factor

    (fault,) = find_faults(rows(), current, PROBLEM)

    assert fault.startswith("weight: looks like another unit")
    assert float(fault.split("times ")[1].rstrip(")")) == pytest.approx(factor, rel=0.1)


def test_a_shift_of_people_is_no_unit() -> None:
    current = rows(seed=1)
    current["weight"] += 12

    assert find_faults(rows(), current, PROBLEM) == ()


def test_an_offset_that_no_change_of_people_explains_is_told_with_its_size() -> None:
    current = rows(seed=1)
    current["weight"] += 20

    (fault,) = find_faults(rows(), current, PROBLEM)

    assert fault.startswith("weight: all rows have moved by +")
    assert float(fault.split("by ")[1].split(",")[0]) == pytest.approx(20, abs=2)


def test_a_stuck_column_is_told() -> None:
    assert find_faults(rows(), rows(seed=1).assign(visits=3.0), PROBLEM) == (
        "visits: stuck at one value",
    )


def test_values_gone_missing_are_told() -> None:
    current = rows(seed=1)
    current.loc[:100, "weight"] = np.nan

    (fault,) = find_faults(rows(), current, PROBLEM)

    assert fault == "weight: +34% more values missing"


def test_a_share_of_broken_rows_counts_from_the_problems_limit_on() -> None:
    most = round(100 * PROBLEM.max_quarantined_share)

    assert share_fault(most, 100, PROBLEM, ["weight: missing"]) is None
    assert share_fault(most + 1, 100, PROBLEM, ["weight: missing"]) == (
        f"{most + 1} of 100 rows fail their checks: weight: missing"
    )


def test_a_skewed_column_that_shrinks_a_thousand_times_is_another_unit() -> None:
    """Its median can fall by no more than a fraction of its deviation, which the tail makes."""
    rng = np.random.default_rng(0)
    reference = rows().assign(weight=rng.lognormal(3, 1, 300))
    current = rows(seed=1).assign(weight=rng.lognormal(3, 1, 300) / 1000)

    (fault,) = find_faults(reference, current, PROBLEM)

    assert fault.startswith("weight: looks like another unit (times 0.001")


@pytest.mark.slow
def test_few_rows_lose_values_by_chance() -> None:
    """50 rows of a column of which a quarter is missing: +11 % more is nothing to tell of."""
    told = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        reference, current = rows(400, seed=seed), rows(50, seed=seed + 1000)
        reference.loc[rng.random(400) < 0.25, "weight"] = np.nan
        current.loc[rng.random(50) < 0.25, "weight"] = np.nan
        told += bool(find_faults(reference, current, PROBLEM))

    assert told <= 1


def test_many_lost_values_are_told_even_of_few_rows() -> None:
    reference, current = rows(), rows(50, seed=1)
    current.loc[:19, "weight"] = np.nan

    assert find_faults(reference, current, PROBLEM) == ("weight: +40% more values missing",)


def cut_pima(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, Problem]:
    """The real table, parted into a reference and the rest."""
    table = streams._pima()
    stream = streams.cut_stream(table, np.random.default_rng(seed))
    return stream.reference, stream.pool, table.problem


@pytest.mark.slow
def test_few_rows_of_a_real_table_have_no_fault() -> None:
    reference, pool, problem = cut_pima(0)
    fitted = fit_reference(reference, problem)

    told = [judge_window(fitted, pool.sample(50, random_state=seed)) for seed in range(100)]

    assert not any(told)


def test_swapped_columns_of_a_real_table_are_told() -> None:
    reference, pool, problem = cut_pima(0)
    glucose, pressure = pool["PlasmaGlucose"], pool["DiastolicBloodPressure"]
    swapped = pool.assign(PlasmaGlucose=pressure, DiastolicBloodPressure=glucose)

    faults = find_faults(reference, swapped, problem)

    assert [fault.split(":")[0] for fault in faults] == ["PlasmaGlucose", "DiastolicBloodPressure"]


def test_a_factor_is_told_by_the_grid_it_leaves() -> None:
    reference, pool, problem = cut_pima(0)

    (fault,) = find_faults(reference, pool.assign(BMI=pool["BMI"] * 1.42), problem)

    assert fault.startswith("BMI: ")
    assert fault.endswith("another unit (times 1.42)")
