"""Starts the page's server: `python -m deployments.ui.launch --port 8501`.

It asks nothing of other hosts, keeps no statistics, and shows no trace.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PORT = 8501
MOST_MEGABYTES = 50
OPTIONS = {
    "global.developmentMode": "false",  # which it takes from where it is installed
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": str(MOST_MEGABYTES),
    "server.enableStaticServing": "false",
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "none",
    "client.toolbarMode": "viewer",
    "logger.level": "warning",
    "theme.base": "light",
    "theme.primaryColor": "#0b5394",
    "theme.textColor": "#1b1b1b",
}


def command(port: int, host: str = "127.0.0.1") -> list[str]:
    """The words that start it."""
    given = {**OPTIONS, "server.port": str(port), "server.address": host}
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(HERE / "app.py"), *options]


def start(port: int, host: str = "127.0.0.1") -> NoReturn:
    """Replace this process by the server."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    os.environ["PYTHONSAFEPATH"] = "1"
    words = command(port, host)
    os.execv(sys.executable, words)  # noqa: S606 - our own words


def main() -> NoReturn:
    """Serve the page until interrupted."""
    parser = argparse.ArgumentParser(description="Show the page for people.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    start(given.port, given.host)


if __name__ == "__main__":
    main()
