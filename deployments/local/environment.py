"""The environment of what `make up` starts, and of a shell beside it.

The variables that a new shell needs stand in `env` in the state folder while the system is up.
"""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployments.local.parts import ROOT
from tasks.settings import get_settings

# A run that holds its deployment's place ends where a restarted server has forgotten it.
LEASES_ON_DISK = "prefect.server.concurrency.lease_storage.filesystem"
SETTINGS = {  # the server is on this machine and has few to serve
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES_ON_DISK,
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # seven processes for what nobody here asks
}
FOR_SHELLS = (
    "PREFECT_API_URL",
    "PREFECT_UI_URL",
    "PREFECT_HOME",
    "DRIFTLINE_HOME",
    "DRIFTLINE_PROJECT_DIR",
)


@dataclass(frozen=True)
class Ports:
    """Where each part listens, on 127.0.0.1; each problem has a service of its own."""

    prefect: int
    mlflow: int
    reports: int
    page: int
    services: dict[str, int]

    @property
    def api(self) -> str:
        """Where Prefect's API answers."""
        return f"http://127.0.0.1:{self.prefect}/api"


def set_environment(ports: Ports) -> None:
    """Give this process, and so its parts, the addresses and the folders of this system."""
    settings = get_settings()
    os.environ["PREFECT_API_URL"] = ports.api
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["DRIFTLINE_HOME"] = str(settings.home.absolute())
    os.environ["DRIFTLINE_PROJECT_DIR"] = str(settings.project_dir.absolute())
    os.environ.setdefault("DRIFTLINE_REPORTS_URL", f"http://127.0.0.1:{ports.reports}")
    os.environ["DRIFTLINE_SERVICES"] = ",".join(
        f"{name}=http://127.0.0.1:{port}" for name, port in ports.services.items()
    )
    os.environ.setdefault("PREFECT_UI_URL", f"http://127.0.0.1:{ports.prefect}")
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


@contextmanager
def shell_file() -> Iterator[Path]:
    """A file that a shell reads (`. <file>`) so that `prefect` in it means this system."""
    path = get_settings().home.absolute() / "env"
    scripts = Path(sys.executable).parent
    lines = [f"export {name}={shlex.quote(os.environ[name])}" for name in FOR_SHELLS]
    lines.append(f'export PATH={shlex.quote(str(scripts))}:"$PATH"')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
