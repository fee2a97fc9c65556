"""Medians are learnt from a column's middle values alone, and nothing is answered otherwise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.candidates import CANDIDATES, impute
from driftline.design import Design, middle_values

RNG = np.random.default_rng(0)


@given(
    rows=st.integers(1, 12),
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
)
def test_an_imputer_learns_the_same_medians_as_from_all_rows(
    rows: int, seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 4)).round(1).astype(np.float32)  # noqa: N806
    X[rng.random(X.shape) < share] = np.nan

    ours, theirs = impute().fit(middle_values(X)), impute().fit(X)

    assert ours.statistics_.dtype == theirs.statistics_.dtype
    np.testing.assert_array_equal(ours.statistics_, theirs.statistics_)
    np.testing.assert_array_equal(ours.transform(X), theirs.transform(X))


@pytest.mark.parametrize("weights", [None, RNG.uniform(0.5, 2.0, 80)], ids=["even", "weighted"])
def test_a_pipeline_is_fitted_as_scikit_learn_fits_it(weights: Any) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 3)).astype(np.float32)  # noqa: N806
    y = (X[:, 0] + rng.normal(size=80) > 0).astype(np.int64)
    X[rng.random(X.shape) < 0.2] = np.nan
    build, params = CANDIDATES["logistic_regression"].build, {"C": 0.1}

    ours = Design(weights=weights).fit(build(params, 0), X, y)

    kept = {} if weights is None else {"classify__sample_weight": weights}
    theirs = build(params, 0).fit(X, y, **kept)
    assert [name for name, _ in ours.steps] == [name for name, _ in theirs.steps]
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
