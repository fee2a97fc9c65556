"""Tasks on Fargate: who may pull their images, write their logs and read their secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from deployments.aws.stacks.common import accept, add_log

REPOSITORIES = "driftline*"
STOP_SECONDS = 120  # for what waits to be handed over; Fargate gives no more
PULL = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
]


@dataclass(frozen=True)
class Program:
    """One container: what it runs, with what, and how it is asked how it is."""

    image: Any
    command: Sequence[str] = ()
    entry: Sequence[str] = ()  # in place of the image's own
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)
    port: int = 0
    health: Sequence[str] = ()


def asks(url: str) -> list[str]:
    """A health check by Python, which every image of ours has."""
    return ["CMD", "python3", "-c", f"import urllib.request as r; r.urlopen({url!r})"]


def add_cluster(stack: Any, vpc: Any) -> Any:
    """A cluster with its insights."""
    insights = ecs.ContainerInsights.ENABLED
    return ecs.Cluster(stack, "Cluster", vpc=vpc, container_insights_v2=insights)


def new_task(stack: Any, name: str, *, cpu: int, memory_mb: int) -> Any:
    """A task whose starter pulls our images and no others; it may itself do nothing yet."""
    task = ecs.FargateTaskDefinition(
        stack,
        name,
        cpu=cpu,
        memory_limit_mib=memory_mb,
        execution_role=_execution_role(stack, f"{name}Starter"),
    )
    accept(
        task,
        {"AwsSolutions-ECS2": "variables say where things are; what is secret comes as one"},
    )
    return task


def _execution_role(stack: Any, name: str) -> Any:
    role = iam.Role(
        stack,
        name,
        assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
        inline_policies={"pull-own-images": let_pull(stack)},
    )
    accept_pulling(role)
    return role


def let_pull(stack: Any) -> Any:
    """What lets a role pull our images and no others."""
    whole = Stack.of(stack)
    repositories = whole.format_arn(
        service="ecr", resource="repository", resource_name=REPOSITORIES
    )
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
            iam.PolicyStatement(actions=PULL, resources=[repositories]),
        ]
    )


def accept_pulling(role: Any) -> None:
    """Say why such a role has wildcards."""
    ours = "arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository/" + REPOSITORIES
    reasons = {
        "AwsSolutions-IAM5[Resource::*]": "a registry's token is the account's",
        f"AwsSolutions-IAM5[Resource::{ours}]": "an image of ours, of any problem",
    }
    accept(role, reasons)


def add_container(task: Any, name: str, program: Program, *, is_job: bool = False) -> Any:
    """A container of a task; a job runs to its end before those that wait for it."""
    container = task.add_container(
        name,
        image=ecs.ContainerImage.from_registry(program.image),
        command=list(program.command) or None,
        entry_point=list(program.entry) or None,
        environment=dict(program.environment),
        secrets=dict(program.secrets),
        essential=not is_job,
        stop_timeout=Duration.seconds(STOP_SECONDS),
        health_check=_health(program.health) if program.health else None,
        logging=ecs.LogDrivers.aws_logs(stream_prefix=name, log_group=add_log(task, f"{name}-log")),
    )
    if program.port:
        container.add_port_mappings(ecs.PortMapping(container_port=program.port))
    return container


def wait_for(container: Any, job: Any) -> None:
    """Let a container start once a job has come to a good end."""
    success = ecs.ContainerDependencyCondition.SUCCESS
    container.add_container_dependencies(ecs.ContainerDependency(container=job, condition=success))


def _health(command: Sequence[str]) -> Any:
    return ecs.HealthCheck(
        command=list(command),
        interval=Duration.seconds(10),
        timeout=Duration.seconds(8),
        retries=6,
        start_period=Duration.seconds(60),
    )
