"""What takes long says what it is doing."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.dataset import Plan
from driftline.digests import digest_rows
from tasks.models.threads import side_by_side
from tasks.models.training import (
    expect_fits,
    export_model,
    renew_winner,
    split_rows,
    train_candidate,
)
from tasks.processes import Processes
from tasks.settings import get_settings
from tests.support import make_problem, tiny_rows

PLAN = Plan(folds=3, repeats=1, trials=0, test_size=0.25, seed=0, is_smoke=False)


def test_a_renewal_and_an_export_say_what_they_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="driftline")
    problem = make_problem()
    table = tiny_rows()
    table["outcome"] = table["outcome"].map({0: "well", 1: "ill"})
    dataset = split_rows.fn(table, digest_rows(table), problem, PLAN)
    winner = train_candidate.fn("logistic_regression", problem, dataset, PLAN)

    renewed = renew_winner.fn(winner, problem, replace(dataset, is_renewed=True), PLAN)
    export_model.fn(renewed, problem, dataset, "ab" * 32, searched_rows=240, seed=0)

    newest = len(dataset.data.y_test)
    assert f"answering the newest {newest} rows by models of the rows before them" in caplog.text
    assert "comparing it with its export on" in caplog.text


def test_a_large_table_is_searched_on_a_part_and_judged_on_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="driftline")
    table = tiny_rows(1500)
    table["outcome"] = table["outcome"].map({0: "well", 1: "ill"})
    dataset = split_rows.fn(table, digest_rows(table), make_problem(), PLAN)
    rows, plan = len(dataset.data.y_train), replace(PLAN, trials=1)

    bound = train_candidate.fn("decision_tree", make_problem(search={"rows": 1000}), dataset, plan)
    train_candidate.fn("decision_tree", make_problem(search={"rows": rows}), dataset, plan)

    told = [line for line in caplog.messages if "searched" in line]
    assert rows > 1000
    assert f"searched 1 settings on a part of the {rows} rows, last log loss" in told[0]
    assert "searched 1 settings, last log loss" in told[1]
    assert told[0].split()[-1] != told[1].split()[-1]
    assert len(bound.cv.probabilities[0]) == rows


def test_folds_that_take_long_go_over_processes_and_come_out_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del home
    monkeypatch.setenv("DRIFTLINE_THREADS", "2")
    get_settings.cache_clear()
    problem, asked = make_problem(), list[int]()
    table = tiny_rows()
    table["outcome"] = table["outcome"].map({0: "well", 1: "ill"})
    dataset = split_rows.fn(table, digest_rows(table), problem, PLAN)
    spread = Processes.map

    def count(self: Processes, function: Callable[[Any], Any], parts: Sequence[Any]) -> Any:
        asked.append(len(parts))
        return spread(self, function, parts)

    begun = list[Sequence[str]]()
    monkeypatch.setattr(Processes, "begin", lambda _, modules: begun.append(modules))
    monkeypatch.setattr(Processes, "map", count)
    here = train_candidate.fn("decision_tree", problem, dataset, PLAN)
    with side_by_side():
        train_candidate.fn("decision_tree", problem, dataset, PLAN)
        expect_fits(problem, len(table), PLAN)
        assert not asked
        assert not begun
        monkeypatch.setattr("tasks.models.threads.LONG_SECONDS", 0.0)
        expect_fits(problem, len(table), PLAN)
        assert len(begun) == 1
        there = train_candidate.fn("decision_tree", problem, dataset, PLAN)

    assert asked == [PLAN.folds]
    np.testing.assert_array_equal(here.cv.probabilities, there.cv.probabilities)
    assert here.flat_metrics() == there.flat_metrics()
