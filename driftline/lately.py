"""Rows that came lately: what a window that is too small to be judged is filled up with.

Rows that wait until there are enough of them hide a change that began among them behind those that
came before it, and leave the next small window to wait again.
"""

import pandas as pd

from driftline.problem import DriftPolicy


def rows_lacking(rows: int, policy: DriftPolicy) -> int:
    """How many rows of before a window of so many takes in; 0 where it waits, or is large enough.

    From half of `min_rows` on it is filled up, so that a row is judged twice at the most.
    """
    is_small = policy.min_rows / 2 <= rows < policy.min_rows
    return policy.min_rows - rows if is_small else 0


def fill_up(current: pd.DataFrame, earlier: pd.DataFrame, policy: DriftPolicy) -> pd.DataFrame:
    """The current rows behind the latest of the earlier ones; alone where those are too few."""
    lacking = rows_lacking(len(current), policy)
    if not lacking or len(earlier) < lacking:
        return current
    return pd.concat([earlier.tail(lacking), current], ignore_index=True)
