from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from driftline.drift import ColumnChange, measure_answers, measure_changes
from driftline.problem import DriftPolicy, Problem, parse_problem
from tests.support import ROOT, make_problem, tiny_rows

POLICY = DriftPolicy()
CHANGE = ColumnChange(
    column="age",
    measure="Wasserstein / sd",
    effect=0.1,
    bound=0.3,
    noise=0.05,
    missing=0.0,
)


@pytest.fixture(scope="module")
def cancer() -> Problem:
    file = "data/problems/breast_cancer.yaml"
    return parse_problem((ROOT / file).read_text("utf-8"), name="breast_cancer", file=file)


@pytest.fixture(scope="module")
def tumours(cancer: Problem) -> pd.DataFrame:
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).data
    return table.set_axis([name.replace(" ", "_") for name in table.columns], axis=1)[
        list(cancer.columns)
    ]


def halves(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    order = np.random.default_rng(seed).permutation(len(table))
    cut = int(0.6 * len(table))
    return table.iloc[order[:cut]], table.iloc[order[cut:]].reset_index(drop=True)


def drifted(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem, seed: int = 0
) -> list[str]:
    changes = measure_changes(reference, current, problem, seed=seed)
    return [change.column for change in changes if change.has_drifted]


def mixed_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Normal, skewed, counted and categorical columns."""
    return pd.DataFrame(
        {
            "plain": rng.normal(100, 3, rows),
            "skewed": rng.lognormal(0, 1.5, rows),
            "counted": rng.poisson(1.0, rows).astype(float),
            "kind": rng.choice(list("abcde"), rows, p=[0.6, 0.2, 0.1, 0.08, 0.02]),
        }
    )


MIXED = make_problem(
    columns={
        "plain": {},
        "skewed": {},
        "counted": {},
        "kind": {"kind": "category", "categories": list("abcde")},
    }
)


@pytest.mark.slow
def test_random_halves_of_the_same_rows_are_ok(cancer: Problem, tumours: pd.DataFrame) -> None:
    """Thirty columns that hang together, 228 rows."""
    quiet = [not drifted(*halves(tumours, seed), cancer, seed) for seed in range(8)]

    assert sum(quiet) >= 7


@pytest.mark.slow
@pytest.mark.parametrize(("before", "now"), [(300, 30), (400, 400)])
def test_the_family_exceeds_its_noise_as_often_as_the_policy_says(before: int, now: int) -> None:
    """One run in ten is allowed; 100 runs show at most 20 by chance (in 999 of 1,000 cases)."""
    policy = MIXED.drift.model_copy(update={"false_alarms": 0.1})
    problem = MIXED.model_copy(update={"drift": policy})
    alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        changes = measure_changes(mixed_rows(before, rng), mixed_rows(now, rng), problem, seed=seed)
        alarms += any(change.effect > change.noise for change in changes)

    assert 2 <= alarms <= 20


def test_one_shifted_column_has_drifted(cancer: Problem, tumours: pd.DataFrame) -> None:
    reference, current = halves(tumours, 0)
    current["mean_texture"] += tumours["mean_texture"].std()

    assert drifted(reference, current, cancer) == ["mean_texture"]


def test_every_row_counts_however_many() -> None:
    """The rows that differ are one in 50, and in a corner: a sample of 5,000 shows them too few."""
    problem = make_problem(columns={"level": {}})
    rng = np.random.default_rng(0)
    reference = pd.DataFrame({"level": rng.normal(0, 1, 300_000)})
    current = pd.DataFrame({"level": rng.normal(0, 1, 300_000)})
    current.iloc[-6_000:] += 3

    (change,) = measure_changes(reference, current, problem, seed=0)

    assert change.effect == pytest.approx(0.06, abs=0.01)
    assert change.noise < 0.02


def test_a_shift_of_one_deviation_has_an_effect_of_one() -> None:
    problem = make_problem(columns={"level": {}})
    reference = pd.DataFrame({"level": np.random.default_rng(0).normal(5, 3, 4000)})
    current = reference + 3

    (change,) = measure_changes(reference, current, problem, seed=0)

    assert change.effect == pytest.approx(1, rel=0.02)


def test_a_categorys_effect_is_the_share_of_rows_that_moved() -> None:
    problem = make_problem(columns={"sex": {"kind": "category", "categories": ["F", "M"]}})
    reference = pd.DataFrame({"sex": ["F"] * 300 + ["M"] * 300})
    current = pd.DataFrame({"sex": ["F"] * 180 + ["M"] * 420})

    (change,) = measure_changes(reference, current, problem, seed=0)

    assert change.measure == "total variation"
    assert change.effect == pytest.approx(0.2)
    assert change.has_drifted


def test_a_category_never_seen_before_is_a_change() -> None:
    problem = make_problem(columns={"sex": {"kind": "category", "categories": ["F", "M"]}})
    reference = pd.DataFrame({"sex": ["F"] * 300})
    current = pd.DataFrame({"sex": ["F"] * 150 + ["X"] * 150})

    (change,) = measure_changes(reference, current, problem, seed=0)

    assert change.effect == pytest.approx(0.5)


def test_a_large_table_is_not_flagged_for_a_trifle() -> None:
    """At 40,000 rows a shift of 0.05 deviations is significant, and means nothing."""
    problem = make_problem(columns={"level": {}})
    rng = np.random.default_rng(0)
    reference = pd.DataFrame({"level": rng.normal(0, 1, 40_000)})
    current = pd.DataFrame({"level": rng.normal(0.05, 1, 40_000)})

    assert drifted(reference, current, problem) == []


def test_a_column_stuck_at_one_value_is_a_change() -> None:
    problem = make_problem(columns={"level": {}})
    reference = pd.DataFrame({"level": np.full(200, 5.0)})
    current = pd.DataFrame({"level": np.full(200, 9.0)})

    (change,) = measure_changes(reference, current, problem, seed=0)

    assert change.effect >= POLICY.numeric_effect


@pytest.mark.parametrize("empty", ["reference", "current"])
def test_a_column_without_values_on_one_side_is_measured_by_what_is_missing(empty: str) -> None:
    problem = make_problem()
    sides = {"reference": tiny_rows(150, 0), "current": tiny_rows(150, 1)}
    sides[empty] = sides[empty].assign(level=np.nan)

    changes = measure_changes(sides["reference"], sides["current"], problem, seed=0)

    level = next(change for change in changes if change.column == "level")
    assert not level.has_drifted
    assert (level.missing > 0.9) == (empty == "current")


def test_an_effect_must_pass_both_the_policy_and_the_noise() -> None:
    assert replace(CHANGE, effect=0.4).has_drifted
    assert not replace(CHANGE, effect=0.2).has_drifted
    assert not replace(CHANGE, effect=0.4, noise=0.5).has_drifted


def test_the_same_rows_and_seed_give_the_same_evidence(problem: Problem) -> None:
    reference, current = tiny_rows(150, 0), tiny_rows(150, 1)

    assert measure_changes(reference, current, problem, seed=3) == measure_changes(
        reference, current, problem, seed=3
    )


def test_a_constant_column_has_no_deviation_to_divide_by() -> None:
    """The deviation of equal floats may be 5.6e-17, and a change of 1e-9 is none."""
    table = pd.DataFrame({"a": np.full(300, 0.1) + 0.0, "b": np.arange(300.0)})
    problem = make_problem(columns={"a": {"range": [0, 1]}, "b": {"range": [0, 1000]}})

    changes = measure_changes(table, table.assign(a=0.1 + 1e-12), problem, seed=0)

    assert max(change.effect for change in changes) < 1e-6


def test_a_deviation_is_found_far_from_zero() -> None:
    """The squares of a hundred million leave little of a deviation of one."""
    problem = make_problem(columns={"level": {}})
    reference = pd.DataFrame({"level": 1e8 + np.random.default_rng(0).normal(0, 1, 4000)})

    (change,) = measure_changes(reference, reference + 1, problem, seed=0)

    assert change.effect == pytest.approx(1, rel=0.02)


def test_answers_are_compared_by_the_probability_of_each_class() -> None:
    rng = np.random.default_rng(0)
    before, now = rng.beta(2, 5, 2000), rng.beta(5, 2, 500)

    (change,) = measure_answers(
        np.column_stack([1 - before, before]),
        np.column_stack([1 - now, now]),
        ["well", "ill"],
        POLICY,
        seed=0,
    )

    assert change.column == "ill"
    assert change.has_drifted


@pytest.mark.parametrize(("then", "now", "has_drifted"), [(0.45, 0.46, False), (0.01, 0.02, True)])
def test_probabilities_that_hardly_vary_are_measured_by_the_outcomes_own_deviation(
    then: float, now: float, has_drifted: bool
) -> None:
    """A hundredth more is nothing where every other person is ill, and much where hardly one is."""
    before, after = (np.linspace(low, low + 0.005, 400) for low in (then, now))

    (change,) = measure_answers(
        np.c_[1 - before, before], np.c_[1 - after, after], ["well", "ill"], POLICY, seed=0
    )

    rate = before.mean()
    assert change.effect == pytest.approx(0.01 / (0.1 * np.sqrt(rate * (1 - rate))), rel=0.05)
    assert change.has_drifted == has_drifted
