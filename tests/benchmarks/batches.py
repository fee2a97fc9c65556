"""Scoring a whole table with the log on, beside what the model alone could do.

    python -m tests.benchmarks.batches [--rows 300000] [--rounds 3]

Rows of the Pima table, drawn again and moved a little, lie in a Parquet file. In turn: our batch
scoring, from the file to answers and log; the same records one by one through the predictor, as
HTTP answers them, and into the log; the fitted pipeline's own predict_proba and bare ONNX Runtime
with one thread, both on the matrix that is ready. All in this process; medians.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from bentos.log.database import insert_predictions
from bentos.log.rows import prediction_entry, prediction_rows
from bentos.predictor import Predictor
from driftline.candidates import CANDIDATES
from driftline.cleaning import clean
from driftline.dataset import draft_contract, encode_rows, encode_target
from driftline.digests import digest_bytes
from driftline.export import export_onnx, score_onnx
from driftline.problem import Problem
from driftline.served import ServedModel
from tasks.data.problems import read_problem
from tasks.decorators import without_task_runs
from tasks.log import scoring
from tasks.log.records import open_records
from tasks.reading import sources
from tasks.settings import get_settings

MODELS = ("logistic_regression", "hist_gradient_boosting", "random_forest")
OURS, ONE_BY_ONE = "batch scoring, log on", "record by record, log on"
SKLEARN, BARE = "scikit-learn's predict_proba", "bare ONNX Runtime, one thread"
SHARE_ONE_BY_ONE = 0.1  # of the rows: it is slow
PIECE = 10_000


@dataclass(frozen=True)
class Contest:
    """One model in each contender's form, and the rows."""

    problem: Problem
    served: ServedModel
    pipeline: Any
    rows: pd.DataFrame
    source: Path
    matrix: np.ndarray

    def run(self, contender: str, folder: Path) -> float:
        """Rows per second of a contender, whose output goes into a folder."""
        work: dict[str, Callable[[], object]] = {
            OURS: lambda: score_batch(self, folder),
            ONE_BY_ONE: lambda: score_records(self),
            SKLEARN: lambda: self.pipeline.predict_proba(self.matrix),
            BARE: lambda: score_onnx(self.served.onnx, self.matrix),
        }
        share = SHARE_ONE_BY_ONE if contender == ONE_BY_ONE else 1.0
        begun = time.perf_counter()
        work[contender]()
        return share * len(self.matrix) / (time.perf_counter() - begun)


def score_batch(contest: Contest, folder: Path) -> None:
    """What `flows.score` does, without Prefect."""
    stream = sources.open_source(contest.problem, str(contest.source), rows=scoring.PIECE_ROWS)
    scorer = scoring.Scorer(
        contest.problem,
        contest.served,
        source=stream.name,
        sha256=stream.sha256,
        output=str(folder),
    )
    start = 0
    for number in count():
        piece = sources.read_piece(stream, number)
        if piece is None:
            return
        scoring.score_part(scorer, number, piece.rows, start=start)
        start += len(piece.rows)


def score_records(contest: Contest) -> None:
    """Each record through the contract and the predictor, and a row of the log for it."""
    predictor = Predictor(contest.served.contract, contest.served.onnx)
    rows = contest.rows.head(round(SHARE_ONE_BY_ONE * len(contest.rows)))
    stamp = time.time_ns()
    for start in range(0, len(rows), PIECE):
        some = rows.iloc[start : start + PIECE]
        records = some.astype("object").where(some.notna(), None).to_dict(orient="records")
        answers = predictor.predict(records)
        ids = [f"{stamp}-{start + row}" for row in range(len(records))]
        entry = prediction_entry(predictor.contract, records, answers, ids, at=time.time())
        insert_predictions(open_records(), prediction_rows(entry))


def prepare(folder: Path, rows: int, candidate: str, version: str) -> Contest:
    """The rows as a file and as a matrix, and the candidate's defaults fitted on the real ones."""
    problem = read_problem("diabetes")
    raw, name, _ = sources.read_source(problem, None)
    table = clean(raw, problem, source=name, with_target=True).table.dropna()
    matrix, y = encode_rows(table, problem), encode_target(table, problem)
    known = CANDIDATES[candidate]
    pipeline = known.build(dict(known.defaults), 0).fit(matrix, y)
    onnx = export_onnx(pipeline, matrix.shape[1])
    contract = replace(
        draft_contract(problem),
        threshold=0.5,
        model_version=version,
        onnx_sha256=digest_bytes(onnx),
    )
    rng = np.random.default_rng(0)
    drawn = table[list(problem.columns)].iloc[rng.integers(len(table), size=rows)]
    drawn = (drawn * 0.98 + 0.02 * drawn.mean()).reset_index(drop=True)
    whole = [name for name, column in problem.columns.items() if column.kind == "integer"]
    drawn[whole] = drawn[whole].round()
    source = folder / "rows.parquet"
    drawn.to_parquet(source)
    served = ServedModel(version, onnx, contract, frozenset())
    return Contest(problem, served, pipeline, drawn, source, encode_rows(drawn, problem))


def main() -> None:
    """Each contender in turn, for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    table = Table("model", "contender", "rows/s", "of bare ONNX Runtime")
    for candidate in MODELS:
        with tempfile.TemporaryDirectory() as name, without_task_runs():
            os.environ["DRIFTLINE_HOME"] = f"{name}/home"
            get_settings.cache_clear()
            rates: dict[str, list[float]] = {}
            for number in range(options.rounds):
                contest = prepare(Path(name), options.rows, candidate, str(number + 1))
                for contender in (OURS, ONE_BY_ONE, SKLEARN, BARE):
                    folder = Path(name) / f"scores-{number}"
                    rates.setdefault(contender, []).append(contest.run(contender, folder))
        median = {contender: statistics.median(each) for contender, each in rates.items()}
        for contender, rate in median.items():
            table.add_row(candidate, contender, f"{rate:,.0f}", f"{rate / median[BARE]:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
