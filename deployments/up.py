"""`make up`: Prefect's server, a worker, the sweeper, MLflow, the reports, the services, the page.

Ctrl+C, or the end of one of them, stops all. Runs that a stop, or a power cut before it, left
without a process are ended and told.
"""

import argparse
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_API_REQUEST_TIMEOUT,
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_UI_URL,
    temporary_settings,
)

import flows  # noqa: F401 - points the tools at the state folder
from deployments.deploy import deploy
from deployments.local.alone import alone_on
from deployments.local.environment import Ports, set_environment, shell_file
from deployments.local.main_job import run_main_job
from deployments.local.parts import START_SECONDS, STOP_SECONDS, PartError, Parts, tell
from deployments.local.ports import refuse_taken
from deployments.local.watchdog import SweepWatch, Watchdog
from deployments.manifest import POOL
from deployments.pages import find_tracking_server, hide_backend
from driftline.errors import DriftlineError
from tasks.data.problems import list_problems, read_problem
from tasks.decorators import without_task_runs
from tasks.people.channels import check_channels
from tasks.reaching import is_prefect_away
from tasks.server.abandoned import end_abandoned_runs
from tasks.settings import get_settings
from tasks.shipping.packaging import served_tag


class Stopped(BaseException):
    """Somebody asked for the end; nothing that catches `Exception` keeps it for itself."""


def main() -> int:
    """Start everything, deploy, and stay until interrupted."""
    parser = argparse.ArgumentParser(description="Start the whole system on this machine.")
    parser.add_argument("problems", nargs="+", help="whom to serve; several by commas or blanks")
    parser.add_argument(
        "--port", type=int, default=3000, help="of the first service; others follow"
    )
    parser.add_argument("--prefect-port", type=int, default=4200)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    parser.add_argument("--reports-port", type=int, default=5001)
    parser.add_argument("--page-port", type=int, default=8501)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        problems = _known(given.problems)
        services = {name: given.port + place for place, name in enumerate(problems)}
        ports = Ports(
            given.prefect_port, given.mlflow_port, given.reports_port, given.page_port, services
        )
        check_channels()
        with alone_on(get_settings().home.absolute()), ExitStack() as stack:
            _check_free(ports)
            _run(ports, stack)
    except DriftlineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except Stopped:
        tell("stopped")
    return 0


def _known(words: list[str]) -> list[str]:
    """The problems that are named, each once; `DriftlineError` where one cannot be read."""
    given = [name for word in words for name in word.split(",") if name]
    names = list(dict.fromkeys(name.replace("-", "_") for name in given))
    known = list_problems()
    for name in names:
        if name not in known:
            message = f"problem: got {name!r}, wanted one of: {', '.join(known) or 'none'}"
            raise PartError(message)
        with without_task_runs():
            read_problem(name)
    return names


def _check_free(ports: Ports) -> None:
    refuse_taken(ports.prefect, "prefect", "--prefect-port")
    if not find_tracking_server():
        refuse_taken(ports.mlflow, "mlflow", "--mlflow-port")
    refuse_taken(ports.reports, "reports", "--reports-port")
    refuse_taken(ports.page, "page", "--page-port")
    for port in ports.services.values():
        refuse_taken(port, "service", "--port")


def _run(ports: Ports, stack: ExitStack) -> None:
    set_environment(ports)
    ours = {name: os.environ[name.name] for name in (PREFECT_API_URL, PREFECT_UI_URL)}
    stack.enter_context(temporary_settings(ours))  # Prefect has read its environment before
    parts = Parts(stack, get_settings().home.absolute() / "logs")
    tell("starting Prefect, MLflow and the reports; the first time their databases are made ...")
    elsewhere = find_tracking_server()
    if not elsewhere:
        hide_backend()
        parts.start("mlflow", _mlflow(ports))  # it comes up beside Prefect
    parts.start("reports", ["deployments.pages", "reports", "--port", str(ports.reports)])
    parts.start("prefect", _prefect(ports))
    parts.await_answer("prefect", f"{ports.api}/health")
    watch = Watch(ports, parts)
    stack.callback(_end_abandoned, within=STOP_SECONDS)  # after the worker, before the server
    _end_abandoned()
    tell("deploying the flows of every problem ...")
    deploy(sweep_cron=None)  # the sweeper sweeps
    watch.sweeps.begin(stack)
    parts.start("worker", ["prefect", "worker", "start", "--pool", POOL])
    tell("worker: started")
    if elsewhere:
        tell(f"mlflow: {elsewhere}")
    else:
        parts.await_answer("mlflow", f"http://127.0.0.1:{ports.mlflow}/health")
    parts.await_answer("reports", f"http://127.0.0.1:{ports.reports}/")
    _serve_all(ports, parts, watch)
    parts.start("page", ["deployments.ui.launch", "--port", str(ports.page)])
    parts.await_answer("page", f"http://127.0.0.1:{ports.page}/")
    file = stack.enter_context(shell_file())
    some = next(iter(ports.services)).replace("_", "-")
    tell("next:")
    tell(f"  ask the model, score a table, look after it: http://127.0.0.1:{ports.page}")
    tell("  a table of your own: make onboard FILE=my.csv TARGET=outcome, then make up PROBLEM=my")
    tell(
        f"  order a flow, in another shell: . {_shown(file)} && prefect deployment run train/{some}"
    )
    tell("everything is up; Ctrl+C stops it")
    while True:
        watch.look()
        time.sleep(0.5)


class Watch:
    """Sees that every part runs and does its work."""

    def __init__(self, ports: Ports, parts: Parts) -> None:
        """Watch from now on."""
        self._ports, self._parts = ports, parts
        self._server = Watchdog(ports.api)
        self.sweeps = SweepWatch(parts)

    def look(self) -> None:
        """Start again what runs and does nothing; `PartError` where a part has ended."""
        self._parts.check()
        self.sweeps.look()
        if self._server.is_hung:
            tell("prefect: takes nothing any more, and is started again")
            self._parts.restart("prefect")
            self._parts.await_answer("prefect", f"{self._ports.api}/health")
            self._server.forgive()


def _serve_all(ports: Ports, parts: Parts, watch: Watch) -> None:
    """Serve each problem, those that have a champion first; one that comes to none stops no other.

    `PartError` where not one can be served.
    """
    waiting = sorted(ports.services, key=lambda problem: served_tag(problem) is None)
    for problem in waiting:
        if served_tag(problem) is None:
            run_main_job(problem, meanwhile=watch.look)
        if served_tag(problem) is None:
            tell(f"{problem}: the main job ended without a champion, and it is not served")
            continue
        name = "service" if len(waiting) == 1 else f"service-{problem}"
        port = ports.services[problem]
        parts.start(name, ["bentos.launch", problem, "--port", str(port)])
        parts.await_answer(name, f"http://127.0.0.1:{port}/readyz")
    if all(served_tag(problem) is None for problem in waiting):
        names, pages = ", ".join(waiting), os.environ["PREFECT_UI_URL"]
        message = f"the main job ended without a champion of {names}; look at {pages}/runs"
        raise PartError(message)


def _prefect(ports: Ports) -> list[str]:
    return ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(ports.prefect)]


def _mlflow(ports: Ports) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(ports.mlflow)]
    return ["mlflow", "server", *address, "--workers", "1"]


def _end_abandoned(within: float = START_SECONDS) -> None:
    """End what runs without a process; what a busy server leaves, the next start ends."""
    own = {
        PREFECT_API_URL: os.environ["PREFECT_API_URL"],
        PREFECT_UI_URL: os.environ["PREFECT_UI_URL"],
        PREFECT_CLIENT_MAX_RETRIES: 0,
        PREFECT_API_REQUEST_TIMEOUT: within,
    }
    try:
        with temporary_settings(own):
            for name in end_abandoned_runs(POOL):
                tell(f"{name}: was cut off, and is marked as crashed")
    except PrefectHTTPStatusError:
        return  # it is there, and takes no write just now
    except Exception as error:
        if not is_prefect_away(error):
            raise


def _shown(path: Path) -> str:
    """A path as a person would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _stop(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; parts are being ended
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
