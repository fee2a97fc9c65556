"""What MLflow keeps of the training that made a registered version."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftline.problem import Problem
from driftline.snapshots import Registered
from tasks.decorators import io
from tasks.models.registry import run_of
from tasks.reaching import open_client, reading_artifacts


@dataclass(frozen=True)
class Training:
    """A training's summary and its pictures by file name; empty where nothing was kept."""

    run_id: str
    summary: dict[str, Any]
    pictures: dict[str, bytes]


@io(name="read training")
def read_training(problem: Problem, version: str) -> Training:
    """The run that made a version."""
    client, run_id = open_client(), run_of.fn(problem, version)  # type: ignore[attr-defined]
    names = [each.path for each in client.list_artifacts(run_id)]
    wanted = [name for name in names if name == "run_summary.json" or name.endswith(".png")]
    with tempfile.TemporaryDirectory() as folder, reading_artifacts(f"{problem.name} v{version}"):
        files = {
            name: Path(client.download_artifacts(run_id, name, folder)).read_bytes()
            for name in wanted
        }
    summary = json.loads(files.pop("run_summary.json", b"{}"))
    return Training(run_id, summary, files)


@io(name="link evidence")
def link_evidence(problem: Problem, version: str, links: dict[str, str]) -> None:
    """Name the card and the evidence on the version, where MLflow's page shows it."""
    client = open_client()
    for name, link in links.items():
        client.set_model_version_tag(problem.name, version, name, link)


@io(name="read registered snapshots")
def read_registered() -> list[Registered]:
    """Every version of every model in the registry that names the snapshot it has learnt from."""
    client, token, found = open_client(), None, []
    while True:
        page = client.search_model_versions(page_token=token)
        found += [
            Registered(str(each.name), str(each.version), str(each.tags["snapshot"]))
            for each in page
            if "snapshot" in each.tags
        ]
        if not (token := page.token):
            return found
