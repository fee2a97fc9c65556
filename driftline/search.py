"""Hyperparameter search inside the training rows.

Each trial is judged by its cross-validated log loss, a proper score, so that the search cannot be
won by a lucky threshold; of a number by the goal's own loss. The defaults are always the first
trial.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.answers import Build, Fold
from driftline.candidates import Candidate, Params, Range
from driftline.class_outcome import log_loss_of
from driftline.design import EVEN, Design
from driftline.evaluation import make_folds

Judge = Callable[
    [Build, NDArray[np.float32], NDArray[Any], Sequence[Sequence[Fold]], Design], float
]


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
    on_trial: Callable[[int, float], None] | None = None,
) -> Params:
    """The best parameters of `trials` by the tree-structured Parzen estimator; seeded.

    Folds are stratified by `strata`, else by class, and have the rows of a group together; `judge`
    tells what out-of-fold answers cost. Rows count by the weights of `design`.
    Source: Bergstra et al., NeurIPS 2011, as implemented by Optuna.
    """
    if trials == 0 or not candidate.space:
        return dict(candidate.defaults)

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    splits = make_folds(
        y if strata is None else strata, folds=folds, repeats=1, seed=seed, groups=design.groups
    )
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=5))
    study.enqueue_trial(dict(candidate.defaults))

    def attempt(trial: optuna.Trial) -> float:
        params = _suggest(trial, candidate)
        loss = judge(lambda _: candidate.build(params, seed), X, y, splits, design)
        if on_trial is not None:
            on_trial(trial.number, loss)
        return loss

    study.optimize(attempt, n_trials=trials)
    return dict(study.best_params)


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
