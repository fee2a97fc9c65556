import numpy as np
import pandas as pd

from driftline.dependence import fit_relations, forgive, measure_information, plan_features
from driftline.marginals import model_column


def test_a_column_is_related_to_what_tells_of_it_and_to_nothing_else() -> None:
    rng = np.random.default_rng(0)
    size = rng.normal(size=2000)
    table = pd.DataFrame(
        {
            "size": size,
            "group": np.where(size + rng.normal(0, 0.3, 2000) > 0, "large", "small"),
            "lone": rng.normal(size=2000),
        }
    ).astype({"group": object})
    columns = [model_column(n, table[n], is_category=n == "group") for n in table]
    read = [column.read(table[column.name]) for column in columns]
    codes = [column.encode(values) for column, values in zip(columns, read, strict=True)]
    features = plan_features(columns)
    rows = features.build(columns, read, codes)

    found = fit_relations(columns, features, rows - rows.mean(axis=0), codes, rng)

    number, group, lone = found
    assert lone is None
    assert number is not None
    assert group is not None
    assert measure_information(group.table) > 0.3


def test_trifles_are_forgiven() -> None:
    assert forgive(np.array([0.05, -0.05])).tolist() == [0.0, 0.0]
    assert forgive(np.array([2.0]))[0] > 1.5
