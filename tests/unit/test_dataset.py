import numpy as np
import pandas as pd
import pytest

from driftline.dataset import Plan, draft_contract, encode_target, make_plan, split_dataset
from driftline.digests import digest_rows
from driftline.errors import DataError
from driftline.problem import Problem
from tests.support import MOODS, make_problem, mood_rows, tiny_rows


def plan_of(problem: Problem, *, rows: int = 240, folds: int = 10, smoke: bool = False) -> Plan:
    return make_plan(
        problem, rows=rows, folds=folds, repeats=None, test_size=0.25, seed=0, is_smoke=smoke
    )


def named_rows(rows: int = 240) -> pd.DataFrame:
    """Rows as a snapshot holds them: the target by the names of its classes."""
    table = tiny_rows(rows)
    return table.assign(outcome=table["outcome"].map({0: "well", 1: "ill"}))


def test_a_smoke_plan_is_small_whatever_was_asked_for() -> None:
    problem = make_problem(search={"trials": 50})

    plan = plan_of(problem, folds=10, smoke=True)

    assert (plan.folds, plan.repeats, plan.is_smoke) == (3, 1, True)
    assert plan.trials <= 2


def test_a_smoke_plan_does_not_raise_what_was_asked_for(problem: Problem) -> None:
    plan = plan_of(problem, folds=2, smoke=True)

    assert (plan.folds, plan.trials) == (2, 0)


def test_a_full_plan_repeats_small_tables_only(problem: Problem) -> None:
    assert plan_of(problem, rows=240).repeats == 3
    assert plan_of(problem, rows=15_000).repeats == 1


def test_more_folds_than_rows_are_refused(problem: Problem) -> None:
    with pytest.raises(DataError) as raised:
        plan_of(problem, rows=8, folds=9)

    assert str(raised.value) == ("--folds: got 9 folds for 8 rows, wanted fewer folds than rows")


def test_a_smoke_run_takes_a_fifth_of_the_rows(problem: Problem) -> None:
    table = named_rows()

    dataset = split_dataset(table, digest_rows(table), problem, plan_of(problem, smoke=True))

    taken = len(dataset.data.y_train) + len(dataset.data.y_test)
    assert taken == pytest.approx(0.2 * len(table), abs=1)
    assert set(dataset.data.y_train) == set(dataset.data.y_test) == {0, 1}


def test_rows_digests_and_classes_stay_together(problem: Problem) -> None:
    table = named_rows()

    dataset = split_dataset(table, digest_rows(table), problem, plan_of(problem))

    assert list(dataset.test_digests) == digest_rows(dataset.test_table)
    np.testing.assert_array_equal(encode_target(dataset.test_table, problem), dataset.data.y_test)
    np.testing.assert_array_equal(
        draft_contract(problem).encode_table(
            dataset.test_table.drop(columns="outcome").to_dict(orient="records")
        ),
        dataset.data.X_test,
    )
    assert len(dataset.train_digests) == len(dataset.data.X_train)
    assert not set(dataset.train_digests) & set(dataset.test_digests)


def test_a_class_with_too_few_rows_for_the_folds_is_refused(problem: Problem) -> None:
    table = named_rows(60)
    few = pd.concat([table[table["outcome"] == "well"], table[table["outcome"] == "ill"].head(5)])
    few = few.reset_index(drop=True)

    with pytest.raises(DataError, match="got 5 rows of class 'ill', wanted at least 11 for 10"):
        split_dataset(few, digest_rows(few), problem, plan_of(problem))


def test_rows_that_coincide_do_not_make_test_rows_unlike_training_rows() -> None:
    """In a table of few categories rows coincide; their labels must not decide their side.

    If every (record, label) pair stands on one side whole, the common label of a record is absent
    from training wherever it is tested, and every model scores worse than by guessing.
    """
    codes = [f"code {i}" for i in range(20)]
    problem = make_problem(columns={"code": {"kind": "category", "categories": codes}})
    rng = np.random.default_rng(0)
    code = rng.integers(0, 20, 2000)
    is_usual = rng.random(2000) < 0.9
    outcome = np.where((code < 10) == is_usual, "well", "ill")
    table = pd.DataFrame({"code": np.array(codes)[code], "outcome": outcome})

    data = split_dataset(table, digest_rows(table), problem, plan_of(problem)).data

    right = [
        np.bincount(data.y_train[(data.X_train == row).all(axis=1)], minlength=2).argmax() == label
        for row, label in zip(data.X_test, data.y_test, strict=True)
    ]
    assert np.mean(right) > 0.8


def test_a_column_with_hardly_a_value_is_refused(problem: Problem) -> None:
    """Its few values may all lie in one fold, and no candidate learns from a column of none."""
    table = named_rows()
    table.loc[5:, "level"] = np.nan

    with pytest.raises(DataError, match=r"training rows: column 'level': got [0-5] usable values"):
        split_dataset(table, digest_rows(table), problem, plan_of(problem))


def test_class_indices_follow_the_problems_order() -> None:
    moods = make_problem(MOODS, name="moods")
    table = mood_rows(50)

    y = encode_target(table, moods)

    assert [moods.classes[i] for i in y] == table["mood"].tolist()


def test_the_draft_contract_says_what_the_problem_file_says(problem: Problem) -> None:
    contract = draft_contract(problem, snapshot="abc")

    age, level, sex = contract.fields
    assert (age.kind, age.low, age.high, age.allow_missing) == ("integer", 0, 120, False)
    assert (level.allow_missing, level.missing_codes) == (True, ("-9",))
    assert sex.categories == ("F", "M")
    assert (contract.classes, contract.positive) == (("well", "ill"), (1,))
    assert contract.threshold is None
    assert contract.snapshot == "abc"
