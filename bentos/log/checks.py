"""Which checks the labels of a problem call for, whichever driver counts them.

One check for each full `every` labels, under the count as its key: whoever orders, however often,
and whoever died before, there is one order for each.
"""

from collections.abc import Callable
from dataclasses import dataclass

UNSETTLED = 1000
NO_END = 2**63 - 1

CountBetween = Callable[[int, int], tuple[int, int]]  # labels after one sequence, up to another


@dataclass(frozen=True)
class Tally:
    """How many labels there are up to a sequence, so that they need not be counted again."""

    labels: int = 0
    sequence: int = 0


def count_on(tally: Tally, count_between: CountBetween) -> tuple[int, Tally]:
    """All labels, and a tally for the next time; counts what came after the tally only.

    `count_between` gives a number of labels and the newest sequence of any. Writers commit out of
    turn, so the last `UNSETTLED` sequences are counted each time. A label that was held up for
    longer is missed here; the sweep counts from the beginning.
    """
    fresh, newest = count_between(tally.sequence, NO_END)
    total = tally.labels + fresh
    if newest - tally.sequence < 2 * UNSETTLED:
        return total, tally
    settled = newest - UNSETTLED
    labels, _ = count_between(tally.sequence, settled)
    return total, Tally(tally.labels + labels, settled)


def newest_key(problem: str, labels: int, every: int) -> str | None:
    """The key of the last check that so many labels call for, if any."""
    return check_key(problem, labels - labels % every) if labels >= every else None


def all_keys(problem: str, labels: int, every: int) -> list[str]:
    """The keys of every check that so many labels call for.

    Placed in this order, so that the newest one's presence tells that none before it is missing.
    """
    return [check_key(problem, count) for count in range(every, labels + 1, every)]


def check_key(problem: str, labels: int) -> str:
    """The key of the check that these labels call for."""
    return f"labels:{problem}:{labels}"
