import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import DataError, ValidationFailedError
from driftline.problem import Problem
from driftline.quarantine import check_share, check_trainable, separate
from tests.support import tiny_rows


@given(
    rows=st.integers(1, 30),
    faults=st.dictionaries(st.integers(0, 29), st.just(("age: missing",)), max_size=10),
)
def test_every_row_is_either_kept_or_quarantined(
    rows: int, faults: dict[int, tuple[str, ...]]
) -> None:
    table = pd.DataFrame({"number": range(rows)})
    faults = {row: reasons for row, reasons in faults.items() if row < rows}

    separated = separate(table, faults)

    assert sorted([*separated.kept["number"], *separated.quarantined["number"]]) == list(
        range(rows)
    )
    assert set(separated.quarantined["number"]) == set(faults)
    assert separated.kept.index.tolist() == list(range(rows - len(faults)))


def test_a_quarantined_row_carries_its_reasons() -> None:
    table = pd.DataFrame({"number": [10, 20, 30]})

    separated = separate(table, {2: ("age: missing", "sex: odd"), 1: ("age: missing",)})

    assert separated.quarantined["reasons"].tolist() == ["age: missing", "age: missing; sex: odd"]
    assert separated.reasons == {"age: missing": 2, "sex: odd": 1}


@pytest.mark.parametrize(("bad", "is_too_many"), [(47, False), (48, False), (49, True)])
def test_too_many_quarantined_rows_end_the_run(
    problem: Problem, bad: int, is_too_many: bool
) -> None:
    """The limit of the tiny problem is a fifth; exactly a fifth is not yet more than it."""
    separated = separate(tiny_rows(240), dict.fromkeys(range(bad), ("age: missing",)))

    if is_too_many:
        with pytest.raises(ValidationFailedError) as raised:
            check_share(separated, problem, source="rows.csv")
        assert str(raised.value) == (
            "rows.csv: 49 of 240 rows (20.4%) fail their checks, wanted at most 20.0% "
            "(max_quarantined_share): age: missing (49 rows)"
        )
    else:
        check_share(separated, problem, source="rows.csv")


def outcomes(well: int, ill: int) -> pd.DataFrame:
    return pd.DataFrame({"outcome": ["well"] * well + ["ill"] * ill})


def test_one_class_only_is_refused(problem: Problem) -> None:
    with pytest.raises(DataError) as raised:
        check_trainable(outcomes(50, 0), problem, folds=3, source="rows.csv")

    assert str(raised.value) == (
        "rows.csv: column 'outcome': got only well, wanted rows of every class (well, ill)"
    )


def test_a_class_with_fewer_rows_than_folds_is_refused(problem: Problem) -> None:
    with pytest.raises(DataError) as raised:
        check_trainable(outcomes(50, 3), problem, folds=3, source="rows.csv")

    assert str(raised.value) == (
        "rows.csv: column 'outcome': got 3 rows of class 'ill', wanted at least 4 for 3 folds "
        "and a test set (--folds lowers it)"
    )


def test_one_row_more_than_folds_in_each_class_is_enough(problem: Problem) -> None:
    check_trainable(outcomes(50, 4), problem, folds=3, source="rows.csv")
