from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from driftline.drift import ColumnChange, DriftDecision, decide_drift, measure_changes
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
    missing_bound=0.1,
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


def judge(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem, seed: int = 0
) -> DriftDecision:
    changes = measure_changes(reference, current, problem, seed=seed)
    return decide_drift(changes, problem.drift, rows=len(current))


@pytest.mark.slow
def test_random_halves_of_the_same_rows_are_ok(cancer: Problem, tumours: pd.DataFrame) -> None:
    """Thirty correlated columns, 228 rows: at least 95 of 100 such monitoring runs keep quiet."""
    verdicts = [judge(*halves(tumours, seed), cancer, seed).verdict for seed in range(20)]

    assert verdicts.count("ok") >= 19


def test_one_shifted_column_is_watched(cancer: Problem, tumours: pd.DataFrame) -> None:
    reference, current = halves(tumours, 0)
    current["mean_texture"] += tumours["mean_texture"].std()

    decision = judge(reference, current, cancer)

    assert decision.verdict == "watch"
    assert decision.reasons[0] == "1 of 30 columns changed"
    assert decision.reasons[1].startswith("mean_texture: Wasserstein / sd 1.")


def test_many_shifted_columns_call_for_retraining(cancer: Problem, tumours: pd.DataFrame) -> None:
    reference, current = halves(tumours, 0)
    current = current + tumours.std()

    decision = judge(reference, current, cancer)

    assert decision.verdict == "retrain"
    assert decision.reasons[0] == "30 of 30 columns changed"


def test_lost_values_call_for_quarantine_whatever_else_changed(
    cancer: Problem, tumours: pd.DataFrame
) -> None:
    """A broken sensor must not retrain a model."""
    reference, current = halves(tumours, 0)
    current = current + tumours.std()
    current.loc[:50, "mean_area"] = np.nan

    decision = judge(reference, current, cancer)

    assert decision.verdict == "quarantine"
    assert decision.reasons == ("mean_area: +22% more values missing",)


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

    assert judge(reference, current, problem).verdict == "ok"


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

    verdict = judge(sides["reference"], sides["current"], problem).verdict

    assert verdict == ("quarantine" if empty == "current" else "ok")


def test_an_effect_must_pass_both_the_policy_and_the_noise() -> None:
    assert replace(CHANGE, effect=0.4).has_drifted
    assert not replace(CHANGE, effect=0.2).has_drifted
    assert not replace(CHANGE, effect=0.4, noise=0.5).has_drifted


def test_few_rows_are_watched_and_not_judged() -> None:
    shifted = replace(CHANGE, effect=2.0)

    decision = decide_drift([shifted], POLICY, rows=99)

    assert decision == DriftDecision("watch", ("only 99 rows, wanted 100 to judge by",))


def test_failed_checks_of_the_data_call_for_quarantine() -> None:
    decision = decide_drift([CHANGE], POLICY, rows=500, faults=["glucose is in mmol/L"])

    assert decision == DriftDecision("quarantine", ("glucose is in mmol/L",))


@pytest.mark.parametrize(("drifted", "verdict"), [(0, "ok"), (2, "watch"), (3, "retrain")])
def test_the_share_of_changed_columns_decides(drifted: int, verdict: str) -> None:
    changes = [replace(CHANGE, effect=1.0)] * drifted + [CHANGE] * (10 - drifted)

    assert decide_drift(changes, POLICY, rows=500).verdict == verdict


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
