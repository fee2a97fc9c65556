"""`make up`: Prefect's server and worker, MLflow's pages and the service, together on this machine.

Each writes to `logs/` in the state folder. Ctrl+C, or the end of one of them, stops all.
"""

import argparse
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

import flows  # noqa: F401 - points the tools at the state folder
from tasks.packaging import served_version
from tasks.settings import get_settings

START_SECONDS = 120.0
STOP_SECONDS = 20.0
POOL = "driftline"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ports:
    """Where each part listens, on 127.0.0.1."""

    prefect: int
    mlflow: int
    service: int


class StoppedError(Exception):
    """Somebody asked for the end, or a part has ended."""


def main() -> int:
    """Start everything, deploy, and stay until interrupted."""
    parser = argparse.ArgumentParser(description="Start the whole system on this machine.")
    parser.add_argument("problem")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--prefect-port", type=int, default=4200)
    parser.add_argument("--mlflow-port", type=int, default=5000)
    arguments = parser.parse_args()
    ports = Ports(arguments.prefect_port, arguments.mlflow_port, arguments.port)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        with ExitStack() as parts:
            _run(arguments.problem.replace("-", "_"), ports, parts)
    except StoppedError as reason:
        _tell(str(reason))
        return 1 if "ended" in str(reason) else 0
    return 0


def _run(problem: str, ports: Ports, parts: ExitStack) -> None:
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{ports.prefect}/api"
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["DRIFTLINE_HOME"] = str(get_settings().home.absolute())
    os.environ.setdefault("PREFECT_UI_URL", f"http://127.0.0.1:{ports.prefect}")
    running: dict[str, subprocess.Popen[bytes]] = {}
    _start(
        "prefect", _prefect(ports), f"http://127.0.0.1:{ports.prefect}/api/health", running, parts
    )
    _prefect_command("work-pool", "create", POOL, "--type", "process", "--overwrite")
    _prefect_command("--no-prompt", "deploy", "--all")
    _tell("deployed every flow of prefect.yaml")
    worker = ["prefect", "worker", "start", "--pool", POOL]
    _start("worker", worker, None, running, parts)
    _start("mlflow", _mlflow(ports), f"http://127.0.0.1:{ports.mlflow}/health", running, parts)
    if served_version(problem) is None:
        _tell(f"no champion of {problem} yet: running the main job first")
        _prefect_command("deployment", "run", f"pipeline/{problem.replace('_', '-')}")
        _await_bento(problem, running)
    service = ["bentos.launch", problem, "--port", str(ports.service)]
    _start("service", service, f"http://127.0.0.1:{ports.service}/readyz", running, parts)
    _tell("everything is up; Ctrl+C stops it")
    while True:
        _check_all(running)
        time.sleep(0.5)


def _prefect(ports: Ports) -> list[str]:
    return ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(ports.prefect)]


def _mlflow(ports: Ports) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(ports.mlflow)]
    store = ["--backend-store-uri", os.environ["MLFLOW_TRACKING_URI"]]
    return ["mlflow", "server", *address, *store, "--workers", "1"]


def _start(
    name: str,
    words: list[str],
    url: str | None,
    running: dict[str, "subprocess.Popen[bytes]"],
    parts: ExitStack,
) -> None:
    """Start a part in a process group of its own, and wait for its first answer."""
    log = get_settings().home.absolute() / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    out = parts.enter_context(log.open("ab"))
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", *words], cwd=ROOT, stdout=out, stderr=out, start_new_session=True
    )
    parts.callback(_end, name, process)
    running[name] = process
    give_up = time.monotonic() + START_SECONDS
    while url is not None and not _answers(url):
        _check_all(running)
        if time.monotonic() > give_up:
            message = f"{name} ended nowhere: no answer on {url}; see {log}"
            raise StoppedError(message)
        time.sleep(0.2)
    _tell(f"{name}: {url.rpartition('/')[0].removesuffix('/api') if url else 'started'}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - this machine's own server
            return True
    except (OSError, urllib.error.URLError):
        return False


def _check_all(running: dict[str, "subprocess.Popen[bytes]"]) -> None:
    for name, process in running.items():
        if process.poll() is not None:
            log = get_settings().home.absolute() / "logs" / f"{name}.log"
            message = f"{name} ended with {process.returncode}; see {log}"
            raise StoppedError(message)


def _end(name: str, process: "subprocess.Popen[bytes]") -> None:
    """Ask a part to end; make it end where it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT if name == "worker" else signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    _tell(f"{name}: stopped")


def _prefect_command(*words: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "prefect", *words], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode:
        last = (done.stdout + done.stderr).decode(errors="replace").strip()[-600:]
        message = f"prefect {' '.join(words)} ended with {done.returncode}: {last}"
        raise StoppedError(message)


def _await_bento(problem: str, running: dict[str, "subprocess.Popen[bytes]"]) -> None:
    give_up = time.monotonic() + 15 * 60
    while served_version(problem) is None:
        _check_all(running)
        if time.monotonic() > give_up:
            message = f"the main job ended without a champion of {problem}; look at Prefect's pages"
            raise StoppedError(message)
        time.sleep(1)


def _stop(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; parts are being ended
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    message = "stopping"
    raise StoppedError(message)


def _tell(message: str) -> None:
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
