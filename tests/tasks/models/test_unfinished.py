"""MLflow runs that a dead training has left are ended; those of a living one are not."""

import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tasks.models.unfinished import (
    PROCESS,
    end_unfinished,
    ending_broken,
    marks_of,
    read_unfinished,
)
from tests.support import make_problem


@pytest.fixture
def client(mlflow_home: Path) -> MlflowClient:
    """An MLflow in which the tiny problem has an experiment."""
    client = MlflowClient(f"sqlite:///{mlflow_home / 'mlflow.db'}")
    client.create_experiment("tiny")
    return client


def begin(client: MlflowClient, trained_by: str, **tags: str) -> str:
    experiment = client.get_experiment_by_name("tiny").experiment_id
    return str(client.create_run(experiment, tags=marks_of(trained_by) | tags).info.run_id)


def status(client: MlflowClient, run_id: str) -> str:
    return str(client.get_run(run_id).info.status)


def dead_process() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_runs_of_a_process_that_is_gone_are_ended(client: MlflowClient) -> None:
    living = begin(client, "mine")
    host = client.get_run(living).data.tags[PROCESS].rpartition(":")[0]
    left = begin(client, "a", **{PROCESS: f"{host}:{dead_process()}"})
    elsewhere = begin(client, "b", **{PROCESS: f"another-host:{dead_process()}"})

    ended = end_unfinished.fn(make_problem(), set())

    assert ended == 1
    assert [status(client, each) for each in (left, living, elsewhere)] == [
        "KILLED",
        "RUNNING",
        "RUNNING",
    ]


def test_runs_of_a_flow_run_that_has_ended_are_ended(client: MlflowClient) -> None:
    left = begin(client, "a", **{PROCESS: "another-host:1"})

    unfinished = read_unfinished.fn(make_problem())
    end_unfinished.fn(make_problem(), unfinished)

    assert unfinished == {"a"}
    assert status(client, left) == "KILLED"


def test_an_interrupt_ends_what_was_begun(client: MlflowClient) -> None:
    experiment = client.get_experiment_by_name("tiny").experiment_id

    def train() -> None:
        with ending_broken(client, experiment, "a"):
            begin(client, "a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()

    assert [run.info.status for run in client.search_runs([experiment])] == ["FAILED"]


def test_what_a_broken_attempt_had_finished_counts_no_longer(client: MlflowClient) -> None:
    experiment = client.get_experiment_by_name("tiny").experiment_id
    other = begin(client, "b")
    client.set_terminated(other)

    def log(*, breaks: bool) -> None:
        with ending_broken(client, experiment, "a"):
            client.set_terminated(begin(client, "a"))
            if breaks:
                raise ConnectionError

    with pytest.raises(ConnectionError):
        log(breaks=True)
    log(breaks=False)

    states = [run.info.status for run in client.search_runs([experiment])]
    assert sorted(states) == ["FAILED", "FINISHED", "FINISHED"]
    assert status(client, other) == "FINISHED"
