"""The tables of the scenario benchmark."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from rich.console import Console
from rich.table import Table

from tests.benchmarks.decisions.tally import (
    POLICY,
    SURE,
    Life,
    Share,
    false_shares,
    harmful,
    share_of,
    useless_retrains,
)

BINS = (POLICY.cost, 0.1, 0.25, POLICY.harm, 1.0, float("inf"))
GROUPS: tuple[Callable[[Life], str], ...] = (
    lambda life: life.scenario,
    lambda life: f"{life.size} rows",
    lambda life: life.table,
    lambda life: "visible in the inputs" if life.is_visible else "only labels show it",
    lambda _: "all",
)


def print_tables(console: Console, lives: Sequence[Life]) -> None:
    """All tables."""
    labelled = [life for life in lives if life.is_labelled]
    unlabelled = [life for life in lives if not life.is_labelled]
    console.print(false_table(labelled))
    console.print(answer_table(labelled))
    console.print(size_of_harm_table(labelled))
    console.print(broken_table(labelled))
    console.print(unlabelled_table(unlabelled))
    console.print(unlabelled_false_table(unlabelled))


def false_table(lives: Sequence[Life]) -> Table:
    """What was decided on harmless windows that came with labels."""
    table = Table("harmless windows, with labels", "retrain", "of no use", "quarantine")
    for name, some in _grouped([life for life in lives if not life.is_broken]):
        cells = (false_shares(some, "retrain"), useless_retrains(some))
        table.add_row(name, *_texts(*cells, false_shares(some, "quarantine")))
    return table


def answer_table(lives: Sequence[Life]) -> Table:
    """How soon harm was answered once its labels were there."""
    columns = ("retrain in time", "or quarantine", "best test sure", "retrain where sure")
    table = Table("harmful streams, with labels", *columns)
    for name, some in _grouped(harmful(lives)):
        sure = [life for life in some if (life.sureness or 0) >= SURE]
        shares = (
            share_of(some, lambda life: life.is_answered("retrain")),
            share_of(some, lambda life: life.is_answered("retrain", "quarantine")),
            share_of(some, lambda life: (life.sureness or 0) >= SURE),
            share_of(sure, lambda life: life.is_answered("retrain")),
        )
        table.add_row(name, *_texts(*shares))
    return table


def size_of_harm_table(lives: Sequence[Life]) -> Table:
    """Answers in time by how much of the skill a renewal would save."""
    sizes = sorted({life.size for life in lives})
    table = Table("saved, of skill", *(f"{size} rows" for size in sizes), title="retrain in time")
    for low, high in pairwise(BINS):
        cells = []
        for size in sizes:
            some = [
                life
                for life in lives
                if life.size == size and low <= max(life.harms) < high and not life.is_broken
            ]
            some = [life for life in some if not life.was_disturbed]
            cells.append(share_of(some, lambda life: life.is_answered("retrain")))
        table.add_row(f"{low:.0%} to {high:.0%}", *_texts(*cells))
    return table


def broken_table(lives: Sequence[Life]) -> Table:
    """What was decided on broken windows that came with labels."""
    table = Table("broken windows, with labels", "streams retrained on", "quarantined")
    for name, some in _grouped([life for life in lives if life.is_broken]):
        shares = (
            share_of(some, lambda life: "retrain" in life.verdicts[life.within + 1 :]),
            share_of(some, lambda life: "quarantine" in life.verdicts[life.within + 1 :]),
        )
        table.add_row(name, *_texts(*shares))
    return table


def unlabelled_table(lives: Sequence[Life]) -> Table:
    """How soon harm was answered where no labels came."""
    columns = ("need_labels or retrain in time", "or quarantine")
    table = Table("harmful streams, without labels", *columns)
    for name, some in _grouped(harmful(lives)):
        shares = (
            share_of(some, lambda life: life.is_answered("need_labels", "retrain")),
            share_of(some, lambda life: life.is_answered("need_labels", "retrain", "quarantine")),
        )
        table.add_row(name, *_texts(*shares))
    return table


def unlabelled_false_table(lives: Sequence[Life]) -> Table:
    """What was decided on harmless windows that came without labels."""
    verdicts = ("need_labels", "retrain", "quarantine", "watch")
    table = Table("harmless windows, without labels", *verdicts)
    for name, some in _grouped([life for life in lives if not life.is_broken]):
        table.add_row(name, *_texts(*(false_shares(some, verdict) for verdict in verdicts)))
    return table


def _grouped(lives: Sequence[Life]) -> list[tuple[str, list[Life]]]:
    """The lives by each way to group them, in turn."""
    groups: list[tuple[str, list[Life]]] = []
    for key in GROUPS:
        names = dict.fromkeys(key(life) for life in sorted(lives, key=_order))
        groups += [(name, [each for each in lives if key(each) == name]) for name in names]
    return groups


def _order(life: Life) -> tuple[int, str]:
    return life.size, life.scenario


def _texts(*shares: Share) -> list[str]:
    return [share.text for share in shares]
