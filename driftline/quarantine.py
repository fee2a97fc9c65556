"""Which rows go on and which are set aside, and when too many are set aside to go on at all."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from driftline.errors import DataError, ValidationFailedError
from driftline.problem import Problem
from driftline.verdicts import name_of

REASONS_SHOWN = 5


@dataclass(frozen=True)
class Separated:
    """`kept` rows go on; `quarantined` rows carry a last column `reasons`."""

    kept: pd.DataFrame
    quarantined: pd.DataFrame
    reasons: dict[str, int]


def separate(table: pd.DataFrame, faults: Mapping[int, tuple[str, ...]]) -> Separated:
    """Part the rows: those with a fault, with their reasons, from those without."""
    rows = sorted(faults)
    is_kept = ~table.index.isin(rows)
    quarantined = table.iloc[rows].assign(reasons=["; ".join(faults[row]) for row in rows])
    counts = Counter(reason for row in rows for reason in faults[row])
    return Separated(
        kept=table.loc[is_kept].reset_index(drop=True),
        quarantined=quarantined,
        reasons=dict(counts.most_common()),
    )


def check_share(separated: Separated, problem: Problem, *, source: str) -> None:
    """Raise `ValidationFailedError` when more rows were set aside than the problem allows."""
    bad = len(separated.quarantined)
    total = bad + len(separated.kept)
    if bad > problem.max_quarantined_share * total:
        worst = list(separated.reasons.items())[:REASONS_SHOWN]
        named = "; ".join(f"{reason} ({count} rows)" for reason, count in worst)
        message = (
            f"{source}: {bad} of {total} rows ({bad / total:.1%}) fail their checks, wanted at "
            f"most {problem.max_quarantined_share:.1%} (max_quarantined_share): {named}"
        )
        raise ValidationFailedError(message)


def check_trainable(kept: pd.DataFrame, problem: Problem, *, folds: int, source: str) -> None:
    """Raise `DataError` when the target is too rare or too even to be split and cross-validated."""
    target = problem.target.name
    if target not in kept:
        message = f"{source}: no column {target!r}; wanted rows of this problem"
        raise DataError(message)
    shortage = problem.target.find_shortage(kept[target], folds=folds)
    if shortage is not None:
        message = f"{source}: column {target!r}: {shortage}"
        raise DataError(message)


def was_set_aside(state: Mapping[str, Any], accepted: Collection[str]) -> bool:
    """Whether the verdict that left this state was a quarantine that nobody has released."""
    faults = {name_of(fault) for fault in state.get("faults", ())}
    return state.get("verdict") == "quarantine" and not faults <= set(accepted)
