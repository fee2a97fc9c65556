"""Hyperparameter search inside the training rows.

Each trial is judged by its cross-validated log loss, a proper score, so that the search cannot be
won by a lucky threshold; of a number by the goal's own loss. The defaults are always the first
trial. On a large table a trial is fitted once, on a part of the rows, and judged on others: what
does well there does well on all (`tests.benchmarks.search`), and whoever wins is fitted on all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.answers import Build, Fold
from driftline.candidates import Candidate, Params, Range
from driftline.class_outcome import log_loss_of
from driftline.dataset import LEAST_USABLE_VALUES
from driftline.design import EVEN, Design
from driftline.evaluation import make_folds
from driftline.work import Budget

FITTED_SHARE: Final = 0.75  # of the rows at most, so that enough are left to judge by
JUDGED_TIMES: Final = 4  # times as many rows as are fitted on are judged by at most
Judge = Callable[
    [Build, NDArray[np.float32], NDArray[Any], Sequence[Sequence[Fold]], Design], float
]


@dataclass(frozen=True)
class Searched:
    """The best parameters that were found, of how many trials; others were beyond the budget."""

    params: Params
    tried: int = 0
    passed_over: int = 0


def search_params(
    candidate: Candidate,
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[Any],
    *,
    strata: NDArray[np.int64] | None = None,
    design: Design = EVEN,
    judge: Judge = log_loss_of,
    trials: int,
    folds: int,
    seed: int,
    most_rows: int | None = None,
    budget: Budget | None = None,
    on_trial: Callable[[int, float], None] | None = None,
) -> Searched:
    """The best parameters of `trials` by the tree-structured Parzen estimator; seeded.

    Folds are stratified by `strata`, else by class, and have the rows of a group together; `judge`
    tells what out-of-fold answers cost. Rows count by the weights of `design`. With more rows than
    `most_rows` a trial is fitted once, see `split_once`. Settings beyond `budget` are passed over.
    Source: Bergstra et al., NeurIPS 2011, as implemented by Optuna.
    """
    if trials == 0 or not candidate.space:
        return Searched(dict(candidate.defaults))

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    strata = y if strata is None else strata
    once = None
    if most_rows is not None and len(y) > most_rows:
        once = split_once(strata, design, most=most_rows, least=2 * folds, seed=seed)
    if once is None or not len(once[1]):
        splits = make_folds(strata, folds=folds, repeats=1, seed=seed, groups=design.groups)
    else:
        splits = [[once]]
        X = X[:, (~np.isnan(X[once[0]])).sum(axis=0) >= LEAST_USABLE_VALUES]  # noqa: N806
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=5))
    study.enqueue_trial(dict(candidate.defaults))

    spent, losses = _Spent(candidate, budget, [len(fitted) for fitted, _ in splits[0]]), [np.inf]

    def attempt(trial: optuna.Trial) -> float:
        params = _suggest(trial, candidate)
        is_within = spent.allows(params) or trial.number == 0  # the defaults are always tried
        if is_within:
            losses.append(judge(candidate.building(params, seed), X, y, splits, design))
        if on_trial is not None:
            on_trial(trial.number, losses[-1])
        if not is_within:
            raise optuna.TrialPruned
        return losses[-1]

    study.optimize(attempt, n_trials=trials)
    tried = len(losses) - 1
    return Searched(dict(study.best_params), tried, trials - tried)


@dataclass
class _Spent:
    """What a search's trials have taken of a budget, each of them fits on so many rows."""

    candidate: Candidate
    budget: Budget | None
    fits: Sequence[int]
    work: float = 0.0

    def allows(self, params: Params) -> bool:
        """Whether one more trial is within the budget; it counts as spent then."""
        if self.budget is None:
            return True
        shape, work = self.budget.shape, self.candidate.work
        more = sum(work(params, replace(shape, rows=rows)) for rows in self.fits)
        is_within = self.budget.may_search(self.work, more)
        is_within = is_within and self.budget.may_compare(work, params)
        self.work += more if is_within else 0.0
        return is_within


def split_once(
    strata: NDArray[np.int64], design: Design, *, most: int, least: int, seed: int
) -> Fold:
    """At most about `most` rows to fit on, and others to judge by; groups stay together.

    Each side has the same share of each stratum, but that those to fit on have at least `least`
    rows, or groups, of each, or half of them: no class may be missing. Where groups are so few that
    none is left to judge by, nothing is judged by.
    """
    size = min(most, int(FITTED_SHARE * len(strata)))
    fitted = choose_part(strata, design, most=size, least=least, seed=seed)
    judged = np.setdiff1d(np.arange(len(strata)), fitted)
    if len(judged) > JUDGED_TIMES * size:
        others = design.take(judged)
        part = choose_part(strata[judged], others, most=JUDGED_TIMES * size, least=0, seed=seed)
        judged = judged[part]
    return fitted, judged


def choose_part(
    strata: NDArray[np.int64], design: Design, *, most: int, least: int, seed: int
) -> NDArray[np.int64]:
    """The places of about `most` rows: the same share of each stratum, whole groups; seeded.

    A group counts to the rarest stratum that it has a row of.
    """
    units = _units(design, len(strata))
    by_rarity = np.argsort(np.bincount(strata)[strata], kind="stable")
    rarest = strata[by_rarity][np.unique(units[by_rarity], return_index=True)[1]]
    sizes = np.bincount(units)
    is_taken = np.zeros(len(sizes), dtype=bool)
    rng = np.random.default_rng(seed)
    for stratum in np.unique(rarest):
        members = rng.permutation(np.flatnonzero(rarest == stratum))
        rows = np.cumsum(sizes[members])
        before, wanted = rows - sizes[members], rows[-1] * most / len(strata)
        enough = min(least, max(1, len(members) // 2))  # the others are judged by
        is_taken[members[(before < wanted) | (np.arange(len(members)) < enough)]] = True
    if least:
        missing = np.setdiff1d(strata, strata[is_taken[units]])
        is_taken[units[np.isin(strata, missing)]] = True
    return np.flatnonzero(is_taken[units])


def _units(design: Design, rows: int) -> NDArray[np.int64]:
    """The number of each row's group; without groups each row is its own."""
    if design.groups is None:
        return np.arange(rows)
    return np.unique(np.array(design.groups), return_inverse=True)[1]


def _suggest(trial: "optuna.Trial", candidate: Candidate) -> Params:  # type: ignore[name-defined] # noqa: F821
    params = {}
    for name, choice in candidate.space.items():
        if not isinstance(choice, Range):
            params[name] = trial.suggest_categorical(name, choice)
        elif choice.whole:
            low, high = int(choice.low), int(choice.high)
            params[name] = trial.suggest_int(name, low, high, log=choice.log)
        else:
            params[name] = trial.suggest_float(name, choice.low, choice.high, log=choice.log)
    return params
