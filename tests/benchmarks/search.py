"""What it costs and saves to search hyperparameters on a part of the rows.

    python -m tests.benchmarks.search [--rows 5000] [--seeds 1] [--table diabetes ...]

Each candidate is searched by folds of all training rows and by one split, is fitted on all of them
by either's settings, and answers the same test rows: seconds of processor time, and the test's log
loss with the interval of the paired difference. Tables lie in `../shared/data`.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from rich.console import Console
from sklearn.datasets import make_classification
from sklearn.metrics import roc_auc_score

from driftline.candidates import CANDIDATES
from driftline.losses import row_losses
from driftline.search import search_params

SHARED: Final = Path(__file__).parents[3] / "shared" / "data"
TRAIN_ROWS: Final = 7500  # of a table of 10,000 rows
MOST_TEST_ROWS: Final = 20_000
SEARCHED: Final = (
    "logistic_regression",
    "decision_tree",
    "random_forest",
    "hist_gradient_boosting",
)
RESAMPLES: Final = 1000
Table = tuple[np.ndarray, np.ndarray]


def read_diabetes() -> Table:
    """15,000 patients, 8 measurements, two classes."""
    parts = [pd.read_csv(SHARED / "diabetes" / name) for name in ("diabetes.csv", "diabetes2.csv")]
    return encode(pd.concat(parts).drop(columns="PatientID"), "Diabetic")


def read_survey() -> Table:
    """200,000 answers to a survey, 20 columns: diabetic or not."""
    table = pd.read_parquet(
        SHARED / "diabetes_risk" / "brfss_2015_2024_20k_per_year.parquet"
    ).assign(DIABETES=lambda rows: (rows["DIABETES"] == 1).astype(int))
    return encode(table, "DIABETES")


def read_readmission() -> Table:
    """101,766 hospital stays, 47 columns, three classes."""
    path = SHARED / "readmission" / "diabetes130.zip"
    if not path.exists():
        raise FileNotFoundError(path)
    import zipfile

    with zipfile.ZipFile(path) as archive, archive.open("dataset_diabetes/diabetic_data.csv") as f:
        table = pd.read_csv(f, low_memory=False)
    return encode(table.drop(columns=["encounter_id", "patient_nbr"]), "readmitted")


def make_noisy() -> Table:
    """30,000 rows of scikit-learn's own making, 20 columns, two classes, a tenth mislabelled."""
    X, y = make_classification(  # noqa: N806
        30_000, 20, n_informative=8, n_clusters_per_class=4, flip_y=0.1, random_state=0
    )
    return X.astype(np.float32), y


TABLES: Final[dict[str, Callable[[], Table]]] = {
    "diabetes": read_diabetes,
    "survey": read_survey,
    "readmission": read_readmission,
    "made up": make_noisy,
}


def encode(table: pd.DataFrame, target: str) -> Table:
    """Numbers as they are, words by their place, as the contract does."""
    columns = [
        column if pd.api.types.is_numeric_dtype(column) else pd.factorize(column, sort=True)[0]
        for _, column in table.drop(columns=target).items()
    ]
    y = pd.factorize(table[target], sort=True)[0].astype(np.int64)
    return np.column_stack(columns).astype(np.float32), y


def main() -> None:
    """Compare on each table, and print a line for each candidate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--table", choices=TABLES, action="append")
    parser.add_argument("--candidate", choices=SEARCHED, action="append")
    options = parser.parse_args()
    for name in options.table or TABLES:
        X, y = TABLES[name]()  # noqa: N806
        for seed in range(options.seeds):
            places = np.random.default_rng(seed).permutation(len(y))
            for candidate in options.candidate or SEARCHED:
                line = compare(candidate, X[places], y[places], most=options.rows, seed=seed)
                Console(width=200).print(f"{name}, seed {seed}, {candidate}: {line}")


def compare(candidate: str, X: np.ndarray, y: np.ndarray, *, most: int, seed: int) -> str:  # noqa: N803
    """What searching a part instead of all does to this candidate, in words."""
    test = slice(TRAIN_ROWS, TRAIN_ROWS + MOST_TEST_ROWS)
    losses, areas, told = [], [], []
    for rows in (None, most):
        begun = time.process_time()
        params: dict[str, Any] = dict(
            search_params(
                CANDIDATES[candidate],
                X[:TRAIN_ROWS],
                y[:TRAIN_ROWS],
                trials=12,
                folds=4,
                seed=seed,
                most_rows=rows,
            ).params
        )
        taken = time.process_time() - begun
        model = CANDIDATES[candidate].build(params, seed).fit(X[:TRAIN_ROWS], y[:TRAIN_ROWS])
        answers = model.predict_proba(X[test])
        losses.append(row_losses(answers, y[test], "log_loss"))
        shown = answers[:, 1] if answers.shape[1] == 2 else answers
        areas.append(roc_auc_score(y[test], shown, multi_class="ovr"))
        told.append(f"{taken:.1f} s")
    worse = losses[1] - losses[0]
    rng = np.random.default_rng(0)
    means = [worse[rng.integers(0, len(worse), len(worse))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return (
        f"{told[0]} -> {told[1]}; log loss {losses[0].mean():.4f}, on a part "
        f"{worse.mean():+.4f} [{low:+.4f}, {high:+.4f}]; AUC {areas[0]:.4f} -> {areas[1]:.4f}"
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
