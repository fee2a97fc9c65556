import numpy as np
import pytest

from driftline.joint import JointChange, measure_joint

OWNERS = ["a", "b", "c", "c", "c"]


def rows(count: int, rng: np.random.Generator) -> np.ndarray:
    """Two columns that go together, and a category of three as elements."""
    common = rng.normal(size=(count, 1))
    pair = common + rng.normal(0, 0.3, size=(count, 2))
    return np.hstack([pair, np.eye(3)[rng.integers(0, 3, count)]])


def measure(before: np.ndarray, now: np.ndarray, *, false_alarms: float = 0.01) -> JointChange:
    change = measure_joint(before, now, OWNERS, effect=0.15, false_alarms=false_alarms, seed=0)
    assert change is not None
    return change


def test_a_broken_relation_is_told_with_its_columns_and_its_rows() -> None:
    rng = np.random.default_rng(0)
    before, now = rows(600, rng), rows(300, rng)
    now[:, 1] *= -1

    change = measure(before, now)

    assert change.has_changed
    assert set(change.columns[:2]) == {"a", "b"}
    assert (change.reference_rows, change.current_rows) == (600, 300)


@pytest.mark.slow
def test_rows_of_the_same_kind_are_told_apart_no_oftener_than_allowed() -> None:
    """One run in ten is allowed; 30 runs show at most 9 by chance (in 999 of 1,000 cases)."""
    alarms = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        change = measure(rows(300, rng), rows(120, rng), false_alarms=0.1)
        alarms += change.area > change.noise

    assert alarms <= 9


def test_too_few_rows_are_not_told_apart() -> None:
    few = rows(10, np.random.default_rng(0))

    assert measure_joint(few, few, OWNERS, effect=0.1, false_alarms=0.01, seed=0) is None
