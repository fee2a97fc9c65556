"""Asks a service once: it answers with the model that it should, and predicts.

`python -m deployments.github.smoke https://model.example.org --version 7`; its key, where it
wants one, is `DRIFTLINE_API_KEY`.
"""

import os
import sys
import time
from typing import Annotated, Any

import typer

from deployments.ui.client import ask, with_key
from driftline.errors import DataError, DriftlineError, UnavailableError

PAUSE_SECONDS = 1.0


def main(
    url: str,
    version: Annotated[str, typer.Option(help="the model version that it has to answer with")],
    seconds: Annotated[float, typer.Option(help="how long to wait for it")] = 120,
) -> None:
    """Exit 1, with why, where it does not come to answer so in time."""
    try:
        await_version(url, version, seconds)
    except DriftlineError as error:
        sys.stderr.write(f"error: {url}: {error}\n")
        raise typer.Exit(1) from None
    sys.stdout.write(f"{url}: version {version} answers\n")


def await_version(url: str, version: str, seconds: float) -> None:
    """Try until it answers rightly; the last try's error where it never does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return try_once(url.rstrip("/"), version)
        except (UnavailableError, DataError):
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def try_once(url: str, version: str) -> None:
    """`DataError` where another version answers, which may still be taken over."""
    headers = with_key(os.environ.get("DRIFTLINE_API_KEY", ""))
    model = ask(f"{url}/model", headers=headers)
    answer = ask(f"{url}/predict", record_of(model), headers=headers)
    for found in (str(model["version"]), str(answer["model_version"])):
        if found != version:
            message = f"version {found} answers, wanted {version}"
            raise DataError(message)


def record_of(model: dict[str, Any]) -> dict[str, Any]:
    """The problem's example, or what is typical in each field."""
    return model["example"] or {field["name"]: field["typical"] for field in model["fields"]}


if __name__ == "__main__":
    typer.run(main)
