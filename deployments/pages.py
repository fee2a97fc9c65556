"""Shows the pages of MLflow or Prefect over the state folder, until interrupted."""

import os
import sys

import flows  # noqa: F401 - points the tools at the state folder
from tasks.settings import get_settings

COMMANDS = {
    "mlflow": ["mlflow", "server", "--host", "127.0.0.1", "--port", "5000"],
    "prefect": ["prefect", "server", "start", "--host", "127.0.0.1", "--port", "4200"],
}


def hide_backend() -> None:
    """Name MLflow its database by the environment: every user can read a command line."""
    os.environ["MLFLOW_BACKEND_STORE_URI"] = os.environ["MLFLOW_TRACKING_URI"]


def main() -> None:
    """Replace this process by the tool's own server."""
    tool = sys.argv[1] if len(sys.argv) > 1 else ""
    if tool not in COMMANDS:
        sys.exit(f"error: got {tool!r}, wanted one of {', '.join(COMMANDS)}")
    words = list(COMMANDS[tool])
    if tool == "mlflow":
        hide_backend()
        words += ["--default-artifact-root", f"{get_settings().store}/artifacts"]
    os.execv(sys.executable, [sys.executable, "-m", *words])  # noqa: S606 - our own words


if __name__ == "__main__":
    main()
