"""Deployments follow from the problems, and what a person paused is declared so."""

from typing import Any

import yaml

from deployments.manifest import declare_problem, declare_sweep, render_manifest
from driftline.problem import Problem
from tasks.server.deploying import Pauses
from tests.support import make_problem


def declared(problem: Problem, pauses: Pauses | None = None) -> dict[str, dict[str, Any]]:
    """What `prefect deploy --all` reads of a problem, by `<flow>/<name>`."""
    made = declare_problem(problem, pauses or Pauses())
    read = yaml.safe_load(render_manifest(made, header="# ours\n"))["deployments"]
    return {f"{each['entrypoint'].split('.')[1]}/{each['name']}": each for each in read}


def test_a_problem_has_a_deployment_of_each_flow_under_its_own_name() -> None:
    made = declared(make_problem(name="two_words"))

    assert set(made) == {
        f"{flow}/two-words"
        for flow in (
            "pipeline",
            "ingest",
            "train",
            "monitor",
            "package",
            "rollback",
            "release",
            "approve",
            "ab",
            "evidence",
            "score",
            "label",
            "replay",
        )
    }
    assert {each["parameters"]["problem"] for each in made.values()} == {"two_words"}
    assert made["train/two-words"]["entrypoint"] == "flows.train.train"
    assert made["train/two-words"]["work_pool"] == {"name": "driftline"}


def test_schedules_and_limits_are_those_of_the_problem_file() -> None:
    loop = {
        "schedules": {"pipeline": "1 2 3 * *", "train": None, "monitor": "*/30 * * * *"},
        "runs_at_once": 3,
    }

    made = declared(make_problem(loop=loop))

    crons = {name: each["schedules"] for name, each in made.items() if "schedules" in each}
    assert crons == {
        "pipeline/tiny": [{"cron": "1 2 3 * *", "timezone": "UTC"}],
        "monitor/tiny": [{"cron": "*/30 * * * *", "timezone": "UTC"}],
    }
    limits = {each["concurrency_limit"]["limit"] for each in made.values()}
    assert limits == {3}


def test_what_is_ordered_starts_a_run_unless_trainings_wait_for_their_schedule() -> None:
    at_once = declared(make_problem())
    scheduled = declared(make_problem(loop={"retrain": "scheduled"}))

    assert [name for name, each in at_once.items() if "triggers" in each] == [
        "train/tiny",
        "monitor/tiny",
    ]
    assert [name for name, each in scheduled.items() if "triggers" in each] == ["monitor/tiny"]
    (trigger,) = at_once["train/tiny"]["triggers"]
    assert trigger == {
        "enabled": True,
        "match": {"prefect.resource.id": "driftline.problem.tiny"},
        "expect": ["driftline.drift.retrain"],
        "parameters": {"problem": "tiny", "only_ordered": True},
    }


def test_what_a_person_has_paused_is_declared_paused() -> None:
    pauses = Pauses(
        deployments=frozenset({"monitor/tiny"}),
        schedules=frozenset({"train/tiny"}),
        triggers=frozenset({"train/tiny"}),
    )

    made = declared(make_problem(), pauses)

    assert [name for name, each in made.items() if each.get("paused")] == ["monitor/tiny"]
    assert made["train/tiny"]["schedules"][0]["active"] is False
    assert made["train/tiny"]["triggers"][0]["enabled"] is False
    assert "active" not in made["monitor/tiny"]["schedules"][0]


def test_a_sweep_needs_no_schedule_where_something_else_sweeps() -> None:
    assert "schedules" not in declare_sweep(None)
    assert declare_sweep()["schedules"] == [{"cron": "*/15 * * * *", "timezone": "UTC"}]
