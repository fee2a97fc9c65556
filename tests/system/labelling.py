"""Processes that label and claim as the service and its runs do: a writer, and a claimer.

Both are started as `python -m tests.system.labelling <which> ...`, and may be killed at any time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from bentos.log import database
from driftline.errors import UnavailableError
from tests.support import ROOT

PROBLEM, EVERY = "tiny", 100


def start(*words: str, url: str) -> "subprocess.Popen[str]":
    """Start one of the two on a database."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.system.labelling", *words],
        cwd=ROOT,
        env=os.environ | {"DRIFTLINE_DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def name_of(number: int) -> str:
    """The id of a prediction."""
    return f"p{number:05d}"


def write(first: int, beyond: int) -> None:
    """Label predictions one by one, each as one request for `/feedback`, and say so."""
    engine = database.open_engine(database.database_url())
    for number in range(first, beyond):
        outcome = database.add_label(engine, name_of(number), "ill")
        if outcome == "added":
            with suppress(database.DatabaseError):
                database.order_checks(engine, PROBLEM, every=EVERY)
        sys.stdout.write(f"{number} {outcome}\n")
        sys.stdout.flush()


def claim() -> None:
    """For each line on standard input, be a new run that claims and carries out what is open."""
    from tasks.log.orders import claim_orders, finish_orders

    claim_orders.fn(PROBLEM, "monitor", "nobody")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for turn, _ in enumerate(sys.stdin):
        run_id = f"{os.getpid()}-{turn}"
        keys = again(lambda run_id=run_id: claim_orders.fn(PROBLEM, "monitor", run_id))
        sys.stdout.write(json.dumps(keys) + "\n")
        sys.stdout.flush()
        again(lambda run_id=run_id: finish_orders.fn(run_id, is_done=True))


def again(work: Callable[[], Any]) -> Any:
    """As a run does: once more after a deadlock, which a server ends by undoing one side's work."""
    for _ in range(5):
        with suppress(UnavailableError):
            return work()
    return work()


def claim_at_once(claimers: Sequence["subprocess.Popen[str]"]) -> list[str]:
    """Let every claimer claim in the same moment; returns all that they have claimed."""
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("now\n")
        claimer.stdin.flush()
    return [key for claimer in claimers for key in json.loads(_line(claimer))]


def start_claimers(count: int, url: str) -> "list[subprocess.Popen[str]]":
    """Claimers that wait for their turn."""
    claimers = [start("claim", url=url) for _ in range(count)]
    assert [_line(claimer) for claimer in claimers] == ["ready\n"] * count
    return claimers


def _line(claimer: "subprocess.Popen[str]") -> str:
    assert claimer.stdout is not None
    return claimer.stdout.readline()


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(*map(int, sys.argv[2:]))
    else:
        claim()
