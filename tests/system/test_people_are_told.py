"""People are told of runs that fail or are killed, and no message holds anybody's values."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.conftest import QUIET, TOOLS, RunFlow
from tests.ports import free_ports
from tests.receivers import HttpReceiver, http_receiver
from tests.support import ROOT, TINY, file_problem, tiny_rows

pytestmark = pytest.mark.system

POOL = "told"
PATIENCE_SECONDS = 120.0
GRACE_SECONDS = 6.0  # a second message would come within it
VALUE, NUMBER = "Jane-Doe-1234", 98765
ROWS = tiny_rows(60).astype(object)


@dataclass(frozen=True)
class Running:
    """A Prefect server with a worker and a deployment of `train`, and what people are told."""

    client: SyncPrefectClient
    deployment: UUID
    rows: str
    told: HttpReceiver

    def start(self, **parameters: Any) -> FlowRun:
        parameters = {"problem": "tiny", "source": self.rows, **parameters}
        return self.client.create_flow_run_from_deployment(self.deployment, parameters=parameters)

    def when(self, run: FlowRun, holds: Callable[[FlowRun], Any]) -> FlowRun:
        """The run as soon as something holds of it."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not holds(now := self.client.read_flow_run(run.id)):
            assert not now.state.is_final(), f"ended as {now.state}"
            assert time.monotonic() < give_up, f"still {now.state}"
            time.sleep(0.1)
        return now

    def messages_about(self, run: FlowRun) -> list[str]:
        """All messages that name a run, once the first is there and a second had its time."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not any(str(run.id) in text for text in self.told.texts):
            assert time.monotonic() < give_up, "nobody was told"
            time.sleep(0.2)
        time.sleep(GRACE_SECONDS)
        return [text for text in self.told.texts if str(run.id) in text]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server, a worker and a deployment of the tiny problem."""
    root = tmp_path_factory.mktemp("told")
    project = root / "project"
    file_problem(project, "tiny", TINY)
    rows = project / "rows.csv"
    tiny_rows().to_csv(rows, index=False)
    (root / "prefect").mkdir()
    [port] = free_ports(1)
    api = f"http://127.0.0.1:{port}/api"
    with ExitStack() as parts:
        told = parts.enter_context(http_receiver())
        env = {key: value for key, value in os.environ.items() if not key.startswith(TOOLS)}
        env |= QUIET | {
            "DRIFTLINE_HOME": str(root / "home"),
            "DRIFTLINE_PROJECT_DIR": str(project),
            "DRIFTLINE_NOTIFY_WEBHOOK": told.url,
            "PREFECT_HOME": str(root / "prefect"),
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_API_URL": api,
            "PYTHONPATH": str(ROOT),
        }
        server = ["server", "start", "--port", str(port)]
        parts.enter_context(_prefect(server, env, root / "server.log"))
        _await_answer(f"{api}/health")
        parts.enter_context(temporary_settings({PREFECT_API_URL: api}))
        client = parts.enter_context(get_client(sync_client=True))
        deployment = _deploy(client)
        parts.enter_context(_prefect(["worker", "start", "--pool", POOL], env, root / "worker.log"))
        yield Running(client, deployment, str(rows), told)


@contextmanager
def _prefect(words: list[str], env: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *words], cwd=ROOT, env=env, stdout=out, stderr=out
        )
        yield
        process.terminate()
        process.wait(60)


def _await_answer(url: str) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            assert time.monotonic() < give_up, f"{url} does not answer"
            time.sleep(0.2)
        else:
            return


def _deploy(client: SyncPrefectClient) -> UUID:
    client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    folder = {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}
    return client.create_deployment(
        flow_id=client.create_flow_from_name("train"),
        name="tiny",
        entrypoint="flows.train.train",
        work_pool_name=POOL,
        pull_steps=[folder],
    )


def test_a_run_that_fails_is_told_once(running: Running) -> None:
    run = running.start(source="/nowhere/rows.csv")

    [text] = running.messages_about(run)

    assert text.startswith("*Driftline, tiny: a run failed*\n- /nowhere/rows.csv: no such file")
    assert "flow: train" in text


@pytest.mark.parametrize(
    ("number", "why"),
    [(signal.SIGKILL, "status code: -9"), (signal.SIGTERM, "aborted by a termination signal")],
    ids=["SIGKILL", "SIGTERM"],
)
def test_a_run_whose_process_is_killed_is_told_once(
    number: signal.Signals, why: str, running: Running
) -> None:
    run = running.start(folds=50, repeats=50)
    begun = running.when(run, lambda now: now.state.is_running() and now.infrastructure_pid)

    os.kill(int(str(begun.infrastructure_pid)), number)

    [text] = running.messages_about(run)
    assert text.startswith("*Driftline, tiny: a run failed*\n")
    assert why in text
    assert running.when(run, lambda now: now.state.is_final()).state.is_crashed()


@dataclass(frozen=True)
class Broken:
    """A table that ends a run, what the suite asks of it, and what people are told."""

    table: str
    words: tuple[str, ...]
    expectations: tuple[dict[str, Any], ...] = ()


def critical(kind: str, column: str, **arguments: Any) -> dict[str, Any]:
    return {
        "expect": kind,
        "severity": "critical",
        "meaning": f"{column} is plausible",
        "arguments": {"column": column, **arguments},
    }


CELLS = ROWS.assign(
    **dict.fromkeys(("age", "level", "sex"), [VALUE, VALUE, "40"] * 20),
    outcome=["0", "1", VALUE] * 20,
)
BROKEN = {
    "cells": Broken(
        CELLS.to_csv(index=False),
        (
            "of 60 rows (100.0%) fail their checks",
            "age: not a whole number",
            "level: not a number",
            "sex: not one of its categories",
            "outcome: not one of its classes",
        ),
    ),
    "critical expectations": Broken(
        ROWS.assign(age=NUMBER, sex=VALUE).to_csv(index=False),
        ("critical expectations failed", "age: age is plausible", "sex: sex is plausible"),
        (
            critical("ExpectColumnMaxToBeBetween", "age", max_value=120),
            critical("ExpectColumnDistinctValuesToBeInSet", "sex", value_set=["F", "M"]),
        ),
    ),
    "no header": Broken(
        ROWS.assign(age=NUMBER, sex=VALUE).to_csv(index=False, header=False),
        ("got 4 columns and none that the problem file declares",),
    ),
    "torn line": Broken(
        ROWS.to_csv(index=False) + f"{NUMBER},0.5,{VALUE},1,{VALUE}\n",
        ("wanted 4 cells in every line",),
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_table_is_told_without_anybodys_value(
    broken: Broken, run_flow: RunFlow, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    file_problem(project, "tiny", TINY)
    suite = yaml.safe_dump({"expectations": list(broken.expectations)})
    (project / "expectations" / "tiny.yaml").write_text(suite, "utf-8")
    rows = project / "rows.csv"
    rows.write_text(broken.table, "utf-8")

    with http_receiver() as told:
        done = run_flow(
            "train",
            "tiny",
            "--source",
            str(rows),
            home=tmp_path / "home",
            project=project,
            env={"DRIFTLINE_NOTIFY_WEBHOOK": told.url},
        )

    [text] = told.texts
    assert text.startswith(f"*Driftline, tiny: a run failed*\n- {rows}: ")
    for shown in (text, done.stderr):
        for word in broken.words:
            assert word in shown
    for shown in (text, done.stdout, done.stderr):
        assert VALUE not in shown
        assert str(NUMBER) not in shown
