"""Orders are carried out once: when an event is lost, when runs race, and when a run dies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from mlflow import MlflowClient
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy import select

from bentos.log.database import open_engine, place_order
from bentos.log.tables import ORDERS
from tests.conftest import RunFlow
from tests.support import ROOT, TINY, file_problem, tiny_rows
from tests.system.servers import children

pytestmark = pytest.mark.system

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Site:
    """A problem with a champion, and deployments of its flows on a real Prefect server."""

    client: SyncPrefectClient
    deployments: Mapping[str, UUID]
    environment: dict[str, str]
    run_flow: RunFlow
    home: Path
    project: Path

    def order(self, kind: str, key: str) -> None:
        """Place an order, and tell nobody."""
        place_order(self._engine, "tiny", kind, key)

    def orders(self) -> dict[str, dict[str, Any]]:
        """All orders by key."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(ORDERS)).mappings()
            return {row["key"]: dict(row) for row in rows}

    @property
    def _engine(self) -> Any:
        return open_engine(f"sqlite:///{self.home / 'predictions.db'}")

    def sweep(self) -> str:
        """Sweep as the deployment does each minute; what it said."""
        done = self.run_flow("sweep", "--problem", "tiny", home=self.home, project=self.project)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def runs(self, flow: str) -> list[FlowRun]:
        """Every run of a flow's deployment."""
        wanted = DeploymentFilterId(any_=[self.deployments[flow]])
        return self.client.read_flow_runs(deployment_filter=DeploymentFilter(id=wanted))

    def execute(self, run: FlowRun) -> "subprocess.Popen[bytes]":
        """Carry out a run as a worker does, in a process below this one."""
        words = [sys.executable, "-m", "prefect", "flow-run", "execute", str(run.id)]
        return subprocess.Popen(words, cwd=ROOT, env=self.environment)

    def state_of(self, run: FlowRun) -> StateType | None:
        """The type of the state that a run is in now."""
        return self.client.read_flow_run(run.id).state_type

    def summaries(self) -> dict[str, str]:
        """What became of each training, by run id."""
        paths = (self.home / "runs").glob("*/summary.json")
        told = [json.loads(path.read_text("utf-8")) for path in paths]
        return {
            each["run_id"]: each["promotion"]["verdict"] for each in told if "promotion" in each
        }

    def versions(self) -> int:
        """How many models were registered."""
        client = MlflowClient(f"sqlite:///{self.home / 'mlflow.db'}")
        return len(client.search_model_versions("name='tiny'"))


@pytest.fixture(scope="module")
def site(
    run_flow: RunFlow,
    prefect_api: str,
    flow_environment: Callable[..., dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The tiny problem, trained, with deployments that nobody serves."""
    root = tmp_path_factory.mktemp("orders")
    home, project = root / "home", root / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows().to_csv(project / "rows.csv", index=False)
    done = run_flow("train", "tiny", "--folds", "3", home=home, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    environment = flow_environment(home, project) | {"PYTHONPATH": str(ROOT)}
    with (
        temporary_settings({PREFECT_API_URL: prefect_api}),
        get_client(sync_client=True) as client,
    ):
        deployments = {flow: deploy(client, flow) for flow in ("monitor", "train")}
        yield Site(client, deployments, environment, run_flow, home, project)


def deploy(client: SyncPrefectClient, flow: str) -> UUID:
    """Declare a flow's deployment for the tiny problem as `prefect.yaml` does."""
    folder = {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}
    return client.create_deployment(
        flow_id=client.create_flow_from_name(flow),
        name="tiny",
        entrypoint=f"flows.{flow}.{flow}",
        pull_steps=[folder],
        enforce_parameter_schema=False,
    )


def await_that(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up, "it did not come about"
        time.sleep(0.05)


def test_an_order_whose_event_was_lost_gets_a_run_by_the_sweep(site: Site) -> None:
    site.order("monitor", "labels:tiny:100")

    said = site.sweep()

    (run,) = site.runs("monitor")
    assert "1 open orders to monitor" in said
    assert (run.parameters["problem"], run.parameters["only_ordered"]) == ("tiny", True)
    assert site.execute(run).wait(PATIENCE_SECONDS) == 0
    assert site.state_of(run) == StateType.COMPLETED
    order = site.orders()["labels:tiny:100"]
    assert (order["state"], order["claimed_by"]) == ("done", str(run.id))
    assert "open orders to monitor" not in site.sweep()


def test_a_run_that_waits_for_a_worker_gets_no_company(site: Site) -> None:
    """However long there is none."""
    before = {run.id for run in site.runs("monitor")}
    site.order("monitor", "labels:tiny:200")
    waiting = site.client.create_flow_run_from_deployment(
        site.deployments["monitor"], parameters={"problem": "tiny", "only_ordered": True}
    )

    said = site.sweep()

    assert "a run waits to begin already" in said
    assert {run.id for run in site.runs("monitor")} - before == {waiting.id}
    assert site.execute(waiting).wait(PATIENCE_SECONDS) == 0
    assert site.orders()["labels:tiny:200"]["state"] == "done"


def test_judging_a_file_carries_out_no_order(site: Site) -> None:
    site.order("monitor", "labels:tiny:300")
    source = str(site.project / "rows.csv")

    done = site.run_flow(
        "monitor", "tiny", "--source", source, home=site.home, project=site.project
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert site.orders()["labels:tiny:300"]["state"] == "open"


def test_of_two_trainings_at_once_on_one_order_one_trains(site: Site) -> None:
    before, versions = set(site.summaries()), site.versions()
    site.order("train", "verdict:of-two")
    words = [sys.executable, "-m", "flows.train", "tiny", "--only-ordered", "--folds", "3"]

    both = [subprocess.Popen(words, cwd=ROOT, env=site.environment) for _ in range(2)]
    codes = [each.wait(PATIENCE_SECONDS) for each in both]

    order, after = site.orders()["verdict:of-two"], site.summaries()
    verdicts = {run_id: after[run_id] for run_id in after.keys() - before}
    assert codes == [0, 0]
    assert (order["state"], site.versions() - versions) == ("done", 1)
    assert verdicts.pop(order["claimed_by"]) in {"promoted", "rejected"}
    assert list(verdicts.values()) == ["not ordered"]


def test_an_order_of_a_run_that_died_is_carried_out_once_by_another(site: Site) -> None:
    before = site.versions()
    site.order("train", "verdict:of-a-dead-run")
    wanted = {"problem": "tiny", "only_ordered": True}
    first = site.client.create_flow_run_from_deployment(
        site.deployments["train"], parameters=wanted
    )
    worker = site.execute(first)
    await_that(lambda: site.orders()["verdict:of-a-dead-run"]["state"] == "claimed")
    for pid in children(worker.pid):
        os.kill(pid, signal.SIGKILL)
    worker.wait(PATIENCE_SECONDS)
    assert site.state_of(first) == StateType.CRASHED

    said = site.sweep()
    (second,) = [run for run in site.runs("train") if run.id != first.id]
    site.execute(second).wait(PATIENCE_SECONDS)
    site.sweep()

    order = site.orders()["verdict:of-a-dead-run"]
    assert "1 orders are open again" in said
    assert (order["state"], order["claimed_by"]) == ("done", str(second.id))
    assert site.state_of(second) == StateType.COMPLETED
    assert len(site.runs("train")) == 2
    assert site.versions() - before == 1
