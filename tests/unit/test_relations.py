import numpy as np
import pandas as pd
import pytest

from driftline.problem import Problem
from driftline.relations import group_by_column, measure_relations
from tests.support import make_problem

NAMES = list("abcdef")


def problem_of(names: list[str], false_alarms: float = 0.01) -> Problem:
    return make_problem(columns={name: {} for name in names}, drift={"false_alarms": false_alarms})


def together(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Columns that hang together, some skewed, rounded or with gaps."""
    table = rng.normal(size=(rows, 1)) + rng.normal(0, 0.7, size=(rows, len(NAMES)))
    table[:, 3] = np.exp(table[:, 3])
    table[:, 4] = table[:, 4].clip(0, 3).round()
    table[rng.random(table.shape) < 0.1] = np.nan
    return pd.DataFrame(table, columns=NAMES)


def test_a_correlation_turned_round_is_seen_though_both_columns_are_as_ever() -> None:
    rng = np.random.default_rng(0)
    common, noise = rng.normal(size=2000), rng.normal(0, 0.1, size=(2, 2000))
    table = pd.DataFrame({"a": common + noise[0], "b": common + noise[1]})
    turned = table[1500:].assign(b=-table["b"][1500:])

    (change,) = measure_relations(table[:1500], turned, problem_of(["a", "b"]))

    assert change.has_changed
    assert change.before > 0.98
    assert change.now < -0.98


@pytest.mark.slow
def test_the_family_exceeds_its_noise_no_oftener_than_the_policy_says() -> None:
    """One run in ten is allowed; 100 runs show at most 20 by chance (in 999 of 1,000 cases)."""
    alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        changes = measure_relations(together(800, rng), together(150, rng), problem_of(NAMES, 0.1))
        alarms += any(change.effect > change.noise for change in changes)

    assert alarms <= 20


def test_a_column_dealt_anew_over_the_rows_is_one_finding() -> None:
    rng = np.random.default_rng(1)
    reference, current = together(1000, rng), together(400, rng)
    current["c"] = rng.permutation(current["c"].to_numpy())

    groups = group_by_column(measure_relations(reference, current, problem_of(NAMES)))

    assert [hub for hub, _ in groups] == ["c"]
    assert len(groups[0][1]) == 5


def test_categories_without_an_order_have_no_ranks() -> None:
    problem = make_problem(
        columns={
            "a": {},
            "sex": {"kind": "category", "categories": ["F", "M"]},
            "town": {"kind": "category", "categories": ["x", "y", "z"]},
        }
    )
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "a": rng.normal(size=300),
            "sex": rng.choice(["F", "M"], 300),
            "town": rng.choice(["x", "y", "z"], 300),
        }
    )

    (change,) = measure_relations(table, table, problem)

    assert change.columns == ("a", "sex")


def test_a_constant_column_and_few_rows_have_no_relations() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=100), "b": 1.0})

    assert measure_relations(table, table, problem_of(["a", "b"])) == []
    assert measure_relations(table, table.head(3), problem_of(["a", "b"])) == []
