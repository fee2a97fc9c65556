"""The collector: a Prometheus on Fargate that reads /metrics and writes to the managed one."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from deployments.aws.stacks.common import ask_arn, ask_text
from deployments.aws.stacks.fargate import Program, add_cluster, add_container, new_task
from deployments.aws.stacks.network import DOMAIN, Network

IMAGE = "quay.io/prometheus/prometheus:v3.5.0"
CPU, MEMORY_MB = 256, 512
FOLDER, OWN_PORT = "/prometheus", 9090  # its image may write there
EVERY_SECONDS = 30
PLACES = {"driftline-service": ("service", 3000), "driftline-loop": ("reports", 5001)}
START = (
    f'umask 077 && printf %s "$CONFIG" > {FOLDER}/agent.yml && '
    f'printf %s "$METRICS_KEY" > {FOLDER}/key && unset METRICS_KEY && '
    f"exec prometheus --agent --config.file={FOLDER}/agent.yml "
    f"--storage.agent.path={FOLDER}/agent --web.listen-address=127.0.0.1:{OWN_PORT}"
)


def add_collector(stack: Any, network: Network, workspace: Any) -> None:
    """One task, which may write to this workspace and nothing else."""
    image = ask_text(stack, "CollectorImage", "Prometheus 3, with a shell in it", default=IMAGE)
    problem = ask_text(stack, "Problem", "The problem that the service answers, as in diabetes")
    told = "ARN of the secret that is the service's key: its output KeySecret"
    key = ask_arn(stack, "KeyArn", "secretsmanager", told)
    secret = secretsmanager.Secret.from_secret_complete_arn(stack, "Key", key.value_as_string)
    task = new_task(stack, "Task", cpu=CPU, memory_mb=MEMORY_MB)
    config = describe_agent(
        f"{workspace.attr_prometheus_endpoint}api/v1/remote_write",
        problem=problem.value_as_string,
        region=Stack.of(stack).region,
    )
    program = Program(
        image=image.value_as_string,
        entry=["/bin/sh", "-c"],
        command=[START],
        environment={"CONFIG": stack.to_json_string(config)},
        secrets={"METRICS_KEY": ecs.Secret.from_secrets_manager(secret)},
        health=["CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{OWN_PORT}/-/ready"],
    )
    add_container(task, "collector", program)
    write = iam.PolicyStatement(actions=["aps:RemoteWrite"], resources=[workspace.attr_arn])
    task.task_role.add_to_principal_policy(write)
    ecs.FargateService(
        stack,
        "Collector",
        cluster=add_cluster(stack, network.vpc),
        task_definition=task,
        desired_count=1,
        min_healthy_percent=0,
        max_healthy_percent=100,
        security_groups=[network.watchers_in(stack)],
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
    )


def describe_agent(address: str, *, problem: str, region: str) -> dict[str, Any]:
    """Its configuration: the same jobs as elsewhere, found by the names of the network."""
    every = f"{EVERY_SECONDS}s"
    service, loop = (_scrape(job) for job in PLACES)
    service["authorization"] = {"credentials_file": f"{FOLDER}/key"}
    service["relabel_configs"] = [{"target_label": "problem", "replacement": problem}]
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every},
        "scrape_configs": [service, loop],
        "remote_write": [{"url": address, "sigv4": {"region": region}}],
    }


def _scrape(job: str) -> dict[str, Any]:
    """Each task that has the name; what a target says of its own problem counts."""
    name, port = PLACES[job]
    found = {"names": [f"{name}.{DOMAIN}"], "type": "A", "port": port, "refresh_interval": "15s"}
    return {"job_name": job, "honor_labels": True, "dns_sd_configs": [found]}
