"""The loop: records, store, whom it tells, and the programs that train, look after and show."""

from dataclasses import dataclass, replace
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from deployments.aws.stacks.common import accept, ask_text, new_stack
from deployments.aws.stacks.fargate import (
    Program,
    add_cluster,
    add_container,
    asks,
    new_task,
    wait_for,
)
from deployments.aws.stacks.network import DOMAIN, Network
from deployments.aws.stacks.people import add_people
from deployments.aws.stacks.records import Records, add_records, add_store, watch_database

PREFECT_PORT, MLFLOW_PORT, REPORTS_PORT, WORKER_PORT = 4200, 5000, 5001, 8080
PREFECT = f"http://prefect.{DOMAIN}:{PREFECT_PORT}/api"
REPORTS = f"http://reports.{DOMAIN}:{REPORTS_PORT}"
STORE_PREFIX = "driftline"


@dataclass(frozen=True)
class Loop:
    """What the programs of the loop share."""

    stack: Any
    network: Network
    clients: Any
    watchers: Any
    cluster: Any
    image: str
    records: Records
    bucket: Any
    topic: Any
    pages: Any  # who may look at the pages


def add_loop(app: Any, network: Network) -> Any:
    """The stack."""
    stack = new_stack(app, "loop", "database, store, Prefect, MLflow, and whom they tell")
    image = ask_text(
        stack, "Image", "deployments/image/project.Dockerfile, in a repository named driftline..."
    )
    pages = ask_text(
        stack,
        "PagesCidr",
        "Who may look at Prefect's, MLflow's and the reports' pages, such as a VPN's range",
    )
    topic = add_people(stack)
    clients = network.clients_in(stack)
    records = add_records(stack, network, clients)
    watch_database(stack, records, topic)
    cluster = add_cluster(stack, network.vpc)
    loop = Loop(
        stack,
        network,
        clients,
        network.watchers_in(stack),
        cluster,
        image.value_as_string,
        records,
        add_store(stack),
        topic,
        pages,
    )
    prefect = _add_prefect(loop)
    _add_mlflow(loop)
    _add_reports(loop)
    _add_worker(loop).node.add_dependency(prefect)
    CfnOutput(stack, "SettingsArn", value=records.settings.ref)
    CfnOutput(stack, "StorePlace", value=f"{loop.bucket.bucket_name}/{STORE_PREFIX}")
    CfnOutput(stack, "TopicArn", value=topic.topic_arn)
    return stack


def _add_prefect(loop: Loop) -> Any:
    """Prefect's server, for the worker and for those who may look."""
    task = new_task(loop.stack, "Prefect", cpu=512, memory_mb=2048)
    name = "PREFECT_API_DATABASE_CONNECTION_URL"
    words = f"python3 -m prefect server start --host 0.0.0.0 --port {PREFECT_PORT}"
    server = Program(
        image=loop.image,
        command=words.split(),
        environment={
            "PREFECT_UI_API_URL": PREFECT,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_HOME": "/state/prefect",
        },
        secrets={name: loop.records.field(name)},
        port=PREFECT_PORT,
        health=asks(f"http://127.0.0.1:{PREFECT_PORT}/api/health"),
    )
    wait_for(add_container(task, "prefect", server), _add_databases(loop, task))
    return _run(loop, task, "prefect", PREFECT_PORT)


def _add_mlflow(loop: Loop) -> Any:
    """MLflow's pages; runs write to its database themselves, as they do everywhere."""
    task = new_task(loop.stack, "Mlflow", cpu=512, memory_mb=2048)
    hosts = f"mlflow.{DOMAIN}:*,127.0.0.1:*,localhost:*"
    words = f"python3 -m mlflow server --host 0.0.0.0 --port {MLFLOW_PORT} --workers 1"
    server = Program(
        image=loop.image,
        command=[*words.split(), "--allowed-hosts", hosts],
        environment={
            "AWS_DEFAULT_REGION": Stack.of(loop.stack).region,
            "MLFLOW_DEFAULT_ARTIFACT_ROOT": f"{_store_url(loop)}/artifacts",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        secrets={"MLFLOW_BACKEND_STORE_URI": loop.records.field("MLFLOW_TRACKING_URI")},
        port=MLFLOW_PORT,
        health=asks(f"http://127.0.0.1:{MLFLOW_PORT}/health"),
    )
    wait_for(add_container(task, "mlflow", server), _add_databases(loop, task))
    loop.bucket.let_read(task.task_role, f"{STORE_PREFIX}/artifacts")
    return _run(loop, task, "mlflow", MLFLOW_PORT)


def _add_worker(loop: Loop) -> Any:
    """The worker and its sweeper, once every flow is deployed."""
    task = new_task(loop.stack, "Worker", cpu=2048, memory_mb=8192)
    own = {"PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1", "PREFECT_WORKER_WEBSERVER_PORT": "8080"}
    work = "python3 -m prefect worker start --pool driftline --with-healthcheck"
    deploy = add_container(
        task, "deploy", _program(loop, "python3 -m deployments.deploy"), is_job=True
    )
    worker = _program(loop, work, asks(f"http://127.0.0.1:{WORKER_PORT}/health"), own)
    wait_for(add_container(task, "worker", worker), deploy)
    sweeper = _program(loop, "python3 -m deployments.sweeper")
    wait_for(add_container(task, "sweeper", sweeper), deploy)
    loop.bucket.let_work(task.task_role, STORE_PREFIX)
    loop.topic.grant_publish(task.task_role)
    accept(
        task,
        {"AwsSolutions-IAM5[Action::kms:GenerateDataKey*]": "two actions, on the key of the topic"},
    )
    return _run(loop, task, "worker")


def _add_reports(loop: Loop) -> Any:
    """The reports in the store, and what the collector of metrics is told of the loop."""
    task = new_task(loop.stack, "Reports", cpu=512, memory_mb=2048)
    words = f"python3 -m deployments.pages reports --host 0.0.0.0 --port {REPORTS_PORT}"
    server = _program(loop, words, asks(f"http://127.0.0.1:{REPORTS_PORT}/metrics"))
    add_container(task, "reports", replace(server, port=REPORTS_PORT))
    loop.bucket.let_read(task.task_role, STORE_PREFIX)
    return _run(loop, task, "reports", REPORTS_PORT)


def _program(
    loop: Loop, words: str, health: Any = (), more: dict[str, str] | None = None
) -> Program:
    """A program of the project that runs flows, with what all of them need."""
    names = ("DRIFTLINE_DATABASE_URL", "DRIFTLINE_SIGNING_KEY", "MLFLOW_TRACKING_URI")
    return Program(
        image=loop.image,
        command=words.split(),
        environment={
            "AWS_DEFAULT_REGION": Stack.of(loop.stack).region,
            "DRIFTLINE_REPORTS_URL": REPORTS,
            "DRIFTLINE_NOTIFY_SNS_TOPIC": loop.topic.topic_arn,
            "DRIFTLINE_STORE_URL": _store_url(loop),
            "PREFECT_API_URL": PREFECT,
            **(more or {}),
        },
        secrets={name: loop.records.field(name) for name in names},
        health=health,
    )


def _add_databases(loop: Loop, task: Any) -> Any:
    """The job that makes MLflow's and Prefect's databases beside the prediction log's."""
    name = "DRIFTLINE_DATABASE_URL"
    job = Program(
        image=loop.image,
        command=["python3", "-m", "deployments.aws.databases"],
        secrets={name: loop.records.field(name)},
    )
    return add_container(task, "databases", job, is_job=True)


def _run(loop: Loop, task: Any, name: str, port: int = 0) -> Any:
    """One task that is started again where it ends; only one, since each has its own state."""
    access = ec2.SecurityGroup(
        loop.stack, f"{name}-access", vpc=loop.network.vpc, description=f"Who may ask {name}"
    )
    accept(access, {"AwsSolutions-EC23": "who may look is a parameter without a default"})
    if port:
        access.add_ingress_rule(loop.clients, ec2.Port.tcp(port))
        if name == "reports":
            access.add_ingress_rule(loop.watchers, ec2.Port.tcp(port))
        access.add_ingress_rule(ec2.Peer.ipv4(loop.pages.value_as_string), ec2.Port.tcp(port))
    return ecs.FargateService(
        loop.stack,
        f"{name}-service",
        cluster=loop.cluster,
        task_definition=task,
        desired_count=1,
        min_healthy_percent=0,
        max_healthy_percent=100,
        security_groups=[access, loop.clients],
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        cloud_map_options=loop.network.named(name) if port else None,
        circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
    )


def _store_url(loop: Loop) -> str:
    return f"s3://{loop.bucket.bucket_name}/{STORE_PREFIX}"
