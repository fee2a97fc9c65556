"""The champion's image on Fargate behind a load balancer that speaks HTTPS only."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnOutput, Duration, Fn, RemovalPolicy, Stack, aws_s3
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from deployments.aws.stacks.common import (
    SETTINGS,
    Limit,
    accept,
    add_alarms,
    add_callers_key,
    ask_arn,
    ask_text,
    ask_topic,
    each_minute,
    is_given,
    new_stack,
)
from deployments.aws.stacks.fargate import Program, add_cluster, add_container, asks, new_task
from deployments.aws.stacks.network import Network

PORT = 3000
CPU, MEMORY_MB = 512, 1024
FEWEST, MOST = 2, 6
BUSY_PERCENT, CALLS_A_TASK = 60, 6000  # a minute
SLOW_SECONDS = 0.5
LOG_LIFE_DAYS = 90


@dataclass(frozen=True)
class Given:
    """What is said when the stack is deployed."""

    image: Any
    certificate: Any
    callers: Any
    settings: Any
    store: Any
    has_store: Any


def add_service(app: Any, network: Network) -> Any:
    """The stack."""
    stack = new_stack(app, "service", "the champion's image behind an HTTPS load balancer")
    given = _ask(stack)
    balancer, listener = _add_balancer(stack, network, given)
    service = _run(stack, network, _add_task(stack, given))
    group = _add_targets(listener, service)
    alarms = add_alarms(stack, _limits(balancer, group), ask_topic(stack))
    service.enable_deployment_alarms(
        [alarm.alarm_name for alarm in alarms], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
    )
    _scale(service, group)
    CfnOutput(stack, "Address", value=balancer.load_balancer_dns_name)
    return stack


def _run(stack: Any, network: Network, task: Any) -> Any:
    """New tasks come before old ones go; a deployment that fails goes back by itself."""
    told = "Port 3000, from the balancer and the collector of metrics"
    access = ec2.SecurityGroup(stack, "Access", vpc=network.vpc, description=told)
    access.add_ingress_rule(network.watchers_in(stack), ec2.Port.tcp(PORT))
    return ecs.FargateService(
        stack,
        "Service",
        cluster=add_cluster(stack, network.vpc),
        task_definition=task,
        security_groups=[access, network.clients_in(stack)],
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        min_healthy_percent=100,
        max_healthy_percent=200,
        health_check_grace_period=Duration.seconds(90),
        cloud_map_options=network.named("service"),
        circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
    )


def _ask(stack: Any) -> Given:
    store = ask_text(
        stack,
        "Store",
        "<bucket>/<prefix> of the store whose new champions a running service takes over",
        default="",
    )
    return Given(
        image=ask_text(
            stack, "Image", "The champion's image, in a repository of yours named driftline..."
        ),
        certificate=ask_arn(stack, "CertificateArn", "acm", "The certificate of the address"),
        callers=ask_text(stack, "CallersCidr", "Who may call, such as 203.0.113.0/24"),
        settings=ask_arn(stack, "SettingsArn", "secretsmanager", SETTINGS),
        store=store,
        has_store=is_given(stack, store),
    )


def _add_balancer(stack: Any, network: Network, given: Given) -> tuple[Any, Any]:
    callers = ec2.SecurityGroup(
        stack, "Callers", vpc=network.vpc, description="HTTPS, from those who may call"
    )
    callers.add_ingress_rule(ec2.Peer.ipv4(given.callers.value_as_string), ec2.Port.tcp(443))
    accept(callers, {"AwsSolutions-EC23": "who may call is a parameter without a default"})
    balancer = elb.ApplicationLoadBalancer(
        stack,
        "Balancer",
        vpc=network.vpc,
        internet_facing=True,
        security_group=callers,
        drop_invalid_header_fields=True,
    )
    _keep_access_log(stack, balancer)
    listener = balancer.add_listener(
        "Https",
        port=443,
        open=False,
        certificates=[elb.ListenerCertificate.from_arn(given.certificate.value_as_string)],
        ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
    )
    return balancer, listener


def _keep_access_log(stack: Any, balancer: Any) -> None:
    """Who asked for which path when: a balancer sees no body."""
    bucket = aws_s3.Bucket(
        stack,
        "AccessLog",
        encryption=aws_s3.BucketEncryption.S3_MANAGED,
        block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        removal_policy=RemovalPolicy.RETAIN,
        lifecycle_rules=[aws_s3.LifecycleRule(expiration=Duration.days(LOG_LIFE_DAYS))],
    )
    accept(bucket, {"AwsSolutions-S1": "it is itself the bucket of a log"})
    source = Stack.of(stack).format_arn(
        service="elasticloadbalancing", resource="loadbalancer", resource_name="*"
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects(f"AWSLogs/{Stack.of(stack).account}/*")],
            conditions={"ArnLike": {"aws:SourceArn": source}},
        )
    )
    balancer.set_attribute("access_logs.s3.enabled", "true")
    balancer.set_attribute("access_logs.s3.bucket", bucket.bucket_name)
    balancer.node.add_dependency(bucket)


def _add_task(stack: Any, given: Given) -> Any:
    task = new_task(stack, "Task", cpu=CPU, memory_mb=MEMORY_MB)
    arn = given.settings.value_as_string
    settings = secretsmanager.Secret.from_secret_complete_arn(stack, "Settings", arn)
    names = ("DRIFTLINE_DATABASE_URL", "DRIFTLINE_SIGNING_KEY")
    secrets = {name: ecs.Secret.from_secrets_manager(settings, name) for name in names}
    keys = ecs.Secret.from_secrets_manager(add_callers_key(stack))
    store = f"s3://{given.store.value_as_string}"
    program = Program(
        image=given.image.value_as_string,
        environment={
            "AWS_DEFAULT_REGION": Stack.of(stack).region,
            "DRIFTLINE_STORE_URL": Fn.condition_if(
                given.has_store.logical_id, store, ""
            ).to_string(),
        },
        secrets=secrets | {"DRIFTLINE_API_KEYS": keys},
        port=PORT,
        health=asks(f"http://127.0.0.1:{PORT}/livez"),
    )
    add_container(task, "service", program)
    _let_read_champions(stack, task, given)
    return task


def _let_read_champions(stack: Any, task: Any, given: Given) -> None:
    place = f"arn:{Stack.of(stack).partition}:s3:::{given.store.value_as_string}"
    folders = [f"{place}/serving/*", f"{place}/bentos/*"]
    policy = iam.CfnPolicy(
        stack,
        "Champions",
        policy_name="read-champions",
        roles=[task.task_role.role_name],
        policy_document=iam.PolicyDocument(
            statements=[iam.PolicyStatement(actions=["s3:GetObject"], resources=folders)]
        ),
    )
    policy.cfn_options.condition = given.has_store
    for folder in ("serving", "bentos"):
        found = f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::<Store>/{folder}/*]"
        accept(policy, {found: "each champion is another object below this folder"})


def _add_targets(listener: Any, service: Any) -> Any:
    return listener.add_targets(
        "Targets",
        port=PORT,
        protocol=elb.ApplicationProtocol.HTTP,
        targets=[service],
        deregistration_delay=Duration.seconds(30),
        health_check=elb.HealthCheck(
            path="/readyz",
            healthy_http_codes="200",
            interval=Duration.seconds(10),
            timeout=Duration.seconds(5),
            healthy_threshold_count=2,
            unhealthy_threshold_count=3,
        ),
    )


def _scale(service: Any, group: Any) -> None:
    scaling = service.auto_scale_task_count(min_capacity=FEWEST, max_capacity=MOST)
    scaling.scale_on_cpu_utilization("Busy", target_utilization_percent=BUSY_PERCENT)
    scaling.scale_on_request_count("Asked", requests_per_target=CALLS_A_TASK, target_group=group)


def _limits(balancer: Any, group: Any) -> dict[str, Limit]:
    metrics, code = group.metrics, elb.HttpCodeTarget.TARGET_5XX_COUNT
    bad_gateway = balancer.metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT)
    return {
        "Answering5xx": Limit(
            each_minute(metrics.http_code_target(code), "Sum"), 5, 2, "The service answers with 5xx"
        ),
        "NotAnswering": Limit(
            each_minute(bad_gateway, "Sum"), 5, 2, "No task of the service answers the balancer"
        ),
        "Slow": Limit(
            each_minute(metrics.target_response_time(), "p99"),
            SLOW_SECONDS,
            5,
            "One answer in 100 is slow",
        ),
    }
