import pandas as pd
import pytest

from driftline.drift_policy import DriftPolicy
from driftline.lately import fill_up, rows_lacking

POLICY = DriftPolicy(min_rows=100)


def rows(first: int, count: int) -> pd.DataFrame:
    return pd.DataFrame({"place": range(first, first + count)})


@pytest.mark.parametrize(("came", "lacking"), [(49, 0), (50, 50), (99, 1), (100, 0), (2000, 0)])
def test_a_window_is_filled_up_from_half_of_what_it_wants_on(came: int, lacking: int) -> None:
    assert rows_lacking(came, POLICY) == lacking


def test_the_latest_rows_fill_it_up_in_their_order() -> None:
    filled = fill_up(rows(500, 60), rows(0, 500), POLICY)

    assert filled["place"].tolist() == list(range(460, 560))
    assert filled.index.tolist() == list(range(100))


def test_too_few_rows_before_leave_it_to_wait() -> None:
    current = rows(30, 60)

    assert fill_up(current, rows(0, 30), POLICY) is current
