"""What differs between two snapshots: rows, columns, and how the values of each column lie.

Tells a column by its mean, deviation and shares, and never by the value of a single row.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from driftline.digests import BESIDE, digest_rows

MOST_SHARES = 3  # categories that are told of a column


@dataclass(frozen=True)
class Change:
    """How a column's values lie in either table; empty where a table has no such column."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Differences:
    """Rows by their content in the columns that both have, and each column."""

    added: int
    removed: int
    kept: int
    new_columns: tuple[str, ...]
    lost_columns: tuple[str, ...]
    changes: tuple[Change, ...]


def compare_tables(before: pd.DataFrame, after: pd.DataFrame) -> Differences:
    """What differs from `before` to `after`; a row that stands twice counts twice."""
    olds, news = columns_of(before), columns_of(after)
    common = [name for name in olds if name in news]
    had, has = (Counter(digest_rows(table[common])) for table in (before, after))
    return Differences(
        added=(has - had).total(),
        removed=(had - has).total(),
        kept=(had & has).total(),
        new_columns=tuple(name for name in news if name not in olds),
        lost_columns=tuple(name for name in olds if name not in news),
        changes=tuple(
            Change(name, _describe_if_there(before, name), _describe_if_there(after, name))
            for name in dict.fromkeys([*olds, *news])
        ),
    )


def columns_of(table: pd.DataFrame) -> list[str]:
    """The columns but for the mark of a group and the weight."""
    return [str(name) for name in table.columns if name not in BESIDE]


def _describe_if_there(table: pd.DataFrame, name: str) -> str:
    return describe_column(table[name]) if name in table else ""


def describe_column(values: pd.Series) -> str:
    """How a column's values lie, in a few words."""
    known = values.dropna()
    missing = 1 - len(known) / len(values) if len(values) else 0.0
    parts = _describe_numbers(known) if _is_measured(values) else _describe_shares(known)
    return ", ".join([*parts, *([f"{missing:.1%} missing"] if missing else [])]) or "no rows"


def _is_measured(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _describe_numbers(known: pd.Series) -> Sequence[str]:
    if not len(known):
        return []
    return [f"mean {known.mean():.4g}", f"deviation {known.std(ddof=0):.4g}"]


def _describe_shares(known: pd.Series) -> Sequence[str]:
    shares = known.astype(str).value_counts(normalize=True)
    told = [f"{level} {share:.1%}" for level, share in shares.head(MOST_SHARES).items()]
    others = len(shares) - MOST_SHARES
    return [*told, f"{others} others"] if others > 0 else told
