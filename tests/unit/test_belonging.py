import numpy as np
import pandas as pd

from driftline.belonging import suspect_relations
from driftline.dependence import fit_relations, plan_features
from driftline.marginals import model_column
from driftline.suspicions import Suspicion


def draw(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows)
    return pd.DataFrame({name: size + rng.normal(0, 0.4, rows) for name in "abc"})


def judge(window: pd.DataFrame) -> list[Suspicion]:
    """What relations say of a window, most evidence first."""
    table = draw(3000, 0)
    columns = [model_column(name, table[name], is_category=False) for name in table]
    read = [table[name].to_numpy() for name in table]
    codes = [column.encode(values) for column, values in zip(columns, read, strict=True)]
    features = plan_features(columns)
    rows = features.build(columns, read, codes)
    found = fit_relations(columns, features, rows, codes, np.random.default_rng(0))
    read = [window[name].to_numpy() for name in window]
    codes = [column.encode(values) for column, values in zip(columns, read, strict=True)]
    now = features.build(columns, read, codes)
    suspicions = suspect_relations(columns, features, found, now, codes, 1.0)
    return sorted(suspicions, key=lambda each: -each.evidence)


def test_other_people_keep_their_relations() -> None:
    people = draw(5000, 1)
    for weights in (np.exp(people["a"]), np.exp(-people["b"]), (people["c"] > 0.5).astype(float)):
        window = people.sample(500, weights=weights, random_state=0)

        assert judge(window)[0].evidence < 4


def test_the_column_that_came_loose_is_the_one_with_the_most_evidence() -> None:
    window = draw(500, 1)
    loose = window.assign(b=np.random.default_rng(2).permutation(window["b"].to_numpy()))

    worst = judge(loose)[0]

    assert worst.column == "b"
    assert worst.evidence > 20
