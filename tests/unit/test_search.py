import numpy as np
import pytest

from driftline.candidates import CANDIDATES, Range
from driftline.search import search_params

TREE = CANDIDATES["decision_tree"]


def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 4)).astype(np.float32)  # noqa: N806
    return X, (X[:, 0] + rng.normal(size=150) > 0).astype(np.int64)


def loss_of_trials(trials: int, seed: int = 0) -> tuple[dict[str, float], list[float]]:
    losses: list[float] = []
    X, y = rows()  # noqa: N806
    params = search_params(
        TREE, X, y, trials=trials, folds=3, seed=seed, on_trial=lambda _, loss: losses.append(loss)
    )
    return dict(params), losses


def test_the_same_seed_finds_the_same_settings() -> None:
    assert loss_of_trials(8) == loss_of_trials(8)


def test_another_seed_searches_elsewhere() -> None:
    assert loss_of_trials(8, seed=0)[1] != loss_of_trials(8, seed=1)[1]


def test_the_defaults_are_the_first_trial() -> None:
    params, losses = loss_of_trials(1)

    assert params == TREE.defaults
    assert len(losses) == 1


def test_the_winner_is_never_worse_than_the_defaults() -> None:
    params, losses = loss_of_trials(8)

    assert len(losses) == 8
    assert min(losses) < losses[0]
    assert params != TREE.defaults


def test_settings_stay_in_their_ranges() -> None:
    params, _ = loss_of_trials(8)

    for name, value in params.items():
        choice = TREE.space[name]
        assert isinstance(choice, Range)
        assert choice.low <= value <= choice.high


@pytest.mark.parametrize(("name", "trials"), [("decision_tree", 0), ("dummy", 5)])
def test_without_trials_or_a_space_the_defaults_are_taken(name: str, trials: int) -> None:
    X, y = rows()  # noqa: N806

    params = search_params(CANDIDATES[name], X, y, trials=trials, folds=3, seed=0)

    assert params == CANDIDATES[name].defaults
