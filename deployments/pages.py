"""Shows the page for people, those of MLflow or Prefect, or the reports, until interrupted."""

import argparse
import os
import sys
from typing import NoReturn

import flows  # noqa: F401 - points the tools at the state folder
from deployments.local.ports import refuse_taken
from deployments.reporting import reports
from deployments.ui import launch
from driftline.errors import DriftlineError, SettingsError
from tasks.reading.locations import conceal
from tasks.settings import get_settings

PORTS = {"mlflow": 5000, "prefect": 4200, "ui": launch.PORT}


def hide_backend() -> None:
    """Name MLflow its database by the environment: every user can read a command line."""
    os.environ["MLFLOW_BACKEND_STORE_URI"] = os.environ["MLFLOW_TRACKING_URI"]


def find_tracking_server() -> str:
    """The MLflow server that others run and this machine's runs go to, no password in it; or ""."""
    address = os.environ["MLFLOW_TRACKING_URI"]
    return conceal(address) if address.startswith(("http://", "https://")) else ""


def main() -> None:
    """Replace this process by the tool's own server, or be the one of the reports."""
    tool, words = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    try:
        if tool == "reports":
            reports.main(words)
        elif tool in PORTS:
            _become(tool, words)
        else:
            sys.exit(f"error: got {tool!r}, wanted one of {', '.join([*PORTS, 'reports'])}")
    except DriftlineError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(0)


def _become(tool: str, words: list[str]) -> NoReturn:
    parser = argparse.ArgumentParser(description=f"Show the pages of {tool}.")
    parser.add_argument("--port", type=int, default=PORTS[tool])
    port = parser.parse_args(words).port
    refuse_taken(port, tool, "--port")
    if tool == "ui":
        launch.start(port)
    address = ["--host", "127.0.0.1", "--port", str(port)]
    if tool == "prefect":
        command = ["prefect", "server", "start", *address]
    else:
        elsewhere = find_tracking_server()
        if elsewhere:
            message = f"MLFLOW_TRACKING_URI: runs are kept by {elsewhere}, whose pages show them"
            raise SettingsError(message)
        command = ["mlflow", "server", *address]
        command += ["--default-artifact-root", f"{get_settings().store}/artifacts"]
        hide_backend()
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 - our own words


if __name__ == "__main__":
    main()
