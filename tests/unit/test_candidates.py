import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline import boosting
from driftline.candidates import CANDIDATES, USUAL, Candidate, Range, build_calibrated
from driftline.errors import ProblemError
from tests.support import make_problem

PARAMS = {
    name: {
        **one.defaults,
        **{key: 10 for key in ("n_estimators", "max_iter") if key in one.defaults},
    }
    for name, one in CANDIDATES.items()
}
SEARCHED = [candidate for candidate in CANDIDATES.values() if candidate.space]


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two columns, one with missing values."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 90)
    X = np.column_stack([y + rng.normal(size=90), rng.normal(size=90)])  # noqa: N806
    X[rng.random(90) < 0.2, 0] = np.nan
    return X.astype(np.float32), y


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_learns_from_rows_with_missing_values(name: str) -> None:
    X, y = rows()  # noqa: N806

    probabilities = CANDIDATES[name].build(PARAMS[name], 0).fit(X, y).predict_proba(X)

    assert probabilities.shape == (90, 2)
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_same_seed_builds_the_same_model(name: str) -> None:
    X, y = rows()  # noqa: N806

    one, other = (
        build_calibrated(CANDIDATES[name], PARAMS[name], 7).fit(X, y).predict_proba(X)
        for _ in range(2)
    )

    np.testing.assert_allclose(one, other, atol=1e-12)


def test_candidates_go_from_the_simplest_to_the_most_complex() -> None:
    assert list(CANDIDATES) == [
        "dummy",
        "logistic_regression",
        "decision_tree",
        "random_forest",
        "hist_gradient_boosting",
        "xgboost",
        "lightgbm",
    ]


@pytest.mark.parametrize("candidate", SEARCHED, ids=lambda one: one.name)
def test_defaults_lie_in_the_space_that_is_searched(candidate: Candidate) -> None:
    """Else the search could not start from them."""
    assert set(candidate.defaults) == set(candidate.space)
    for name, choice in candidate.space.items():
        value = candidate.defaults[name]
        if isinstance(choice, Range):
            assert choice.low <= value <= choice.high
        else:
            assert value in choice


@given(seed=st.integers(0, 20))
def test_the_baseline_answers_every_row_with_the_share_of_classes(seed: int) -> None:
    X, y = rows(seed)  # noqa: N806

    probabilities = CANDIDATES["dummy"].build({}, 0).fit(X, y).predict_proba(X)

    np.testing.assert_allclose(probabilities[:, 1], y.mean())


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_candidate_whose_library_is_not_here_is_asked_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boosting, "find_spec", lambda _: None)

    with pytest.raises(ProblemError, match=f"candidates: got '{name}'.* wanted the extra"):
        CANDIDATES[name].build(PARAMS[name], 0)


def test_optional_candidates_compete_only_where_they_are_named() -> None:
    assert make_problem(candidates=None).candidates == USUAL
    assert not {"xgboost", "lightgbm"} & set(USUAL)
    assert "xgboost" in make_problem(candidates=["dummy", "xgboost"]).candidates
