"""Which deployments follow from a list of problems, as the content of a `prefect.yaml`.

Pure: problems and what people have paused in, text out. Each flow that a person may want to start
for a problem has one, `<flow>/<problem>`. Runs of `release`, `approve` and `ab` are told as
`actor` who decides: a worker has another name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from driftline.problem import Problem
from tasks.server.deploying import Pauses

POOL = "driftline"
TAG = "driftline"
SWEEP = "sweep/all-problems"
SWEEP_CRON = "*/15 * * * *"
FLOWS = {
    "pipeline": "The main job, from source to served champion and drift report.",
    "ingest": "Read, clean, validate, and keep a snapshot.",
    "train": "Compare candidates, gate the winner, register it, package it if it is promoted.",
    "monitor": "Judge what came in since the last verdict.",
    "package": "Build the champion's bento and let the service take it over.",
    "rollback": "Bring the previous champion back.",
    "release": "Release or drop what a verdict set aside; name `verdict` and `actor`.",
    "approve": "Let the model that waits for a person take over; name `actor`.",
    "ab": "Give another version part of the traffic (`version`, `share`, `key`), or `stop` it.",
    "evidence": "Write the champion's card, and pack all that stands behind it.",
    "score": "Score a file in batch.",
    "label": "Bring the true labels of a file into the prediction log; name it as `source`.",
    "replay": "Live through a labelled history, beside simpler policies and hindsight.",
}
EVENTS: Mapping[str, tuple[str, Mapping[str, str]]] = {  # what starts a flow, and what it says
    "train": ("driftline.drift.retrain", {}),
    "monitor": ("driftline.labels.counted", {"driftline.starts-run": "true"}),
}
NO_PAUSES = Pauses()

Declared = dict[str, Any]


class _Plain(yaml.SafeDumper):
    """Writes what comes twice twice, and lists further in than their key."""

    def ignore_aliases(self, data: object) -> bool:
        """No anchors."""
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are further in than their key."""
        del indentless
        super().increase_indent(flow, indentless=False)


def declare_sweep(schedule: str | None = SWEEP_CRON, pauses: Pauses = NO_PAUSES) -> Declared:
    """The deployment that looks after all problems; without a schedule where a loop does so."""
    flow, _, name = SWEEP.partition("/")
    about = "Start what was ordered and whose event was lost; finish what dead runs began."
    return _declare(flow, name, about, runs_at_once=1, schedule=schedule, pauses=pauses)


def declare_problem(problem: Problem, pauses: Pauses = NO_PAUSES) -> list[Declared]:
    """The deployments of a problem, in the order of `FLOWS`."""
    crons = problem.loop.schedules.model_dump()
    declared = []
    for flow, about in FLOWS.items():
        one = _declare(
            flow,
            problem.slug,
            about,
            runs_at_once=problem.loop.runs_at_once,
            schedule=crons.get(flow),
            pauses=pauses,
        )
        one["parameters"] = {"problem": problem.name}
        one["tags"] = [TAG, problem.name]
        if flow in EVENTS and flow in problem.loop.starts_at_once:
            one["triggers"] = [_declare_trigger(flow, problem, pauses)]
        declared.append(one)
    return declared


def render_manifest(declared: Iterable[Declared], *, header: str) -> str:
    """The text of a `prefect.yaml` of these deployments."""
    content = {"name": "driftline", "deployments": list(declared)}
    text = yaml.dump(
        content,
        Dumper=_Plain,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=120,
    )
    return header + text


def _declare(
    flow: str, name: str, about: str, *, runs_at_once: int, schedule: str | None, pauses: Pauses
) -> Declared:
    full_name = f"{flow}/{name}"
    one: Declared = {
        "name": name,
        "entrypoint": f"flows.{flow}.{flow}",
        "description": about,
        "tags": [TAG],
        "work_pool": {"name": POOL},
        "concurrency_limit": {"limit": runs_at_once, "collision_strategy": "ENQUEUE"},
    }
    if full_name in pauses.deployments:
        one["paused"] = True
    if schedule is not None:
        one["schedules"] = [{"cron": schedule, "timezone": "UTC"}]
        if full_name in pauses.schedules:
            one["schedules"][0]["active"] = False
    return one


def _declare_trigger(flow: str, problem: Problem, pauses: Pauses) -> Declared:
    event, labels = EVENTS[flow]
    return {
        "enabled": f"{flow}/{problem.slug}" not in pauses.triggers,
        "match": {"prefect.resource.id": f"driftline.problem.{problem.name}", **labels},
        "expect": [event],
        "parameters": {"problem": problem.name, "only_ordered": True},
    }
