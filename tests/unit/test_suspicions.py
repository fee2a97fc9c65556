import numpy as np
import pandas as pd
import pytest

from driftline.marginals import NumberColumn, model_column
from driftline.suspicions import suspect_column, suspect_tails

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=4000)


def strongest(reference: np.ndarray, window: np.ndarray) -> dict[str, float]:
    """The most evidence of each kind."""
    column = model_column("x", pd.Series(reference), is_category=False)
    found: dict[str, float] = {}
    for each in suspect_column(column, window, column.encode(window), 1.0):
        found[each.kind] = max(each.evidence, found.get(each.kind, 0.0))
    return found


def test_rows_of_the_reference_show_nothing() -> None:
    for seed in range(50):
        window = np.random.default_rng(seed).normal(size=200)

        assert max(strongest(NORMAL, window).values()) < 3


def test_each_fault_shows_in_its_own_way() -> None:
    window = np.random.default_rng(1).normal(size=200)
    part = np.arange(200) < 60

    assert strongest(NORMAL, np.where(part, 9.0, window))["foreign"] > 20
    assert strongest(NORMAL, np.where(part, 0.123, window))["stuck"] > 20
    assert strongest(NORMAL, np.where(part, np.round(window), window))["rounded"] > 20
    assert strongest(NORMAL, np.where(part, np.nan, window))["missing"] > 20


def test_a_third_of_the_people_may_be_all_that_come() -> None:
    column = model_column("x", pd.Series(NORMAL), is_category=False)
    assert isinstance(column, NumberColumn)
    upper = np.sort(NORMAL)[-len(NORMAL) // 3 :]
    counts = np.bincount(column.encode(upper), minlength=len(column.counts)).astype(float)

    assert max(each.evidence for each in suspect_tails(column, counts, 1.0)) < 3


def suspect_levels(reference: dict[str, int], window: list[str]) -> float:
    values = np.repeat(list(reference), list(reference.values())).astype(object)
    column = model_column("x", pd.Series(values), is_category=True)
    codes = column.encode(pd.Series(window, dtype=object))
    found = suspect_column(column, None, codes, 1.0)
    return max(each.evidence for each in found if each.kind == "level")


@pytest.mark.parametrize("rows", [100, 400, 2000])
def test_a_batch_of_one_category_of_many_people_is_no_fault(rows: int) -> None:
    """As one clinic's rows are, sent by themselves."""
    clinics = {"a": 1500, "b": 900, "c": 600}

    assert suspect_levels(clinics, ["c"] * rows) < 1
    assert suspect_levels({"F": 1500, "M": 1500}, ["F"] * rows) < 1
    assert suspect_levels({"no": 2900, "yes": 100}, ["no"] * rows) < 1
    assert suspect_levels({"no": 2990, "yes": 10}, ["yes"] * rows) > 7
