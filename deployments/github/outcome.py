"""What a flow of this job came to: as Markdown for the job's page, or one value of its summary.

`python -m deployments.github.outcome diabetes train --only model.version`
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import flows  # noqa: F401 - points the tools at the state folder
from driftline.errors import DriftlineError, NotFoundError
from flows.shared.summary import summary_markdown
from tasks.data.files import read_file
from tasks.settings import get_settings

LEFT = {"evidence": "evidence.path"}  # what a flow leaves in the store beside its summary


def main(
    problem: str,
    flow: str,
    only: Annotated[str, typer.Option(help="one value, such as model.version")] = "",
    into: Annotated[str, typer.Option(help="a folder for the summary and what it names")] = "",
) -> None:
    """Print the newest outcome of a flow on this machine."""
    try:
        summary = read_outcome(problem.replace("-", "_"), flow)
        if into:
            keep(Path(into), flow, summary)
        told = (
            str(value_of(summary, only)) if only else f"### {flow}\n\n{summary_markdown(summary)}"
        )
    except DriftlineError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(1) from None
    sys.stdout.write(f"{told}\n")


def read_outcome(problem: str, flow: str) -> dict[str, Any]:
    """The summary; `NotFoundError` where the flow came to no outcome here."""
    path = get_settings().home / "runs" / f"{flow}-{problem}-latest.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        message = f"{path}: not there; wanted {flow} of {problem} to have come to an outcome here"
        raise NotFoundError(message) from None


def value_of(summary: dict[str, Any], dotted: str) -> Any:
    """The value at a dotted key; `NotFoundError` where there is none."""
    found: Any = summary
    for key in dotted.split("."):
        if not isinstance(found, dict) or key not in found:
            message = f"--only: got {dotted}, and this summary has no {key}"
            raise NotFoundError(message)
        found = found[key]
    return found


def keep(folder: Path, flow: str, summary: dict[str, Any]) -> None:
    """Write the summary, and what the flow left in the store, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{flow}.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    if flow in LEFT:
        address = str(value_of(summary, LEFT[flow]))
        (folder / address.rsplit("/", 1)[-1]).write_bytes(read_file(address))


if __name__ == "__main__":
    typer.run(main)
