"""What runs on its own, before a commit and in CI, is what a person runs."""

import re
import tomllib
from typing import Any

import yaml

from tests.support import ROOT

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_the_workflow_runs_what_ci_runs() -> None:
    assert ".ci/run" in {step.get("run") for step in STEPS}


def test_the_workflow_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())


def test_every_action_is_pinned_by_digest() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]

    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_a_commit_is_checked_as_make_check_does() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = [hook["entry"] for repo in hooks for hook in repo["hooks"]]

    assert [repo["repo"] for repo in hooks] == ["local"]
    assert entries == recipe("check")


def test_the_licence_is_the_one_that_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]
    text = (ROOT / "LICENSE").read_text()

    assert declared == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "limitations under the License." in text


def test_no_locked_part_slows_the_start_of_every_process() -> None:
    """Prefect imports jsonschema, which imports it where it is there, and that takes 2 s."""
    locked = (ROOT / "requirements.lock").read_text()

    assert "\njsonschema==" in locked
    assert "\nrfc3987-syntax==" not in locked


def recipe(target: str) -> list[str]:
    """The commands of a make target, with the environment's place filled in."""
    makefile = (ROOT / "Makefile").read_text()
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found is not None
    commands = found.group(1).replace("$(PY)", ".venv/bin/python").replace("$(VENV)", ".venv")
    return [line.strip().removeprefix("@") for line in commands.splitlines()]
