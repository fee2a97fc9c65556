"""`make up` as a person starts it, what it says, and what it leaves."""

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.ports import free_ports
from tests.support import ROOT

START_SECONDS = 1200.0  # a machine may be busy; a part that ends is noticed at once
RECORD = re.compile(r"(?m)^(?=\d\d:\d\d:\d\d\.\d+ \| )")
# On SQLite Prefect's server says so where two of its own writers meet, and tries again.
MEETING = re.compile(r"(?s)^\S+ \| ERROR +\| (prefect\.server|docket).*database is locked")
NOISE = re.compile(r"Traceback|\bERROR\b|\bCRITICAL\b|Error:")


@dataclass
class Up:
    """A started `make up`, what it said, and where its Prefect answers."""

    process: "subprocess.Popen[str]"
    api: str
    home: Path
    services: list[int]
    lines: list[str] = field(default_factory=list)

    def listen(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def noise(self) -> list[str]:
        """What of its output and of its logs looks like an error."""
        texts = [path.read_text("utf-8") for path in (self.home / "logs").glob("*.log")]
        told = [*self.lines, *(record for text in texts for record in RECORD.split(text))]
        return [each for each in told if NOISE.search(each) and not MEETING.search(each)]

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        with temporary_settings({PREFECT_API_URL: self.api}), get_client(sync_client=True) as api:
            yield api


def command(problem: str, ports: list[int]) -> list[str]:
    names = ("--port", "--prefect-port", "--mlflow-port", "--reports-port", "--page-port")
    options = [word for name, port in zip(names, ports, strict=True) for word in (name, str(port))]
    return [sys.executable, "-m", "deployments.up", problem, *options]


@contextmanager
def started(
    environment: dict[str, str], until: str = "everything is up", problems: str = "tiny"
) -> Iterator[Up]:
    """`make up` that has come so far as to say something; it is ended with the block."""
    ports = [neighbour(), *free_ports(4)]
    home = Path(environment["DRIFTLINE_HOME"])
    shutil.rmtree(home / "logs", ignore_errors=True)
    process = subprocess.Popen(
        command(problems, ports),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    services = [ports[0] + place for place in range(problems.count(",") + 1)]
    up = Up(process, f"http://127.0.0.1:{ports[1]}/api", home, services)
    threading.Thread(target=up.listen, daemon=True).start()
    try:
        await_that(lambda: up.says(until) or process.poll() is not None)
        assert process.poll() is None, up.lines
        yield up
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def neighbour() -> int:
    """A port that nobody listens on, nor on the next."""
    while True:
        port, following = free_ports(2)
        if following == port + 1:
            return port


def await_that(holds: Callable[[], Any], seconds: float = START_SECONDS) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"not in {seconds:g} s"
        time.sleep(0.2)


def read_beat(home: Path) -> dict[str, Any]:
    """What is recorded of the newest sweep."""
    beat: dict[str, Any] = json.loads((home / "sweep.json").read_text("utf-8"))
    return beat


def runs_of(client: SyncPrefectClient, deployment: str) -> list[FlowRun]:
    """The runs that a deployment has started, and those that it will."""
    made = client.read_deployment_by_name(deployment).id
    wanted = DeploymentFilter(id=DeploymentFilterId(any_=[made]))
    return client.read_flow_runs(deployment_filter=wanted)


def ends_of(client: SyncPrefectClient, deployment: str) -> set[StateType]:
    """The states in which scheduled runs have ended."""
    runs = runs_of(client, deployment)
    return {
        run.state_type
        for run in runs
        if run.auto_scheduled and run.state_type and run.state and run.state.is_final()
    }


def processes_of(home: Path) -> list[str]:
    """Command lines of the processes that use a state folder; a worker's runs are among them."""
    mark = f"DRIFTLINE_HOME={home}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it has ended meanwhile
    return found


def start(client: SyncPrefectClient, deployment: str, **parameters: Any) -> UUID:
    """Start a run for the tiny problem by a deployment that `make up` has made."""
    made = client.read_deployment_by_name(deployment)
    values = {"problem": "tiny", **parameters}
    return client.create_flow_run_from_deployment(made.id, parameters=values).id


def is_over(client: SyncPrefectClient, run: UUID) -> bool:
    """Whether a run has ended, as far as the server can tell just now."""
    try:
        state = client.read_flow_run(run).state
    except (httpx.HTTPError, PrefectHTTPStatusError):
        return False
    return state is not None and state.is_final()
