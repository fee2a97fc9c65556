"""Who takes part in a comparison, and over how many folds, within a problem's budget of work."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from driftline.candidates import Params
from driftline.dataset import Matrices
from driftline.outcome import outcome_of
from driftline.problem import Problem
from driftline.work import Budget, Kind, Shape, fit_in


def budget_of(problem: Problem, data: Matrices, *, folds: int, repeats: int) -> Budget:
    """What each candidate may take on these training rows, compared over so many folds."""
    rows, columns = data.X_train.shape
    shape = Shape(rows, columns, problem.width)
    return Budget(problem.search.work, shape, folds, repeats)


def comparing_takes(name: str, params: Params | None, problem: Problem, budget: Budget) -> float:
    """Seconds of an ordinary core that comparing a candidate takes, roughly; by its defaults."""
    candidate = outcome_of(problem).candidates[name]
    return budget.compare(candidate.work, params or candidate.defaults)


@dataclass(frozen=True)
class Bounded:
    """The candidates within the budget of work, over how many folds, and what it left out."""

    names: tuple[str, ...]
    folds: int
    told: tuple[str, ...]


def bound_work(
    names: Sequence[str], problem: Problem, data: Matrices, *, folds: int, repeats: int
) -> Bounded:
    """Compare over fewer folds where that lets more candidates take part; leave out the others."""
    asked = budget_of(problem, data, folds=folds, repeats=repeats)
    known = [outcome_of(problem).candidates[name] for name in names]
    kinds = [Kind(one.name, one.work, one.defaults) for one in known]
    budget, out = fit_in(kinds, asked)
    allowed = f"`search.work` ({asked.work:g})"
    told = [] if budget == asked else [f"{budget.folds} folds in place of {folds}: {allowed}"]
    for kind in kinds:
        if kind.name in out:
            wanted = 2 * budget.compare(kind.work, kind.defaults)
            what = f"about {ceil(wanted):,} s of a core to search and compare it"
            told.append(f"{kind.name} left out: {what}, {allowed} allows less")
    return Bounded(tuple(name for name in names if name not in out), budget.folds, tuple(told))
