"""A number has to be answered as well for every declared part, as far as its rows can tell."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.measured import Measured
from driftline.number_subgroups import check_number_subgroups
from driftline.numbers import NumberSpec
from driftline.outcome import outcome_of
from driftline.subgroups import SubgroupResult, describe_broken
from tests.support import STAY, make_problem

PROBLEM = make_problem(
    STAY, subgroups=["sex", "age >= 60"], gates=[{"metric": "test_mae", "at_most": 2.0}]
)
SPEC = NumberSpec("days", 0, 60, coverage=0.9, reach=2.0)


def people(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"sex": rng.choice(["F", "M"], rows), "age": rng.integers(18, 90, rows)})


def answered(errors: Any, seed: int = 0, weights: Any = None) -> Measured:
    y = np.random.default_rng(seed).uniform(10, 40, len(errors))
    return Measured(y, (y + errors)[:, None], SPEC, weights)


def of(results: list[SubgroupResult], part: str, metric: str) -> SubgroupResult:
    (found,) = [one for one in results if (one.subgroup, one.metric) == (part, metric)]
    return found


def test_a_part_that_is_answered_worse_than_the_gate_allows_breaks_it() -> None:
    table = people()
    errors = np.random.default_rng(1).normal(0, np.where(table["sex"] == "M", 4.0, 1.0))

    results = check_number_subgroups(PROBLEM, table, answered(errors))

    men, women = of(results, "sex == M", "mae"), of(results, "sex == F", "mae")
    assert (men.outcome, women.outcome) == ("broken", "kept")
    assert men.got == pytest.approx(np.abs(errors[table["sex"] == "M"]).mean())
    assert 2.0 < men.low < men.got < men.high
    assert of(results, "sex == M", "bias").outcome == "kept"
    (told,) = describe_broken(results)
    assert told.startswith("mae where sex == M is 2.9")


def test_a_part_that_is_always_answered_too_high_breaks_the_bias() -> None:
    table = people()
    errors = np.random.default_rng(1).normal(0, 0.5, 600) + 1.4 * (table["age"] >= 60)

    results = check_number_subgroups(PROBLEM, table, answered(errors.to_numpy()))

    old = of(results, "age >= 60", "bias")
    assert (old.outcome, old.wanted) == ("broken", "within 1 of 0")
    assert old.got == pytest.approx(1.4, abs=0.1)
    assert "bias where age >= 60 is +1." in old.description
    assert of(results, "age >= 60", "mae").outcome == "kept"


def test_a_part_of_few_rows_breaks_nothing() -> None:
    table = people().assign(age=30)
    table.loc[:5, "age"] = 70
    errors = np.where(table["age"] == 70, 9.0, 0.1)

    results = check_number_subgroups(PROBLEM, table, answered(errors))

    old = of(results, "age >= 60", "mae")
    assert (old.rows, old.outcome) == (6, "unclear")
    assert (old.low, old.high) == pytest.approx((-9.0, 9.0))
    empty = check_number_subgroups(PROBLEM, table.assign(age=30), answered(errors))
    assert of(empty, "age >= 60", "bias").rows == 0


def test_without_a_gate_the_error_is_told_and_the_bias_held_to_what_all_rows_have() -> None:
    problem = make_problem(STAY, subgroups=["sex"], gates=[])
    table = people()
    errors = np.where(table["sex"] == "M", 1.0, -1.0)

    results = check_number_subgroups(problem, table, answered(errors))

    assert of(results, "sex == M", "mae").wanted == "any size: no gate bounds it"
    assert of(results, "sex == M", "mae").outcome == "kept"
    assert of(results, "sex == M", "bias").wanted == "within 0.5 of 0"
    assert of(results, "sex == M", "bias").is_broken


@pytest.mark.slow
def test_a_fair_model_breaks_a_bound_by_chance_in_one_of_twenty_at_most() -> None:
    failed = 0
    for seed in range(200):
        errors = np.random.default_rng(seed).normal(0, 2.0 / np.sqrt(2 / np.pi), 200)
        results = check_number_subgroups(PROBLEM, people(200, seed), answered(errors, seed))
        failed += bool(describe_broken(results))

    assert failed <= 18  # 5 % of 200, and three standard errors of that


def test_weights_count_in_the_errors_of_a_part() -> None:
    table = people().assign(sex="M")
    errors = np.where(np.arange(600) % 2, 1.0, 3.0)
    weights = np.where(np.arange(600) % 2, 1.8, 0.2)

    results = check_number_subgroups(PROBLEM, table, answered(errors, weights=weights))

    assert of(results, "sex == M", "mae").got == pytest.approx(1.2)


def test_the_gate_asks_for_the_parts_of_a_number() -> None:
    table = people()

    results = outcome_of(PROBLEM).check_parts(table, answered(np.full(600, 5.0)))

    assert {one.outcome for one in results} == {"broken"}
