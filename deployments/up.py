"""`make up`: Prefect's server and worker, MLflow's pages and the service, together on this machine.

Each writes to `logs/` in the state folder. Ctrl+C, or the end of one of them, stops all. Runs that
a stop, or a power cut before it, left without a process are ended and told.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
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
from deployments.pages import hide_backend
from deployments.ports import refuse_taken
from deployments.watchdog import Watchdog
from driftline.errors import DriftlineError
from tasks.data.problems import list_problems
from tasks.people.channels import check_channels
from tasks.reaching import is_prefect_away
from tasks.server.abandoned import end_abandoned_runs
from tasks.settings import get_settings
from tasks.shipping.packaging import served_tag

START_SECONDS = 120.0
STOP_SECONDS = 10.0
# A run that holds its deployment's place ends where a restarted server has forgotten it.
LEASES_ON_DISK = "prefect.server.concurrency.lease_storage.filesystem"
SETTINGS = {  # the server is on this machine and has few to serve
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES_ON_DISK,
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # seven processes for what nobody here asks
}
POOL = "driftline"
Running = dict[str, "subprocess.Popen[bytes]"]
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ports:
    """Where each part listens, on 127.0.0.1."""

    prefect: int
    mlflow: int
    service: int
    reports: int


class StoppedError(Exception):
    """Somebody asked for the end."""


class PartError(DriftlineError):
    """A part cannot start, or has ended by itself."""


def main() -> int:
    """Start everything, deploy, and stay until interrupted."""
    parser = argparse.ArgumentParser(description="Start the whole system on this machine.")
    parser.add_argument("problem")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--prefect-port", type=int, default=4200)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    parser.add_argument("--reports-port", type=int, default=5001)
    arguments = parser.parse_args()
    ports = Ports(
        arguments.prefect_port, arguments.mlflow_port, arguments.port, arguments.reports_port
    )
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        problem = _known(arguments.problem)
        check_channels()
        _check_free(ports)
        with ExitStack() as parts:
            _run(problem, ports, parts)
    except DriftlineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except StoppedError:
        _tell("stopped")
    return 0


def _known(name: str) -> str:
    problem = name.replace("-", "_")
    if problem not in list_problems():
        message = f"problem: got {name!r}, wanted one of: {', '.join(list_problems()) or 'none'}"
        raise PartError(message)
    return problem


def _check_free(ports: Ports) -> None:
    options = {"prefect": "--prefect-port", "mlflow": "--mlflow-port", "service": "--port"}
    options["reports"] = "--reports-port"
    for name, option in options.items():
        refuse_taken(getattr(ports, name), name, option)


def _run(problem: str, ports: Ports, parts: ExitStack) -> None:
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{ports.prefect}/api"
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["DRIFTLINE_HOME"] = str(get_settings().home.absolute())
    os.environ.setdefault("PREFECT_UI_URL", f"http://127.0.0.1:{ports.prefect}")
    os.environ.setdefault("DRIFTLINE_REPORTS_URL", f"http://127.0.0.1:{ports.reports}")
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    hide_backend()
    running: Running = {}
    _start("mlflow", _mlflow(ports), running, parts)  # it comes up beside Prefect
    reports = ["deployments.pages", "reports", "--port", str(ports.reports)]
    _start("reports", reports, running, parts)
    _start("prefect", _prefect(ports), running, parts)
    _await_answer("prefect", f"http://127.0.0.1:{ports.prefect}/api/health", running)
    watchdog = Watchdog(os.environ["PREFECT_API_URL"])
    parts.callback(_end_abandoned, within=STOP_SECONDS)  # after the worker, before the server
    _end_abandoned()
    _prefect_command("work-pool", "create", POOL, "--type", "process", "--overwrite")
    _prefect_command("--no-prompt", "deploy", "--all")
    _tell("deployed every flow of prefect.yaml")
    _start("worker", ["prefect", "worker", "start", "--pool", POOL], running, parts)
    _tell("worker: started")
    _await_answer("mlflow", f"http://127.0.0.1:{ports.mlflow}/health", running)
    _await_answer("reports", f"http://127.0.0.1:{ports.reports}/", running)
    if served_tag(problem) is None:
        _tell(f"no champion of {problem} yet: running the main job first")
        _run_main_job(problem, ports, running, parts, watchdog)
    service = ["bentos.launch", problem, "--port", str(ports.service)]
    _start("service", service, running, parts)
    _await_answer("service", f"http://127.0.0.1:{ports.service}/readyz", running)
    _tell("everything is up; Ctrl+C stops it")
    while True:
        _mind(ports, running, watchdog)
        time.sleep(0.5)


def _mind(ports: Ports, running: Running, watchdog: Watchdog) -> None:
    """See that every part runs; start Prefect's server again where it hangs."""
    _check_all(running)
    if watchdog.is_hung:
        _tell("prefect: takes nothing any more, and is started again")
        _end("prefect", running)
        _launch("prefect", _prefect(ports), running)
        _await_answer("prefect", f"http://127.0.0.1:{ports.prefect}/api/health", running)
        watchdog.forgive()


def _prefect(ports: Ports) -> list[str]:
    return ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(ports.prefect)]


def _mlflow(ports: Ports) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(ports.mlflow)]
    return ["mlflow", "server", *address, "--workers", "1"]


def _start(name: str, words: list[str], running: Running, parts: ExitStack) -> None:
    """Start a part, which is ended with the others."""
    _launch(name, words, running)
    parts.callback(_end, name, running)


def _launch(name: str, words: list[str], running: Running) -> None:
    """Start a part in a process group of its own."""
    log = _log_of(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        running[name] = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", *words], cwd=ROOT, stdout=out, stderr=out, start_new_session=True
        )


def _await_answer(name: str, url: str, running: Running) -> None:
    """Wait for a part's first answer."""
    give_up = time.monotonic() + START_SECONDS
    while not _answers(url):
        _check_all(running)
        if time.monotonic() > give_up:
            message = f"{name}: no answer on {url} in {START_SECONDS:g} s; see {_log_of(name)}"
            raise PartError(message)
        time.sleep(0.2)
    _tell(f"{name}: {url.rpartition('/')[0].removesuffix('/api')}")


def _log_of(name: str) -> Path:
    return get_settings().home.absolute() / "logs" / f"{name}.log"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - this machine's own server
            return True
    except (OSError, urllib.error.URLError):
        return False


def _check_all(running: Running) -> None:
    for name, process in running.items():
        if process.poll() is not None:
            message = f"{name} ended with {process.returncode}; see {_log_of(name)}"
            raise PartError(message)


def _end(name: str, running: Running) -> None:
    """Ask a part to end; make it end where it does not."""
    process = running.pop(name, None)
    if process is None:  # it was about to be started again
        return
    if process.poll() is None:
        process.send_signal(signal.SIGINT if name == "worker" else signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever of it is left
    process.wait()
    _tell(f"{name}: stopped")


def _prefect_command(*words: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "prefect", *words], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode:
        last = (done.stdout + done.stderr).decode(errors="replace").strip()[-600:]
        message = f"prefect {' '.join(words)} ended with {done.returncode}: {last}"
        raise PartError(message)


def _run_main_job(
    problem: str, ports: Ports, running: Running, parts: ExitStack, watchdog: Watchdog
) -> None:
    """Run it by the worker, and wait for its end."""
    job: Running = {}
    deployment = f"pipeline/{problem.replace('_', '-')}"
    _start("main-job", ["prefect", "deployment", "run", deployment, "--watch"], job, parts)
    while job["main-job"].poll() is None:
        _mind(ports, running, watchdog)
        time.sleep(1)
    if served_tag(problem) is None:
        pages = os.environ["PREFECT_UI_URL"]
        message = f"the main job ended without a champion of {problem}; look at {pages}/runs"
        raise PartError(message)


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
                _tell(f"{name}: was cut off, and is marked as crashed")
    except PrefectHTTPStatusError:
        return  # it is there, and takes no write just now
    except Exception as error:
        if not is_prefect_away(error):
            raise


def _stop(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; parts are being ended
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise StoppedError


def _tell(message: str) -> None:
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
