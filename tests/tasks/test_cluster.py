"""Heavy parts on real Dask workers: the same as here, whole though workers die, said where away."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftline.contract import parse_contract
from driftline.dataset import Plan
from driftline.digests import digest_rows
from driftline.errors import DataError, SettingsError, UnavailableError
from driftline.history import cut_history
from driftline.promise import DEFAULT_RECIPE
from driftline.served import ServedModel
from tasks import cluster
from tasks.cluster import AHEAD, spread, spread_ahead
from tasks.decorators import without_task_runs
from tasks.log import scoring
from tasks.log.answering import Rows
from tasks.models import training
from tasks.replays.renewing import make_models
from tasks.settings import get_settings
from tests.bentos.models import tiny_problem, write_tiny_model
from tests.ports import free_ports
from tests.support import ROOT, make_problem, stop, tiny_rows
from tests.tasks.parts import answer_and_die_once, complain, die, square_and_die_once

PARTS = list(range(6))
Choose = Callable[[str], None]


@pytest.fixture
def choose(home: Path, monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Say where heavy parts run."""
    del home

    def use(where: str) -> None:
        monkeypatch.setenv("DRIFTLINE_DASK", where)
        get_settings.cache_clear()

    return use


def labelled_rows(copies: int = 1) -> pd.DataFrame:
    table = pd.concat([tiny_rows()] * copies, ignore_index=True)
    return table.assign(outcome=table["outcome"].map({0: "well", 1: "ill"}))


def test_each_part_is_made_once_though_a_worker_is_killed(choose: Choose, tmp_path: Path) -> None:
    choose("2")

    made = list(spread(square_and_die_once, (tmp_path,), PARTS))

    assert (tmp_path / "died").exists()
    assert sorted(made) == [(part, part * part) for part in PARTS]


def test_a_part_that_kills_every_worker_is_given_up(
    choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose("1")
    monkeypatch.setattr(cluster, "DEATHS_ALLOWED", 0)

    with pytest.raises(UnavailableError, match="workers died 1 times under one part"):
        list(spread(die, (), [1]))


def test_what_a_part_says_of_bad_data_arrives(choose: Choose) -> None:
    choose("1")

    with pytest.raises(DataError, match="part 7: got nothing"):
        list(spread(complain, (), [7]))


@pytest.mark.parametrize("where", ["many", "0", "-1"])
def test_a_setting_that_cannot_be_meant_is_refused(choose: Choose, where: str) -> None:
    choose(where)

    with pytest.raises(SettingsError, match=f"DRIFTLINE_DASK: got '{where}', wanted a scheduler's"):
        list(spread(complain, (), [1]))


def test_a_scheduler_that_is_away_is_said(choose: Choose, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    choose(f"tcp://127.0.0.1:{port}")
    monkeypatch.setattr(cluster, "LONGEST_WAIT_SECONDS", 1)

    with pytest.raises(UnavailableError, match=f"{port}: no scheduler answers there"):
        list(spread(complain, (), [1]))


@pytest.fixture
def scheduler() -> Iterator[str]:
    """A scheduler as a person would start one; its address."""
    (port,) = free_ports(1)
    words = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([sys.executable, *words, "--no-dashboard"], cwd=ROOT)
    yield f"tcp://127.0.0.1:{port}"
    stop(process)


def test_a_scheduler_without_workers_is_said(
    choose: Choose, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(scheduler)
    monkeypatch.setattr(cluster, "LONGEST_WAIT_SECONDS", 15)

    with pytest.raises(UnavailableError, match="no worker there"):
        list(spread(complain, (), [1]))


def test_candidates_are_trained_alike_on_workers_of_a_scheduler(
    choose: Choose, scheduler: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="driftline")
    problem = make_problem(candidates=["dummy", "logistic_regression", "random_forest"])
    plan = Plan(folds=3, repeats=1, trials=2, test_size=0.25, seed=0, is_smoke=False)
    table = labelled_rows()
    words = ["-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-dashboard"]
    worker = subprocess.Popen([sys.executable, *words], cwd=ROOT)
    choose(scheduler)
    candidates = dict.fromkeys(problem.candidates)

    try:
        with without_task_runs():
            dataset = training.split_rows(table, digest_rows(table), problem, plan)
            there = training.train_on_cluster(candidates, problem, dataset, plan)
            here = [training.train_candidate(n, problem, dataset, plan) for n in candidates]
    finally:
        stop(worker)

    assert f"heavy parts go to {scheduler}, workers there: 1" in caplog.text
    assert [one.name for one in there] == list(candidates)
    for one, other in zip(there, here, strict=True):
        assert one.params == other.params
        assert one.flat_metrics() == other.flat_metrics()
        assert np.array_equal(
            one.model.predict_proba(dataset.data.X_test),
            other.model.predict_proba(dataset.data.X_test),
        )


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    """A tree on the tiny problem."""
    folder = write_tiny_model(tmp_path / "model")
    contract = parse_contract((folder / "contract.json").read_text("utf-8"))
    return ServedModel("7", (folder / "model.onnx").read_bytes(), contract, frozenset())


def some_rows(parts: int) -> Iterator[Rows]:
    """Parts of 1,200 rows, of which some are refused."""
    for number in range(parts):
        table = tiny_rows(1_200, seed=number).drop(columns="outcome").assign(ward="north")
        table.loc[[3, 700], "age"] = 500
        yield Rows(number, number * len(table), (number + 1) / parts, table)


def test_scores_are_the_same_bytes_on_a_cluster_whose_worker_is_killed(
    choose: Choose, home: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, made = {}, {}
    for where in ("", "2"):
        choose(where)
        monkeypatch.setenv("DRIFTLINE_STORE_URL", str(home / f"store-{where}"))
        monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"sqlite:///{home}/log-{where}.db")
        get_settings.cache_clear()
        if where:
            monkeypatch.setattr(scoring, "answer_rows", partial(answer_and_die_once, home))
        scorer = scoring.Scorer(
            tiny_problem(), model, source="rows.csv", sha256="ab" * 32, output=None
        )
        with without_task_runs():
            made[where] = list(scoring.score_parts(scorer, some_rows(8)))
        store = home / f"store-{where}"
        files[where] = {
            str(path.relative_to(store)): path.read_bytes()
            for path in store.rglob("*")
            if path.is_file()
        }

    assert (home / "died").exists()
    assert sorted(rows.number for rows, _ in made["2"]) == list(range(8))
    assert [answered for _, answered in made["2"]] == [1_198] * 8
    assert sum("part-" in name for name in files["2"]) == 8
    assert files["2"] == files[""]


def test_parts_are_taken_only_as_workers_come_free(choose: Choose, tmp_path: Path) -> None:
    choose("1")
    taken = []

    def parts() -> Iterator[int]:
        for part in range(20):
            taken.append(part)
            yield part

    spread = spread_ahead(square_and_die_once, (tmp_path,), parts())
    first = next(spread)  # of the two that were given out, whichever was made first

    assert len(taken) == AHEAD + 1
    assert sorted([first, *spread]) == [(part, part * part) for part in range(20)]
    assert (tmp_path / "died").exists()


def test_no_part_is_left_out_where_the_last_worker_died_just_now(
    choose: Choose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client

    choose("1")
    monkeypatch.setattr(Client, "nthreads", lambda _: {})  # as the scheduler tells it then

    found = list(spread_ahead(square_and_die_once, (tmp_path,), range(5)))

    assert sorted(found) == [(part, part * part) for part in range(5)]


def test_a_replays_models_are_the_same_bytes_on_a_cluster(
    choose: Choose, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = cut_history(labelled_rows(3), make_problem(), windows=4)
    files = {}
    for where in ("", "1"):
        choose(where)
        monkeypatch.setenv("DRIFTLINE_STORE_URL", str(home / f"store-{where}"))
        get_settings.cache_clear()
        with without_task_runs():
            make_models(history, DEFAULT_RECIPE)
        files[where] = {
            path.name: path.read_bytes() for path in (home / f"store-{where}").rglob("*.npz")
        }

    assert len(files["1"]) == history.windows
    assert files["1"] == files[""]
