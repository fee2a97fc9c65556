"""Hyperparameter search inside the training rows.

Each trial is judged by its cross-validated log loss, a proper score, so that the search cannot be
won by a lucky threshold. The defaults are always the first trial.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from driftline.candidates import Candidate, Params, Range
from driftline.evaluation import cross_predict, make_folds


def search_params(
    candidate: Candidate,
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[np.int64],
    *,
    trials: int,
    folds: int,
    seed: int,
    on_trial: Callable[[int, float], None] | None = None,
) -> Params:
    """The best parameters of `trials` by the tree-structured Parzen estimator; seeded.

    Source: Bergstra et al., NeurIPS 2011, as implemented by Optuna.
    """
    if trials == 0 or not candidate.space:
        return dict(candidate.defaults)

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    splits = make_folds(y, folds=folds, repeats=1, seed=seed)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=5))
    study.enqueue_trial(dict(candidate.defaults))

    def judge(trial: optuna.Trial) -> float:
        params = _suggest(trial, candidate)
        probabilities = cross_predict(lambda: candidate.build(params, seed), X, y, splits)[0]
        truth = np.clip(probabilities[np.arange(len(y)), y], 1e-6, 1)
        loss = float(-np.log(truth).mean())
        if on_trial is not None:
            on_trial(trial.number, loss)
        return loss

    study.optimize(judge, n_trials=trials)
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
