"""What the worker's runs do to the database beside the service, over and over.

`python -m tests.system.beside <part>` goes on until its standard input closes, and then tells how
many turns there were. What the database refuses ends it with a trace.
"""

import os
import select
import sys
from datetime import UTC, datetime

from bentos.log.database import insert_predictions
from driftline.verdicts import DriftDecision, verdict_key
from tasks.log import orders, predictions
from tasks.log.records import open_records
from tests.bentos.models import tiny_problem

BATCH = 1000
VERSION = "7"


def judge(turn: int) -> None:
    """A monitor run: claim, read the window, record a verdict, finish."""
    problem = tiny_problem()
    orders.claim_orders.fn(problem.name, "monitor", f"monitor-{turn}")
    window = predictions.read_window.fn(problem, VERSION)
    key = verdict_key(
        problem.name, VERSION, first=window.first, last=window.last, last_label=window.last_label
    )
    predictions.record_verdict.fn(
        problem,
        DriftDecision("retrain", ("a test wants it",)),
        key=f"{key[:20]}-{turn}",
        model_version=VERSION,
        window=window,
        evidence={},
        report="",
        report_sha256="",
    )
    orders.finish_orders.fn(f"monitor-{turn}", is_done=True)


def train(turn: int) -> None:
    """A train run: claim, read all labelled rows, finish."""
    problem = tiny_problem()
    orders.claim_orders.fn(problem.name, "train", f"train-{turn}")
    predictions.read_labelled.fn(problem)
    orders.finish_orders.fn(f"train-{turn}", is_done=turn % 2 == 0)


def score(turn: int) -> None:
    """A batch that is scored and logged, and a sweep."""
    problem = tiny_problem()
    shared = {
        "problem": problem.name,
        "model_version": VERSION,
        "answered_at": datetime.now(UTC).replace(tzinfo=None),
        "inputs": '{"age":40,"level":0.5,"sex":"F"}',
        "prediction": 1,
        "label": "ill",
        "probabilities": "[0.3,0.7]",
        "confidence": 0.7,
        "risk_level": None,
    }
    rows = [shared | {"id": f"batch-{turn}-{number}"} for number in range(BATCH)]
    insert_predictions(open_records(), rows)
    orders.open_orders.fn(problem)
    orders.free_orders.fn(problem.name, orders.claiming_runs.fn(problem.name)[:1])


def main() -> None:
    """Repeat one part."""
    part, turn = {"judge": judge, "train": train, "score": score}[sys.argv[1]], 0
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        part(turn)
        if not turn:
            os.write(1, b"begun\n")
        turn += 1
    os.write(1, b"%d\n" % turn)


if __name__ == "__main__":
    main()
