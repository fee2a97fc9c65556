"""Rows that belong together stand on one side of every split."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cleaning import clean
from driftline.dataset import make_plan, split_dataset
from driftline.digests import GROUP, digest_rows, digest_table
from driftline.errors import DataError, ProblemError
from driftline.evaluation import make_folds
from driftline.groups import groups_of, mark_groups, split_groups
from driftline.problem import Problem
from tests.support import make_problem, tiny_rows

PROBLEM = make_problem(ignored=["patient"], group="patient")
NAMES = [f"p{i // 4:03}" for i in range(240)]


def cleaned(problem: Problem = PROBLEM, patients: list[str] | None = None) -> pd.DataFrame:
    raw = tiny_rows().assign(patient=NAMES if patients is None else patients)
    return clean(raw, problem, source="t", with_target=True).table


@given(
    sizes=st.lists(st.integers(1, 9), min_size=20, max_size=60),
    share=st.floats(0.1, 0.6),
    seed=st.integers(0, 5),
)
def test_no_group_is_on_both_sides(sizes: list[int], share: float, seed: int) -> None:
    groups = [f"g{i}" for i, size in enumerate(sizes) for _ in range(size)]

    train, test = split_groups(groups, test_size=share, seed=seed)

    assert sorted([*train, *test]) == list(range(len(groups)))
    assert {groups[i] for i in train}.isdisjoint({groups[i] for i in test})
    assert 0 < len(test) <= max(share * len(groups), *sizes)


def test_a_group_stays_on_its_side_when_other_groups_come() -> None:
    groups = [f"g{i}" for i in range(100)]
    later = [f"h{i}" for i in range(100)]

    _, test = split_groups(groups, test_size=0.3, seed=0)
    _, again = split_groups(groups + later, test_size=0.3, seed=0)

    first, second = {groups[i] for i in test}, {(groups + later)[i] for i in again}
    assert len(first - second) <= 10


def test_a_dataset_and_its_folds_keep_patients_together() -> None:
    table = cleaned()
    plan = make_plan(PROBLEM, rows=240, folds=3, repeats=1, test_size=0.25, seed=0, is_smoke=False)

    dataset = split_dataset(table, digest_rows(table), PROBLEM, plan)

    assert dataset.groups is not None
    assert set(dataset.groups).isdisjoint(set(groups_of(dataset.test_table, PROBLEM) or ()))
    y = PROBLEM.target.strata(dataset.data.y_train)
    for fit, held in make_folds(y, folds=3, repeats=1, seed=0, groups=dataset.groups)[0]:
        assert {dataset.groups[i] for i in fit}.isdisjoint({dataset.groups[i] for i in held})


def test_a_snapshot_holds_marks_and_no_names() -> None:
    table = cleaned()

    marks = table[GROUP]

    assert marks.nunique() == 60
    assert not set(NAMES) & set(marks)
    assert mark_groups(["p001", " p001", "", None], PROBLEM).tolist() == [
        *[mark_groups(["p001"], PROBLEM)[0]] * 2,
        None,
        None,
    ]


def test_rows_are_the_same_rows_with_their_group_or_without() -> None:
    table = cleaned()

    assert digest_rows(table) == digest_rows(table.drop(columns=GROUP))
    assert digest_table(table) != digest_table(table.drop(columns=GROUP))
    assert digest_table(table) != digest_table(cleaned(patients=NAMES[::-1]))


def test_a_row_without_a_group_is_its_own() -> None:
    table = cleaned(patients=["", "p1", "", *NAMES[3:]])

    groups = groups_of(table, PROBLEM)

    assert groups is not None
    assert groups[0] != groups[2]


def test_rows_whose_source_had_no_groups_are_refused_where_they_are_split() -> None:
    table = clean(tiny_rows(), PROBLEM, source="t", with_target=True).table

    with pytest.raises(DataError, match=r"group: the snapshot does not know its rows' 'patient'"):
        groups_of(table, PROBLEM)


@pytest.mark.parametrize(
    ("patients", "why"),
    [
        ([f"p{i % 8}" for i in range(240)], "group: got 8 groups, wanted at least 20"),
        (None, "group: some class has no test row"),
    ],
)
def test_groups_that_cannot_be_split_are_told(patients: list[str] | None, why: str) -> None:
    table = cleaned(patients=patients)
    if patients is None:  # one patient has all rows of one class
        is_ill = table["outcome"] == "ill"
        table[GROUP] = np.where(is_ill, "x", [f"g{i}" for i in range(240)])
    plan = make_plan(PROBLEM, rows=240, folds=3, repeats=1, test_size=0.25, seed=0, is_smoke=False)

    with pytest.raises(DataError, match=why):
        split_dataset(table, digest_rows(table), PROBLEM, plan)


def test_what_groups_go_by_is_a_column_that_no_model_sees() -> None:
    with pytest.raises(ProblemError, match="group: got 'age', wanted one of `ignored`"):
        make_problem(group="age")
