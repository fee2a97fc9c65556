"""What a Prefect server has of our deployments: what people paused, and what is declared no more.

`prefect deploy` turns on again what was paused, unless it is declared so; and it leaves a schedule
that is no longer declared.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound


@dataclass(frozen=True)
class Pauses:
    """Deployments, by `<flow>/<name>`: paused themselves, their schedules, or their triggers."""

    deployments: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()


def read_pauses(tag: str) -> Pauses:
    """What is paused of the deployments with a tag."""
    with get_client(sync_client=True) as client:
        made = _deployments_with(client, tag)
        named = {f"{client.read_flow(each.flow_id).name}/{each.name}": each for each in made}
        return Pauses(
            deployments=frozenset(name for name, each in named.items() if each.paused),
            schedules=frozenset(name for name, each in named.items() if _rests(each)),
            triggers=frozenset(
                name for name, each in named.items() if _ignores_events(client, each)
            ),
        )


def drop_schedules(names: Iterable[str]) -> None:
    """Take all schedules from these deployments."""
    with get_client(sync_client=True) as client:
        for name in names:
            made = client.read_deployment_by_name(name)
            for schedule in made.schedules:
                client.delete_deployment_schedule(made.id, schedule.id)


def delete_deployment(name: str) -> None:
    """Delete a deployment, if it is there."""
    with get_client(sync_client=True) as client, suppress(ObjectNotFound):
        client.delete_deployment(client.read_deployment_by_name(name).id)


def has_pool(name: str) -> bool:
    """Whether the server has a work pool, paused or not."""
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(name)
        except ObjectNotFound:
            return False
    return True


def _deployments_with(client: SyncPrefectClient, tag: str) -> list[DeploymentResponse]:
    wanted = DeploymentFilter(tags=DeploymentFilterTags(all_=[tag]))
    found: list[DeploymentResponse] = []
    while page := client.read_deployments(deployment_filter=wanted, offset=len(found)):
        found += page
    return found


def _rests(deployment: DeploymentResponse) -> bool:
    return bool(deployment.schedules) and not any(each.active for each in deployment.schedules)


def _ignores_events(client: SyncPrefectClient, deployment: DeploymentResponse) -> bool:
    related = client.read_resource_related_automations(f"prefect.deployment.{deployment.id}")
    ours = [each for each in related if each.name.startswith(f"{deployment.name}__automation_")]
    return bool(ours) and not any(each.enabled for each in ours)
