"""What must hold of a workflow that others copy: little is allowed, and all of it is pinned."""

import re

import pytest

from tests.deployments.github.workflows import FOLDER, NAMES, read, steps_of
from tests.support import ROOT

MAY_WRITE = {("cd", "release"): {"contents": "write"}}
READS = {"contents": "read", "id-token": "write"}


def test_this_repository_is_not_run_by_them() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.yml")) == sorted(NAMES)
    assert [path.name for path in (ROOT / ".github" / "workflows").iterdir()] == ["ci.yml"]


@pytest.mark.parametrize("name", NAMES)
def test_a_job_may_read_and_sign_in_and_no_more(name: str) -> None:
    workflow = read(name)

    assert workflow["permissions"] == {}
    for job, declared in workflow["jobs"].items():
        assert declared["permissions"] == MAY_WRITE.get((name, job), READS)
        assert declared["timeout-minutes"] <= 120


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_by_digest_and_leaves_no_key(name: str) -> None:
    used = [step for step in steps_of(name) if "uses" in step]

    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in used)
    for step in used:
        if step["uses"].startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
        if step["uses"].startswith("aws-actions/"):
            assert set(step["with"]) == {"role-to-assume", "aws-region"}


@pytest.mark.parametrize("name", NAMES)
def test_no_line_that_runs_holds_what_github_fills_in(name: str) -> None:
    """A secret, or words that somebody typed, reach a command through its environment alone."""
    lines = [step["run"] for step in steps_of(name) if "run" in step]

    assert lines
    assert not [line for line in lines if "${{" in line]


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_in_a_pipe_ends_the_step(name: str) -> None:
    assert read(name)["defaults"]["run"]["shell"] == "bash"


def test_what_changes_the_champion_runs_one_at_a_time() -> None:
    groups = [read(name)["concurrency"] for name in ("retrain", "cd")]

    assert groups == [{"group": "model", "cancel-in-progress": False}] * 2


def test_a_release_waits_for_gate_and_deployment() -> None:
    jobs = read("cd")["jobs"]
    runs = [step.get("run", "") for step in jobs["model"]["steps"]]
    gate = next(place for place, run in enumerate(runs) if "--require-promotion" in run)

    assert jobs["deploy"]["needs"] == "model"
    assert jobs["deploy"]["environment"] == "production"
    assert jobs["release"]["needs"] == ["model", "deploy"]
    assert gate < min(place for place, run in enumerate(runs) if "evidence" in run)
