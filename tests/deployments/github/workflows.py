"""The workflows for adopters, as they stand in their files."""

from typing import Any

import yaml

from tests.support import ROOT

FOLDER = ROOT / "deployments" / "github"
NAMES = ("data", "retrain", "cd")

Workflow = dict[str, Any]
Step = dict[str, Any]


def read(name: str) -> Workflow:
    """A workflow; YAML takes its key `on` for a boolean."""
    found: Workflow = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in found.items()}


def steps_of(name: str) -> list[Step]:
    """The steps of all its jobs, in order."""
    return [step for job in read(name)["jobs"].values() for step in job["steps"]]
