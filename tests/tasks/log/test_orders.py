from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import select, update

from bentos.log.database import open_engine
from bentos.log.tables import ORDERS, VERDICTS
from driftline.problem import Problem
from driftline.verdicts import DriftDecision, Window


def record(problem: Problem, key: str) -> bool:
    from tasks.log.predictions import record_verdict

    nothing = pd.DataFrame()
    window = Window(nothing, nothing, first=1, last=2, last_label=3, seen=0, seen_label=0)
    return record_verdict.fn(
        problem,
        DriftDecision("retrain", ("harm",)),
        key=key,
        model_version="1",
        window=window,
        evidence={},
        report="",
        report_sha256="",
    )


def test_one_verdict_orders_one_training_however_often_it_is_recorded(
    home: Path, problem: Problem
) -> None:
    from tasks.log.orders import claim_orders, finish_orders

    recorded = [record(problem, "a")]
    claimed = [claim_orders.fn(problem.name, "train", "run 1")]
    finish_orders.fn("run 1", is_done=True)
    recorded += [record(problem, "a"), record(problem, "b")]
    claimed.append(claim_orders.fn(problem.name, "train", "run 2"))

    assert recorded == [True, False, True]
    assert claimed == [["verdict:a"], ["verdict:b"]]
    with open_engine(f"sqlite:///{home / 'predictions.db'}").connect() as connection:
        assert connection.execute(select(VERDICTS.c.key)).scalars().all() == ["a", "b"]


def test_what_a_run_finished_before_it_ended_is_not_opened_again(
    home: Path, problem: Problem
) -> None:
    """It may finish while the sweep asks whether it has ended."""
    from tasks.log.orders import (
        claim_orders,
        claiming_runs,
        finish_orders,
        free_orders,
        open_orders,
    )

    del home
    record(problem, "a")
    claim_orders.fn(problem.name, "train", "run 1")
    claiming = claiming_runs.fn(problem.name)
    finish_orders.fn("run 1", is_done=True)

    freed = free_orders.fn(problem.name, claiming)

    assert (claiming, freed) == (["run 1"], 0)
    assert open_orders.fn(problem) == {}


def test_a_claim_is_freed_when_its_run_has_ended_or_after_a_day(
    home: Path, problem: Problem
) -> None:
    from tasks.log.orders import claim_orders, free_orders

    record(problem, "a")
    claim_orders.fn(problem.name, "train", "run 1")
    record(problem, "b")
    claim_orders.fn(problem.name, "train", "run 2")
    running = free_orders.fn(problem.name, [])
    with open_engine(f"sqlite:///{home / 'predictions.db'}").begin() as connection:
        long_ago = datetime(2026, 1, 1)  # noqa: DTZ001 - the column's moments are UTC
        old = update(ORDERS).where(ORDERS.c.claimed_by == "run 2").values(changed_at=long_ago)
        connection.execute(old)

    freed = [free_orders.fn(problem.name, ended) for ended in ([], ["run 1"])]

    assert (running, freed) == (0, [1, 1])
    assert claim_orders.fn(problem.name, "train", "run 3") == ["verdict:a", "verdict:b"]


def test_a_run_that_was_taken_for_dead_does_not_touch_what_another_has_claimed(
    home: Path, problem: Problem
) -> None:
    from tasks.log.orders import claim_orders, claiming_runs, finish_orders, free_orders

    del home
    record(problem, "a")
    claim_orders.fn(problem.name, "train", "run 1")
    free_orders.fn(problem.name, ["run 1"])
    claim_orders.fn(problem.name, "train", "run 2")

    finish_orders.fn("run 1", is_done=False)

    assert claiming_runs.fn(problem.name) == ["run 2"]
