"""MLflow runs that have not ended: their training failed, was interrupted, or was killed.

Nobody else ends them, and MLflow's pages would show them as running for ever.
"""

import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from driftline.problem import Problem
from tasks.decorators import io
from tasks.reaching import open_client

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

TRAINED_BY = "trained_by"  # a tag: the flow run
PROCESS = "process"  # a tag: host and process id


def marks_of(trained_by: str) -> dict[str, str]:
    """Tags of a run that say which flow run and which process began it."""
    return {TRAINED_BY: trained_by, PROCESS: f"{socket.gethostname()}:{os.getpid()}"}


@contextmanager
def ending_broken(client: "MlflowClient", experiment: str, trained_by: str) -> Iterator[None]:
    """End as failed all that this attempt logs if it breaks off, and what one before it has left.

    The finished ones too: an outage strikes between two candidates, and the next attempt logs each
    of them again.
    """
    _end_broken(client, experiment, trained_by)
    try:
        yield
    except BaseException:  # an interrupt too
        with suppress(Exception):  # MLflow itself may be away
            _end_broken(client, experiment, trained_by)
        raise


def _end_broken(client: "MlflowClient", experiment: str, trained_by: str) -> None:
    condition = f"tags.{TRAINED_BY} = '{trained_by}' and attributes.status != 'FAILED'"
    for run in client.search_runs([experiment], condition):
        client.set_terminated(run.info.run_id, "FAILED")


@io(name="look for unfinished runs")
def read_unfinished(problem: Problem) -> set[str]:
    """Ids of the flow runs whose MLflow runs have not ended."""
    return {run.data.tags[TRAINED_BY] for run in _unfinished(open_client(), problem)}


@io(name="end unfinished runs")
def end_unfinished(problem: Problem, ended: Collection[str]) -> int:
    """End as killed what ended flow runs, or processes of this machine that are gone, had begun."""
    client = open_client()
    left = [
        run
        for run in _unfinished(client, problem)
        if run.data.tags[TRAINED_BY] in ended or _is_gone(run.data.tags.get(PROCESS, ""))
    ]
    for run in left:
        client.set_terminated(run.info.run_id, "KILLED")
    return len(left)


def _unfinished(client: "MlflowClient", problem: Problem) -> "list[Run]":
    found = client.get_experiment_by_name(problem.name)
    if found is None:
        return []
    runs = client.search_runs([found.experiment_id], "attributes.status = 'RUNNING'")
    return [run for run in runs if TRAINED_BY in run.data.tags]


def _is_gone(process: str) -> bool:
    """Whether it was one of this machine and has ended; of another machine nothing is known."""
    host, _, pid = process.rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
