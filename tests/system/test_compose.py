"""What the compose file starts works together: its own commands and checks, without containers.

The images of Grafana, PostgreSQL, Prometheus and Alertmanager are not to be had here; of all but
Grafana the same programs run, from the same files.
"""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg import connect

from tests.bentos.models import RECORD
from tests.deployments.compose import Service, environment, is_job, on_this_machine, read
from tests.deployments.monitoring.tools import find
from tests.ports import free_ports
from tests.support import ROOT, TINY, file_problem, tiny_rows
from tests.system.alarm import PATIENCE_SECONDS, ask_json
from tests.system.servers import start_postgresql
from tests.system.service import Client, await_that

pytestmark = [pytest.mark.system, pytest.mark.postgres, pytest.mark.long]

PORTS = ("4200", "5000", "8080", "3000", "5001", "8501", "9093", "9090")
PROGRAMS = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
ABSENT = {"grafana"}
HEALTHY_SECONDS = 840.0  # a machine may be busy; what ends is noticed at once


@dataclass
class System:
    """The running system, by the ports that the compose file names."""

    ports: dict[str, int]
    services: dict[str, Service]

    def query(self, text: str) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self.ports['9090']}/api/v1/query?query={text}"
        found: list[dict[str, Any]] = ask_json(url)["data"]["result"]
        return found


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """All of it, each started once what it waits for is well."""
    root = tmp_path_factory.mktemp("composed")
    file_problem(root, "tiny", TINY, source={"kind": "file", "location": str(root / "rows.csv")})
    tiny_rows().to_csv(root / "rows.csv", index=False)
    more = {"DRIFTLINE_PROJECT_DIR": str(root), "HOME": str(root)}
    with ExitStack() as parts:
        database = parts.enter_context(start_postgresql())
        with connect(database.url, autocommit=True) as connection:
            for statement in ("CREATE DATABASE driftline;", *made_databases()):
                connection.execute(statement)  # type: ignore[arg-type]
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        ports["5432"] = int(database.url.rpartition("/")[0].rpartition(":")[2])
        more["PGPORT"] = str(ports["5432"])  # in its container it is the usual one
        folders = {"/state": str(root / "state"), "/monitoring": str(root / "monitoring")}
        (root / "state").mkdir()
        given = {"POSTGRES_PASSWORD": "any", "GRAFANA_PASSWORD": "any", "PROBLEM": "tiny"}
        services = read(given, on_this_machine(ports, folders))
        bring_up({n: each for n, each in services.items() if n not in ABSENT}, more, parts, root)
        yield System(ports, services)


def made_databases() -> list[str]:
    """The statements that the database's container runs first."""
    text = (ROOT / "deployments/compose/databases.sql").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("--")]


class Part:
    """A service that is started, and that is well or done at some time."""

    def __init__(
        self, name: str, service: dict[str, Any], more: dict[str, str], root: Path
    ) -> None:
        """Start it; the database is one that the test has started."""
        self.name, self._service = name, service
        self._env, self._log = environment(service, more), root / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        if name != "postgres":
            with self._log.open("wb") as out:
                self.process = subprocess.Popen(
                    words_of(name, service), cwd=ROOT, env=self._env, stdout=out, stderr=out
                )

    def is_well(self) -> bool:
        """Whether its own check is content, or its job is done."""
        ended = None if self.process is None else self.process.poll()
        if is_job(self._service):
            assert ended in {None, 0}, self.told()
            return ended == 0
        assert ended is None, self.told()
        check = [program_of(word) for word in self._service["healthcheck"]["test"][1:]]
        done = subprocess.run(check, env=self._env, capture_output=True, check=False)
        return done.returncode == 0

    def told(self) -> str:
        """The end of what it has written."""
        text = self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
        return f"{self.name}: {text}"


def bring_up(
    services: dict[str, Service], more: dict[str, str], parts: ExitStack, root: Path
) -> None:
    """Start each service as soon as what it waits for is well, until all are."""
    begun: dict[str, Part] = {}
    well: set[str] = set()
    give_up = time.monotonic() + HEALTHY_SECONDS
    while len(well) < len(services):
        for name, service in services.items():
            if name not in begun and set(service.get("depends_on", ())) <= well:
                begun[name] = Part(name, service, more, root)
                parts.callback(end, begun[name].process)
        well |= {name for name in begun.keys() - well if begun[name].is_well()}
        late = "\n".join(begun[name].told() for name in begun.keys() - well)
        assert time.monotonic() < give_up, late
        time.sleep(0.5)


def words_of(name: str, service: Service) -> list[str]:
    """The command as the container has it; images of others begin with their own program."""
    words = [str(word) for word in service["command"]]
    return [find(PROGRAMS[name]), *words] if name in PROGRAMS else [sys.executable, *words[1:]]


def program_of(word: str) -> str:
    """This machine's own program for one of the images'."""
    if word == "python3":
        return sys.executable
    found = shutil.which(word) or next(Path("/usr/lib/postgresql").glob(f"*/bin/{word}"), word)
    return str(found)


def end(process: "subprocess.Popen[bytes] | None") -> None:
    """End a program, as its container would be."""
    if process is None:
        return
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def test_the_service_answers(system: System) -> None:
    record = {name: RECORD[name] for name in ("age", "level", "sex")}
    with Client(system.ports["3000"]) as client:
        status, answer = client.post("/predict", json.dumps(record).encode())

    assert status == 200
    assert answer["label"] in {"well", "ill"}


def test_the_page_is_there(system: System) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{system.ports['8501']}/") as reply:
        assert b"<title>" in reply.read()


def test_prometheus_hears_of_the_service_and_of_the_loop(system: System) -> None:
    await_that(lambda: len(system.query("up==1")) == 2, PATIENCE_SECONDS)
    await_that(lambda: bool(system.query("driftline_champion_info")), PATIENCE_SECONDS)

    [model] = system.query("driftline_model_info")
    [champion] = system.query("driftline_champion_info")
    assert model["metric"]["version"] == champion["metric"]["version"] == "1"
    assert model["metric"]["problem"] == "tiny"


def test_alertmanager_is_the_one_that_prometheus_tells(system: System) -> None:
    url = f"http://127.0.0.1:{system.ports['9090']}/api/v1/alertmanagers"

    await_that(lambda: bool(ask_json(url)["data"]["activeAlertmanagers"]), PATIENCE_SECONDS)

    [told] = ask_json(url)["data"]["activeAlertmanagers"]
    assert f":{system.ports['9093']}/" in told["url"]


def test_every_flow_is_deployed(system: System) -> None:
    url = f"http://127.0.0.1:{system.ports['4200']}/api/deployments/filter"
    request = urllib.request.Request(url, b"{}", {"content-type": "application/json"})

    names = {each["name"] for each in ask_json(request)}

    assert names == {"tiny", "all-problems"}
