"""A champion that is served, the report server and the page beside it, and a browser."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from prefect.client.orchestration import get_client

from tests.conftest import RunFlow
from tests.ports import free_ports
from tests.support import ROOT, stop
from tests.system.page.browsing import browser
from tests.system.page.site import Site
from tests.system.service import Service

CHANGES = "\ncandidates: [dummy, logistic_regression]\nsearch: {trials: 0, folds: 2}\n"


@pytest.fixture(scope="module")
def home(run_flow: RunFlow, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder in which the Pima table has a champion and its first drift report."""
    folder = tmp_path_factory.mktemp("page")
    for part in ("data/problems", "expectations"):
        text = (ROOT / part / "diabetes.yaml").read_text(encoding="utf-8")
        path = folder / "project" / part / "diabetes.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text + (CHANGES if part != "expectations" else ""), encoding="utf-8")
    where = {"home": folder / "home", "project": folder / "project"}
    done = run_flow("pipeline", "diabetes", "--folds", "3", **where)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "home"


@pytest.fixture(scope="module")
def replay(home: Path, run_flow: RunFlow) -> Path:
    """The page of a replay of the Pima table."""
    words = ("replay", "diabetes", "--windows", "6", "--candidate", "logistic_regression")
    done = run_flow(*words, home=home, project=home.parent / "project")
    assert done.returncode == 0, done.stderr[-2000:]
    (page,) = (home / "reports" / "replay").rglob("*.html")
    return page


@pytest.fixture(scope="module")
def service(home: Path) -> Iterator[Service]:
    """The champion, served."""
    own = Service(home, home, f"sqlite:///{home / 'predictions.db'}")
    words = ["bentos.launch", "diabetes", "--port", str(own.port)]
    process = own.run(words, {"DRIFTLINE_PROJECT_DIR": str(home.parent / "project")})
    try:
        own.await_ready(process)
        yield own
    finally:
        own.stop()


@pytest.fixture(scope="module")
def monitor(prefect_api: str) -> Iterator[Callable[[], list[str]]]:
    """The deployment `monitor/diabetes` of a real server, and the names of its runs' problems."""
    assert prefect_api
    with get_client(sync_client=True) as client:
        made = client.create_deployment(client.create_flow_from_name("monitor"), "diabetes")
        yield lambda: [
            str(run.parameters["problem"])
            for run in client.read_flow_runs()
            if run.deployment_id == made
        ]
        client.delete_deployment(made)


@pytest.fixture
def release(prefect_api: str) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The deployment `release/diabetes` of a real server; what its runs are told."""
    assert prefect_api
    with get_client(sync_client=True) as client:
        made = client.create_deployment(client.create_flow_from_name("release"), "diabetes")
        yield lambda: [
            run.parameters for run in client.read_flow_runs() if run.deployment_id == made
        ]
        client.delete_deployment(made)


@pytest.fixture(scope="module")
def site(
    home: Path, service: Service, prefect_api: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The report server and the page beside the service."""
    reports, port = free_ports(2)
    log = tmp_path_factory.mktemp("log") / "page.log"
    env = os.environ | {
        "DRIFTLINE_HOME": str(home),
        "DRIFTLINE_SERVICES": f"diabetes={service.url}",
        "DRIFTLINE_REPORTS_URL": f"http://127.0.0.1:{reports}",
        "PREFECT_API_URL": prefect_api,
        "PYTHONPATH": str(ROOT),
    }
    pages = [sys.executable, "-m", "deployments.pages"]
    with log.open("wb") as out:
        started = [
            subprocess.Popen([*pages, *words], cwd=ROOT, env=env, stdout=out, stderr=out)
            for words in (("reports", "--port", str(reports)), ("ui", "--port", str(port)))
        ]
    try:
        hosts = {f"127.0.0.1:{each}" for each in (reports, port)}
        yield Site(service, f"http://127.0.0.1:{port}", log, hosts)
    finally:
        for each in started:
            stop(each)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def pictures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: the checkout stays as it is unless somebody names a folder of it."""
    folder: Path = request.config.getoption("--pictures") or tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
