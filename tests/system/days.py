"""A day of the system that `make up` starts: what happens in it, and what was seen."""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType

from tests.system.starting import (
    Up,
    await_that,
    processes_of,
    read_beat,
    runs_of,
    start,
    started,
)

STOP_SECONDS = 20.0


@dataclass
class Day:
    """What was seen of a system from its start to its end by SIGINT."""

    up: Up
    deployments: set[str]
    runs: list[FlowRun]
    watched: FlowRun
    cut_off: UUID
    artifacts: set[str | None]
    noise: list[str]
    asked: "subprocess.CompletedProcess[bytes]"
    ingests: list[FlowRun]
    left: list[str]  # processes after its end


def live_a_day(environment: dict[str, str], project: Path) -> Day:
    """Two runs, then what a person pauses and starts from a new shell, and a stop by SIGINT."""
    with started(environment) as up:
        with up.client() as client:
            deployments = {each.name for each in client.read_deployments()}
            watch = start(client, "monitor/tiny")
            source = str(project / "rows.csv")
            long = start(client, "train/tiny", source=source, folds=50, repeats=50)
            await_that(lambda: client.read_flow_run(watch).state_type == StateType.COMPLETED)
            await_that(lambda: client.read_flow_run(long).name == "train tiny")
            watched = client.read_flow_run(watch)
            artifacts = {each.key for each in client.read_artifacts()}
            await_that(lambda: read_beat(up.home)["swept_at"])
            runs, noise = client.read_flow_runs(), up.noise()
            pause(client)
            asked = ask_in_new_shell(up.home)
            ingests = runs_of(client, "ingest/tiny")

        up.process.send_signal(signal.SIGINT)
        up.process.wait(STOP_SECONDS)
    left = processes_of(up.home)
    return Day(up, deployments, runs, watched, long, artifacts, noise, asked, ingests, left)


def pause(client: SyncPrefectClient) -> None:
    """Pause by hand what trains by itself, and all monitoring."""
    train = client.read_deployment_by_name("train/tiny")
    client.update_deployment_schedule(train.id, train.schedules[0].id, active=False)
    (trigger,) = client.read_resource_related_automations(f"prefect.deployment.{train.id}")
    client.pause_automation(trigger.id)
    client.pause_deployment(client.read_deployment_by_name("monitor/tiny").id)


def ask_in_new_shell(home: Path) -> "subprocess.CompletedProcess[bytes]":
    """Start a run from a shell that was told where the system is, and nothing else."""
    words = f". {home}/env && prefect deployment run ingest/tiny"
    shell = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(["sh", "-c", words], env=shell, capture_output=True, check=False)
